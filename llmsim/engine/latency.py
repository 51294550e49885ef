"""When tokens exist: arrival times drawn from a latency profile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from llmsim.engine.seeds import mix
from llmsim.exchange import Effort, Seconds
from llmsim.profiles import LatencyProfile

DRAWS = 1 << 16

# How much longer a reasoning model's first token takes when it thinks harder. Medium is what
# the presets were given for; the others are our own, in the order the providers document.
EFFORT: dict[Effort, float] = {
    "none": 0.4,
    "minimal": 0.5,
    "low": 0.75,
    "medium": 1.0,
    "high": 1.75,
    "xhigh": 2.5,
}


class Draws(NamedTuple):
    """A profile's draws, made once: ``ttft`` shape (DRAWS,), ``gaps`` their running sum from 0,
    shape (DRAWS + 1,), ``reached`` the same for reading single values quickly."""

    ttft: Sequence[float]
    gaps: Seconds
    reached: Sequence[float]


def arrivals(profile: LatencyProfile, tokens: int, seed: int, scale: float = 1.0) -> Seconds:
    """Seconds after arrival at which each token exists, shape (tokens,), non-decreasing.

    The first is the time to first token times ``scale``; the gaps are a stretch of the
    profile's draws that begins where the seed says.
    """
    draws, start, first = _drawn(profile, seed, scale)
    if start + tokens <= DRAWS:
        return draws.gaps[start : start + tokens] + (first - draws.reached[start])
    rounds, place = np.divmod(np.arange(start, start + tokens), DRAWS)
    times: Seconds = draws.gaps[place] + rounds * draws.reached[DRAWS]
    return times + (first - draws.reached[start])


def span(
    profile: LatencyProfile, tokens: int, seed: int, scale: float = 1.0
) -> tuple[float, float]:
    """The first and the last of :func:`arrivals`, without the others."""
    draws, start, first = _drawn(profile, seed, scale)
    rounds, last = divmod(start + max(tokens, 1) - 1, DRAWS)
    reached = draws.reached
    return first, first + reached[last] + rounds * reached[DRAWS] - reached[start]


def _drawn(profile: LatencyProfile, seed: int, scale: float) -> tuple[Draws, int, float]:
    """The draws, where this seed's stretch of gaps begins, and its time to first token."""
    draws = draws_of(profile)
    drawn = mix(seed, 1)
    return draws, drawn % DRAWS, draws.ttft[(drawn >> 32) % DRAWS] * scale


@lru_cache(maxsize=64)
def draws_of(profile: LatencyProfile) -> Draws:
    """The draws of a profile, the same in every process."""
    generator = np.random.Generator(np.random.PCG64(20_240_607))
    ttft = _sample(generator, profile.ttft_mean, profile.ttft_std, profile.distribution)
    gaps = _sample(generator, profile.itl_mean, profile.itl_std, profile.distribution)
    reached = np.concatenate(([0.0], np.cumsum(gaps)))
    return Draws(memoryview(ttft), reached, memoryview(reached))


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
    drawn = generator.normal(mean, std, DRAWS)
    while (negative := np.flatnonzero(drawn < 0.0)).size:
        drawn[negative] = generator.normal(mean, std, negative.size)
    return drawn
