"""OpenAI's images."""
