"""Text in place of what a trace does not have: of the right length, and the same for the same rows.

Prompts of traces with ``hash_ids`` are put together of blocks, so that prompts which share blocks
in the trace share their beginnings here.
"""

from __future__ import annotations

from typing import Final

from llmsim.engine.seeds import mix
from llmsim.engine.text import pool
from llmsim.recordings.traces.row import TraceRow

POOL: Final = "lorem"
SPREAD: Final = 8192
"""Places of the pool at which texts begin."""


def words(tokens: int, seed: int) -> str:
    """A text of about ``tokens`` tokens."""
    if tokens <= 0:
        return ""
    start = mix(seed, 17) % SPREAD
    return pool(POOL).text(start, start + tokens)


def prompt(row: TraceRow, number: int) -> str:
    """A prompt as long as the row's; ``number`` makes those without blocks differ."""
    if not row.hash_ids or not row.block:
        return words(row.prompt_tokens, number)
    left = row.prompt_tokens
    parts = []
    for name in row.hash_ids:
        parts.append(words(min(row.block, left), name))
        left -= row.block
        if left <= 0:
            break
    if left > 0:
        parts.append(words(left, number))
    return " ".join(parts)


def pieces(row: TraceRow, number: int) -> list[str]:
    """What the row's answer says, a piece for each of its frames."""
    sizes = row.frame_tokens
    said = row.answer.split(" ") if row.answer else words(sum(sizes), number).split(" ")
    share = len(said) / max(sum(sizes), 1)
    made: list[str] = []
    begin, at = 0, 0.0
    for size in sizes:
        at += size * share
        end = len(said) if len(made) == len(sizes) - 1 else round(at)
        text = " ".join(said[begin:end])
        made.append(f" {text}" if begin and end > begin else text)
        begin = max(begin, end)
    return made
