"""Chat completions: log probabilities (``types.chat.chat_completion_token_logprob``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from llmsim.exchange import Logprob, Text, TokenLogprobs


def spelled(entries: Sequence[TokenLogprobs]) -> bytes:
    """The ``logprobs`` of a choice: one entry a token; joined, their bytes are the text."""
    content = [
        {**_token(entry.said), "top_logprobs": [_token(other) for other in entry.top]}
        for entry in entries
    ]
    return orjson.dumps({"content": content, "refusal": None})


def by_piece(words: Text) -> Iterator[Sequence[TokenLogprobs]]:
    """The entries that belong to each piece of a text."""
    start = 0
    for end in words.ends:
        yield words.logprobs[start : end + 1]
        start = end + 1


def _token(said: Logprob) -> dict[str, Any]:
    return {
        "token": said.token.decode(errors="replace"),
        "logprob": said.logprob,
        "bytes": list(said.token),
    }
