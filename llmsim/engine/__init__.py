"""The pure core: decides what is answered and when. No clock, no socket, no global randomness.

Read in this order: :mod:`llmsim.engine.plan` (the one way from a request to a plan), ``compose``
(what a chat answers), ``text`` and ``tools`` (where its content comes from), ``timing`` (when
each token exists). ``tasks`` answers requests that are no chats, ``mocks`` and ``faults`` change
an answer, ``schema`` makes values valid against a JSON Schema and knows nothing of language models.
"""
