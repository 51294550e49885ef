"""Gemini's ``generateContent`` and ``streamGenerateContent``.

Read in this order: ``params`` (the request), with ``parts``, ``contents``, ``media`` and ``tools``
for the larger of its fields, ``codec`` (the answer, plain and streamed), ``chunks`` (one
candidate, whole or in chunks), ``logprobs`` (its log probabilities).
"""
