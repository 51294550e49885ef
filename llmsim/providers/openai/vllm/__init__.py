"""vLLM's server, which speaks OpenAI's APIs with fields, paths and errors of its own
(``vllm.entrypoints.openai`` of vLLM 0.11)."""
