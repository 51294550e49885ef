"""When tokens exist: arrival times drawn from a latency profile."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np

from llmsim.core import Indices, Seconds
from llmsim.core.catalog.profiles import LatencyProfile
from llmsim.engine.seeds import mix

DRAWS = 1 << 16
KEPT = 64
"""Profiles whose draws are kept: 1.5 MiB each."""


class Draws(NamedTuple):
    """A profile's draws, made once: ``ttft`` shape (DRAWS,), ``gaps`` their running sum from 0,
    shape (DRAWS + 1,), ``reached`` the same for reading single values quickly;
    ``instant`` if all are 0."""

    ttft: Sequence[float]
    gaps: Seconds
    reached: Sequence[float]
    instant: bool


class TokenClock(Protocol):
    """When each token of a completion exists, in seconds after arrival; tokens are numbered over
    all choices, one choice after another. ``first`` and ``last`` are of all choices, too."""

    @property
    def first(self) -> float: ...

    @property
    def last(self) -> float: ...

    def at(self, tokens: Indices, /) -> Seconds:
        """When these tokens exist: a few at a time are asked for, as they are sent."""
        ...


class TokenArrivals:
    """When each of ``tokens`` tokens of one choice exists, never decreasing.

    The first is the time to first token times ``scale``; the gaps are a stretch of the
    profile's draws that begins where the seed says.
    """

    __slots__ = ("_gaps", "_round", "_shift", "_start", "_wraps", "first", "last")

    def __init__(self, draws: Draws, tokens: int, seed: int, scale: float = 1.0) -> None:
        start, first = _begun(draws, seed, scale)
        reached = draws.reached
        self._gaps = draws.gaps
        self._start = start
        self._shift = first - reached[start]
        self._wraps = start + tokens > DRAWS
        self._round = reached[DRAWS]
        rounds, end = divmod(start + tokens - 1, DRAWS)
        self.first = reached[start] + self._shift
        self.last = reached[end] + rounds * self._round + self._shift

    def at(self, tokens: Indices) -> Seconds:
        index = tokens + self._start
        if not self._wraps:
            return self._gaps[index] + self._shift
        rounds, index = np.divmod(index, DRAWS)
        times: Seconds = self._gaps[index] + rounds * self._round
        return times + self._shift


class ChoiceClocks:
    """The clocks of several choices, which begin together; ``counts`` is how many tokens each
    has."""

    __slots__ = ("_clocks", "_starts", "first", "last")

    def __init__(self, clocks: Sequence[TokenClock], counts: Sequence[int]) -> None:
        self._clocks = clocks
        self._starts = np.array([0, *accumulate(counts[:-1])])
        self.first = min(clock.first for clock in clocks)
        self.last = max(clock.last for clock in clocks)

    def at(self, tokens: Indices) -> Seconds:
        choices = np.searchsorted(self._starts, tokens, "right") - 1
        times = np.empty(len(tokens))
        for choice in set(choices.tolist()):
            mine = choices == choice
            times[mine] = self._clocks[choice].at(tokens[mine] - self._starts[choice])
        return times


class PacedClock:
    """A clock after ``waited`` seconds, with factors on the time to first token and on what
    comes after it."""

    __slots__ = ("_begins", "_clock", "_pace", "first", "last")

    def __init__(self, clock: TokenClock, waited: float, delay: float, pace: float) -> None:
        self._clock = clock
        self._begins = waited + clock.first * delay
        self._pace = pace
        self.first = self._paced(clock.first)
        self.last = self._paced(clock.last)

    def at(self, tokens: Indices) -> Seconds:
        return self._begins + (self._clock.at(tokens) - self._clock.first) * self._pace

    def _paced(self, time: float) -> float:
        return self._begins + (time - self._clock.first) * self._pace


def span(draws: Draws, tokens: int, seed: int, scale: float = 1.0) -> tuple[float, float]:
    """The first and the last of :class:`TokenArrivals`, for answers that are not streamed."""
    if draws.instant:
        return 0.0, 0.0
    start, first = _begun(draws, seed, scale)
    rounds, last = divmod(start + max(tokens, 1) - 1, DRAWS)
    reached = draws.reached
    return first, first + (reached[last] + rounds * reached[DRAWS] - reached[start])


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
    generator = np.random.Generator(np.random.PCG64(20_240_607))
    ttft = _sample(generator, profile.ttft_mean, profile.ttft_std, profile.distribution)
    gaps = _sample(generator, profile.itl_mean, profile.itl_std, profile.distribution)
    reached = np.concatenate(([0.0], np.cumsum(gaps)))
    instant = not (ttft.any() or gaps.any())
    return Draws(ttft.data, reached, reached.data, instant)


def _sample(generator: np.random.Generator, mean: float, std: float, distribution: str) -> Seconds:
    """DRAWS numbers ≥ 0 with that mean and standard deviation.

    ``normal`` is truncated at 0 by drawing again, so its mean is a little over ``mean`` where
    ``std`` is not small beside it. ``lognormal`` takes mean and deviation of the variable
    itself, not of its logarithm: σ² = ln(1 + std²/mean²), μ = ln(mean) − σ²/2.
    """
    if std == 0.0 or (mean == 0.0 and distribution == "lognormal"):
        return np.full(DRAWS, mean)
    if distribution == "lognormal":
        variance = math.log1p((std / mean) ** 2)
        return generator.lognormal(math.log(mean) - variance / 2, math.sqrt(variance), DRAWS)
    sample = generator.normal(mean, std, DRAWS)
    while (negative := np.flatnonzero(sample < 0.0)).size:
        sample[negative] = generator.normal(mean, std, negative.size)
    return sample
