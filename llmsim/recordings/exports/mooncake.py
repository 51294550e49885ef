"""Recordings as a Mooncake trace: arrivals, lengths, and which blocks of prompts are the same.

https://github.com/kvcache-ai/Mooncake; ``hash_ids`` name blocks of 512 tokens, each with all before
it, so equal prefixes have equal ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from llmsim.recordings.matching.canonical import canonical
from llmsim.recordings.recording import Recording
from llmsim.recordings.rows import row

BLOCK: Final = 512


def mooncake(recordings: Iterable[Recording]) -> Iterator[str]:
    """One JSON object a line, in the order of arrival, times from the first."""
    known: dict[str, int] = {}
    ordered = sorted(recordings, key=lambda one: one.arrived)
    for one in ordered:
        seen = row(one)
        line = {
            "timestamp": round((one.arrived - ordered[0].arrived) * 1e3),
            "input_length": seen.prompt_tokens,
            "output_length": seen.output_tokens,
            "hash_ids": _blocks(one, seen.prompt_tokens, known),
        }
        yield json.dumps(line) + "\n"


def _blocks(one: Recording, tokens: int, known: dict[str, int]) -> list[int]:
    """The prompt cut into as many parts as it has blocks, by characters: where prompts begin the
    same, so do their parts."""
    reduced = canonical("", "", "", one.request.body.content)
    text = json.dumps(list(reduced.values()), ensure_ascii=False)
    count = -(-tokens // BLOCK)
    size = max(round(len(text) * BLOCK / tokens), 1) if tokens else 0
    prefixes = (f"{size}:{text[: size * (place + 1)]}" for place in range(count))
    return [known.setdefault(prefix, len(known)) for prefix in prefixes]
