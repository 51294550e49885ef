"""Anthropic's API: the Messages API in ``messages``, and what surrounds it.

Read in this order: ``provider`` (all of it as one value), ``errors`` (failures, response heads and
ids), ``messages``. ``batches`` and ``model_list`` are the other endpoints, ``lists`` the pages
both answer with; ``auth``, ``limits`` and ``error_messages`` are about API keys, rate limits and
the texts of errors.
"""
