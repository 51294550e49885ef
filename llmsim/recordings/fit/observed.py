"""What a trace tells of lengths and times, as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmsim.recordings.traces.row import TraceRow

Values: TypeAlias = NDArray[np.float64]


class FirstTokens(NamedTuple):
    """Of each streamed answer: when its request ``arrived`` by the trace's clock, the time to
    first token (``ttft``), the tokens of its prompt that no cache held (``uncached``), and how
    many requests were open, 0 where the trace does not say. ``hidden`` tokens were thought before
    it and not shown."""

    arrived: Values
    ttft: Values
    uncached: Values
    in_flight: Values
    hidden: Values


class Gaps(NamedTuple):
    """Between two tokens: the frame that the later one came in ``began`` at the end of the one
    before, by the trace's clock, took ``lasted`` and had so many ``tokens``."""

    began: Values
    lasted: Values
    tokens: Values
    in_flight: Values

    @property
    def middle(self) -> Values:
        """When half of it was over."""
        return self.began + self.lasted / 2

    @property
    def itl(self) -> Values:
        """The time for each token."""
        return self.lasted / self.tokens


class Observed(NamedTuple):
    """Samples of a trace, all arrays of shape (samples,). Times are in seconds; ``output_tokens``
    are those that were shown, evenly spread over what is rounded to them."""

    output_tokens: Values
    first: FirstTokens
    gaps: Gaps
    requests: int
    failed: int


def observed(rows: Iterable[TraceRow]) -> Observed:
    """The samples of these rows. A frame of several tokens counts as that many gaps, of the same
    length each: services send some tokens together."""
    lengths: list[float] = []
    first: list[tuple[float, ...]] = []
    between: list[Values] = [np.empty((0, 4))]
    requests = failed = 0
    for row in rows:
        requests += 1
        if row.failed:
            failed += 1
            continue
        if row.output_tokens > row.hidden_tokens:
            lengths.append(row.output_tokens - row.hidden_tokens)
        if row.ttft is not None:
            uncached = max(row.prompt_tokens - row.cached_tokens, 0)
            first.append((row.arrived, row.ttft, uncached, row.in_flight, row.hidden_tokens))
        between.append(_gaps(row))
    return Observed(
        spread(np.array(lengths, dtype=np.float64)),
        FirstTokens(*np.array(first, dtype=np.float64).reshape(-1, 5).T),
        Gaps(*np.concatenate(between).T),
        requests,
        failed,
    )


def spread(whole: Values) -> Values:
    """Whole numbers, evenly over what is rounded to each: distributions have no steps. As they are
    if they are all the same."""
    numbers, places, counts = np.unique(whole, return_inverse=True, return_counts=True)
    if numbers.size < 2:
        return whole
    begins = np.cumsum(counts) - counts
    order = np.argsort(places, kind="stable")
    rank = np.empty(whole.size)
    rank[order] = np.arange(whole.size) - begins[places[order]]
    return whole - 0.5 + (rank + 0.5) / counts[places]


def halves(rows: Iterable[TraceRow]) -> tuple[list[TraceRow], list[TraceRow]]:
    """Every second row to fit, and the others to judge by."""
    fitted: list[TraceRow] = []
    judged: list[TraceRow] = []
    for place, row in enumerate(rows):
        (judged if place % 2 else fitted).append(row)
    return fitted, judged


def _gaps(row: TraceRow) -> Values:
    """The row's gaps, a line for each: one for all where only the whole is known."""
    if row.gaps:
        lasted = np.array(row.gaps, dtype=np.float64)
        counts = np.ones(lasted.size, dtype=np.int64)
        if len(row.gap_tokens) == lasted.size:
            counts = np.array(row.gap_tokens, dtype=np.int64)
        in_flight = np.full(lasted.size, row.in_flight, dtype=np.float64)
        if len(row.gap_in_flight) == lasted.size:
            in_flight = np.array(row.gap_in_flight, dtype=np.float64)
        began = row.arrived + (row.ttft or 0.0) + np.cumsum(lasted) - lasted
        each = np.column_stack([began, lasted, np.maximum(counts, 1), in_flight])
        return np.repeat(each, counts, axis=0)
    shown = row.output_tokens - row.hidden_tokens
    if row.ttft is None or row.total is None or shown < 2 or row.total < row.ttft:
        return np.empty((0, 4))
    return np.array([[row.arrived + row.ttft, row.total - row.ttft, shown - 1, row.in_flight]])
