"""The models and their latency profiles."""
