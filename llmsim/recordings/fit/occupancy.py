"""Who was answered when: how many sequences decoded, and whose prompts were prefilled meanwhile.

A trace says when each request came, had its first token, and ended. Together they say what the
engine had to do at any time, which one request alone does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import numpy as np

from llmsim.recordings.fit.observed import Values
from llmsim.recordings.traces.row import TraceRow

INSTANT: Final = 1e-6
"""Seconds before something, when it has not happened yet."""

StepTime = Callable[[Values], Values]
"""The seconds of a step with so many sequences decoding."""


class PromptCost(NamedTuple):
    """What prefill takes: ``per_token`` in seconds, of at most ``budget`` tokens in a step."""

    per_token: float
    budget: int

    def steps(self, tokens: Values) -> Values:
        """In how many steps so many tokens are prefilled."""
        return np.maximum(np.ceil(tokens / self.budget), 1.0)


class Occupancy:
    """What all requests of a trace did, by its clock. Arrays are of shape (times,)."""

    def __init__(self, rows: Iterable[TraceRow]) -> None:
        found = [one for one in map(_span, rows) if one is not None]
        spans = np.array(found, dtype=np.float64).reshape(-1, 5)
        spans = spans[np.argsort(spans[:, 1])]
        self._firsts, self._tokens = spans[:, 1], spans[:, 4]
        self._arrivals, self._lasts, self._ends = (np.sort(spans[:, at]) for at in (0, 2, 3))

    def open(self, at: Values) -> Values:
        """How many requests had come and not ended."""
        return _between(self._arrivals, self._ends, at)

    def decoding(self, at: Values) -> Values:
        """How many had their first token and not their last."""
        return _between(self._firsts, self._lasts, at)

    def prefilled(self, cost: PromptCost, step: StepTime) -> Callable[[Values], Values]:
        """The tokens of prompts that had been prefilled until any time.

        The steps in which a prompt was prefilled end with its first token. They took as long as
        steps with those who decoded do, and what its tokens took; it is spread evenly over them.
        """
        if not self._firsts.size:
            return np.zeros_like
        others = self.decoding(self._firsts - INSTANT)
        lasted = cost.per_token * self._tokens + cost.steps(self._tokens) * step(others)
        rate = self._tokens / np.maximum(lasted, INSTANT)
        rates = np.concatenate([rate, -rate])
        times = np.concatenate([self._firsts - lasted, self._firsts])
        order = np.argsort(times, kind="stable")
        times, rates = times[order], np.cumsum(rates[order])
        until = np.concatenate([[0.0], np.cumsum(rates[:-1] * np.diff(times))])
        return lambda at: np.interp(at, times, until)


def _between(begins: Values, ends: Values, at: Values) -> Values:
    begun = np.searchsorted(begins, at, "right")
    return (begun - np.searchsorted(ends, at, "right")).astype(np.float64)


def _span(row: TraceRow) -> tuple[float, ...] | None:
    """Arrival, first token, last token, end, and tokens to prefill; None where no end is known. An
    answer that was not streamed is as if it decoded all the time."""
    first = 0.0 if row.ttft is None else row.ttft
    last = row.total if row.ttft is None or not row.gaps else first + sum(row.gaps)
    if last is None:
        return None
    # What is not streamed does not say when it was prefilled.
    tokens = 0 if row.ttft is None else max(row.prompt_tokens - row.cached_tokens, 0)
    ended = max(last, row.total or 0.0)
    times = (0.0, min(first, last), last, ended)
    return (*(row.arrived + at for at in times), tokens)
