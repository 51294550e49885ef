"""What a trace tells of lengths and times, as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmsim.recordings.traces.row import TraceRow

Values: TypeAlias = NDArray[np.float64]


class Observed(NamedTuple):
    """Samples of a trace, all of shape (samples,). Times are in seconds.

    ``ttft`` belongs to ``uncached`` (tokens of the prompt that no cache held) and
    ``ttft_in_flight`` (open requests at the arrival); ``itl`` (per token) to ``itl_in_flight``.
    Requests in flight are 0 where the trace does not say.
    """

    output_tokens: Values
    ttft: Values
    uncached: Values
    ttft_in_flight: Values
    itl: Values
    itl_in_flight: Values
    requests: int
    failed: int


def observed(rows: Iterable[TraceRow]) -> Observed:
    """The samples of these rows. A frame of several tokens counts as that many gaps, of the same
    length each: services send some tokens together."""
    lengths: list[float] = []
    first: list[tuple[float, float, float]] = []
    between: list[Values] = []
    in_flight: list[Values] = []
    requests = failed = 0
    for row in rows:
        requests += 1
        if row.failed:
            failed += 1
            continue
        if row.output_tokens:
            lengths.append(row.output_tokens)
        if row.ttft is not None:
            uncached = max(row.prompt_tokens - row.cached_tokens, 0)
            first.append((row.ttft, uncached, row.in_flight))
        gaps = _gaps(row)
        if gaps.size:
            between.append(gaps)
            in_flight.append(np.full(gaps.size, row.in_flight, dtype=np.float64))
    ttft = np.array(first, dtype=np.float64).reshape(-1, 3)
    empty = np.empty(0)
    return Observed(
        np.array(lengths, dtype=np.float64),
        ttft[:, 0],
        ttft[:, 1],
        ttft[:, 2],
        np.concatenate(between) if between else empty,
        np.concatenate(in_flight) if in_flight else empty,
        requests,
        failed,
    )


def halves(rows: Iterable[TraceRow]) -> tuple[list[TraceRow], list[TraceRow]]:
    """Every second row to fit, and the others to judge by."""
    fitted: list[TraceRow] = []
    judged: list[TraceRow] = []
    for place, row in enumerate(rows):
        (judged if place % 2 else fitted).append(row)
    return fitted, judged


def _gaps(row: TraceRow) -> Values:
    """The times between the row's tokens; their mean where only the whole is known."""
    gaps = np.array(row.gaps, dtype=np.float64)
    if gaps.size:
        if len(row.gap_tokens) != gaps.size:
            return gaps
        tokens = np.array(row.gap_tokens)
        return np.repeat(gaps / np.maximum(tokens, 1), tokens)
    if row.ttft is None or row.total is None or row.output_tokens < 2:
        return gaps
    mean = (row.total - row.ttft) / (row.output_tokens - 1)
    return np.array([mean]) if mean >= 0 else gaps
