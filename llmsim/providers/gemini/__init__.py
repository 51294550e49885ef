"""Google's Gemini API.

Read in this order: ``provider`` (all of it as one value), ``calls`` (which call a path stands
for), ``errors`` (failures, response heads and ids), ``json_names`` (the two spellings of names),
``generate`` (content, plain and streamed). ``embeddings``, ``count_tokens`` and ``model_list`` are
the other endpoints; ``auth``, ``limits`` and ``error_messages`` are about API keys, rate limits
and the texts of errors.
"""
