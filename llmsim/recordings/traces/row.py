"""One request of a trace: when it came, how long it and its answer were, how long that took."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class TraceError(ValueError):
    """A trace cannot be read; the message names the place."""


class TraceRow(Struct, frozen=True, kw_only=True):
    """One request.

    ``arrived`` and all other times are in seconds; ``arrived`` counts from whatever the trace
    counts from, a Unix time where it has dates. ``total`` and ``ttft`` count from the arrival.
    ``hidden_tokens`` of the output are reasoning that came in no frame. ``gaps`` are the times
    between frames after the first, ``gap_tokens`` the tokens of each of these (empty: one each).
    ``hash_ids`` name the blocks of ``block`` tokens that the prompt is made of: equal beginnings
    are shared prefixes. ``session`` joins the turns of a conversation and ``delay`` is the time
    from the answer of its last turn. ``messages`` and ``answer`` are what was said, where the trace
    has it. ``in_flight`` is how many requests were open at the arrival, 0 for unknown, and
    ``gap_in_flight`` how many at the end of each gap (empty: as many as then).
    """

    arrived: float
    model: str = ""
    prompt_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    hidden_tokens: int = 0
    ttft: float | None = None
    total: float | None = None
    gaps: tuple[float, ...] = ()
    gap_tokens: tuple[int, ...] = ()
    in_flight: int = 0
    gap_in_flight: tuple[int, ...] = ()
    session: str = ""
    delay: float | None = None
    hash_ids: tuple[int, ...] = ()
    block: int = 0
    messages: tuple[dict[str, Any], ...] = ()
    answer: str = ""
    finish_reason: str = ""
    failed: bool = False

    @property
    def frame_tokens(self) -> list[int]:
        """The tokens of each frame that has any: the first, and those after the gaps; all in one
        where no gaps are known."""
        if not self.gaps:
            return [self.output_tokens]
        return [1, *(self.gap_tokens or (1,) * len(self.gaps))]
