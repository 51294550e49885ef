"""OpenAI's images: ``POST /v1/images/generations``, ``/edits`` and ``/variations``.

Read ``params`` (the requests, as JSON or as forms with files), then ``codec`` (the answer, and the
stream of partial images).
"""
