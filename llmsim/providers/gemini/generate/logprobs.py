"""Gemini: log probabilities of a candidate's tokens (``LogprobsResult`` of google-genai 3.4's
types)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from zlib import crc32

import orjson

from llmsim.core import GeneratedText, Logprob, TokenLogprobs
from llmsim.providers.wire import json_lists

VOCABULARY = 262_144  # Gemma's: Gemini's own is not public


def by_piece(generated: GeneratedText) -> list[Sequence[TokenLogprobs]]:
    """The entries that belong to each piece of a text."""
    starts = [0, *(end + 1 for end in generated.ends)]
    return [generated.logprobs[start:stop] for start, stop in pairwise(starts)]


def members(entries: Sequence[TokenLogprobs]) -> bytes:
    """The members ``avgLogprobs`` and ``logprobsResult`` of a candidate with these tokens."""
    total = sum(entry.sampled.logprob for entry in entries)
    return (
        b',"avgLogprobs":%b,"logprobsResult":{"chosenCandidates":%b,"topCandidates":%b,'
        b'"logProbabilitySum":%b}'
        % (
            orjson.dumps(total / len(entries)),
            json_lists.dumps(entries, lambda entry: _token(entry.sampled)),
            json_lists.dumps(entries, _top),
            orjson.dumps(total),
        )
    )


def _top(entry: TokenLogprobs) -> dict[str, Any]:
    return {"candidates": [_token(other) for other in entry.top]}


def _token(one: Logprob) -> dict[str, Any]:
    return {
        "token": one.token.decode(errors="replace"),
        "tokenId": crc32(one.token) % VOCABULARY,
        "logProbability": one.logprob,
    }
