"""Anthropic's Messages API: ``POST /v1/messages`` and ``/v1/messages/count_tokens``.

Read in this order: ``params`` (the request), with ``blocks``, ``conversation`` and ``tools`` for
the larger of its parameters, ``codec`` (the answer), with ``content`` (what plain and streamed
answers share) and ``events`` (the stream). ``strict`` has the checks of strict validation,
``beta_fields`` accepts what is newer than llmsim's version of the API, ``threads`` continues
earlier requests.
"""
