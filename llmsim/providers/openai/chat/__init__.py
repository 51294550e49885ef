"""OpenAI's chat completions: ``POST /v1/chat/completions``.

Read in this order: ``params`` (the request), with ``messages`` and ``tools`` for the larger of its
parameters, ``codec`` (the answer, plain and streamed), ``chunks`` (the chunks of one choice).
``strict`` has the checks of strict validation, ``stored`` the completions that are kept.
"""
