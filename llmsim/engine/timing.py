"""When tokens exist: the formula of a latency profile, and the draws behind it.

    first token = work + ttft draw (+ one gap, where the profile steps)
    token k     = first token + the k - 1 gaps after it

``work`` is what follows from the request itself (:meth:`Draws.work`). The gaps are a stretch of a
running sum, so any token's time costs one look-up, however long the answer.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np

from llmsim.core import Indices, Seconds
from llmsim.core.catalog.profiles import LatencyProfile
from llmsim.engine import sampling
from llmsim.engine.sampling import DRAWS
from llmsim.engine.seeds import mix

KEPT = 64
"""Profiles whose draws are kept: 1.5 MiB each."""


class Draws(NamedTuple):
    """A profile's draws, made once, and its other times in seconds: ``ttft`` shape (DRAWS,),
    ``gaps`` their running sum from 0, shape (DRAWS + 1,), ``reached`` the same for reading single
    values quickly; ``longest`` the longest gap; ``steps`` 1 where a gap precedes the first token,
    else 0; ``instant`` if all is 0."""

    ttft: Sequence[float]
    gaps: Seconds
    reached: Sequence[float]
    longest: float
    accept: float
    prefill: float
    reasoning: float
    steps: int
    instant: bool

    @property
    def itl(self) -> float:
        """The mean gap."""
        return self.reached[DRAWS] / DRAWS

    def work(self, prompt: int, hidden: int) -> float:
        """What precedes the first token because of the request: being accepted, its ``prompt``
        tokens that no cache held, and its ``hidden`` reasoning tokens."""
        return self.accept + self.prefill * prompt + self.reasoning * hidden


class TokenClock(Protocol):
    """When each token of a completion exists, in seconds after arrival; tokens are numbered over
    all choices, one choice after another. ``first`` and ``last`` are of all choices, too;
    ``accept`` is when what needs no token can leave."""

    @property
    def accept(self) -> float: ...

    @property
    def first(self) -> float: ...

    @property
    def last(self) -> float: ...

    def at(self, tokens: Indices, /) -> Seconds:
        """When these tokens exist: a few at a time are asked for, as they are sent."""
        ...

    def row(self, start: int, stop: int, /) -> Seconds:
        """The same of tokens ``start`` to ``stop`` (exclusive)."""
        ...


class TokenArrivals:
    """When each of ``tokens`` tokens of one choice exists, never decreasing.

    The first is ``work``, and the drawn time to first token times ``scale``; the gaps are a stretch
    of the profile's draws that begins where the seed says.
    """

    __slots__ = ("_gaps", "_round", "_shift", "_start", "_wraps", "accept", "first", "last")

    def __init__(
        self, draws: Draws, tokens: int, seed: int, scale: float = 1.0, work: float = 0.0
    ) -> None:
        start, first = _begun(draws, seed, scale)
        reached = draws.reached
        self._gaps = draws.gaps
        self._shift = work + first - reached[start]
        self._start = start = start + draws.steps
        self._wraps = start + tokens > DRAWS
        self._round = reached[DRAWS]
        rounds, end = divmod(start + tokens - 1, DRAWS)
        self.accept = draws.accept
        self.first = reached[start] + self._shift
        self.last = reached[end] + rounds * self._round + self._shift

    def at(self, tokens: Indices) -> Seconds:
        index = tokens + self._start
        if not self._wraps:
            return self._gaps[index] + self._shift
        rounds, index = np.divmod(index, DRAWS)
        times: Seconds = self._gaps[index] + rounds * self._round
        return times + self._shift

    def row(self, start: int, stop: int) -> Seconds:
        if self._wraps:
            return self.at(np.arange(start, stop))
        return self._gaps[self._start + start : self._start + stop] + self._shift


class ChoiceClocks:
    """The clocks of several choices, which begin together; ``counts`` is how many tokens each
    has."""

    __slots__ = ("_clocks", "_counts", "_starts", "accept", "first", "last")

    def __init__(self, clocks: Sequence[TokenClock], counts: Sequence[int]) -> None:
        self._clocks = clocks
        self._counts = counts
        self._starts = [0, *accumulate(counts[:-1])]
        self.accept = clocks[0].accept
        self.first = min(clock.first for clock in clocks)
        self.last = max(clock.last for clock in clocks)

    def at(self, tokens: Indices) -> Seconds:
        choices = np.searchsorted(self._starts, tokens, "right") - 1
        times = np.empty(len(tokens))
        for choice in set(choices.tolist()):
            mine = choices == choice
            times[mine] = self._clocks[choice].at(tokens[mine] - self._starts[choice])
        return times

    def row(self, start: int, stop: int) -> Seconds:
        choice = bisect_right(self._starts, start) - 1
        first, end = self._starts[choice], self._starts[choice] + self._counts[choice]
        if stop > end:
            return self.at(np.arange(start, stop))
        return self._clocks[choice].row(start - first, stop - first)


class PacedClock:
    """A clock after ``waited`` seconds, with factors on the time to first token and on what
    comes after it."""

    __slots__ = ("_begins", "_clock", "_pace", "accept", "first", "last")

    def __init__(self, clock: TokenClock, waited: float, delay: float, pace: float) -> None:
        self._clock = clock
        self._begins = waited + clock.first * delay
        self._pace = pace
        self.accept = waited + clock.accept * delay
        self.first = self._paced(clock.first)
        self.last = self._paced(clock.last)

    def at(self, tokens: Indices) -> Seconds:
        return self._begins + (self._clock.at(tokens) - self._clock.first) * self._pace

    def row(self, start: int, stop: int) -> Seconds:
        return self._begins + (self._clock.row(start, stop) - self._clock.first) * self._pace

    def _paced(self, time: float) -> float:
        return self._begins + (time - self._clock.first) * self._pace


def span(
    draws: Draws, tokens: int, seed: int, scale: float = 1.0, work: float = 0.0
) -> tuple[float, float]:
    """The first and the last of :class:`TokenArrivals`, for answers that are not streamed."""
    if draws.instant:
        return 0.0, 0.0
    start, first = _begun(draws, seed, scale)
    reached = draws.reached
    begin = start + draws.steps
    rounds, last = divmod(begin + max(tokens, 1) - 1, DRAWS)
    shift = first + work - reached[start]
    return shift + reached[begin], shift + reached[last] + rounds * reached[DRAWS]


def _begun(draws: Draws, seed: int, scale: float) -> tuple[int, float]:
    """Where this seed's stretch of gaps begins, and its time to first token."""
    mixed = mix(seed, 1)
    return mixed % DRAWS, draws.ttft[(mixed >> 32) % DRAWS] * scale


_made: dict[LatencyProfile, Draws] = {}
_making = threading.Lock()


def drawn(profile: LatencyProfile) -> bool:
    """Whether :func:`draws_of` would answer at once."""
    return profile in _made


def draws_of(profile: LatencyProfile) -> Draws:
    """The draws of a profile, the same in every process: 2 to 20 ms for one that is not kept."""
    made = _made.get(profile)
    if made is None:
        made = _draws(profile)
        with _making:
            if len(_made) >= KEPT:
                del _made[next(iter(_made))]
            made = _made.setdefault(profile, made)
    return made


def _draws(profile: LatencyProfile) -> Draws:
    ttft, gaps = sampling.table(profile.ttft), sampling.table(profile.itl)
    reached = np.concatenate(([0.0], np.cumsum(gaps)))
    reasoning = profile.reasoning
    if reasoning is None:
        reasoning = float(reached[DRAWS]) / DRAWS
    work = (profile.accept, profile.prefill, reasoning)
    return Draws(
        ttft.data,
        reached,
        reached.data,
        float(gaps.max()),
        *work,
        int(profile.steps),
        not (ttft.any() or gaps.any() or any(work)),
    )
