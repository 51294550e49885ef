"""OpenAI's API: a folder for each endpoint of some size, a module for each small one.

Read in this order: ``provider`` (all of it as one value), ``errors`` (failures, response heads and
ids, shared by all endpoints), then ``chat``, ``responses``, ``completions`` and ``images``. The
small endpoints are ``embeddings``, ``moderations``, ``conversations`` and ``model_list``.
``inputs``, ``deltas``, ``lists`` and ``strict`` are shared by several endpoints; ``auth``,
``limits`` and ``error_messages`` are about API keys, rate limits and the texts of errors.
"""
