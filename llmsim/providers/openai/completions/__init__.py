"""OpenAI's legacy completions: ``POST /v1/completions``.

Read in this order: ``params`` (the request), ``codec`` (the answer, plain and streamed),
``logprobs`` (its log probabilities, which differ from those of chat completions).
"""
