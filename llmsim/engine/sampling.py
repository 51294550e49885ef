"""Tables of draws: everything random about times and lengths is drawn once, and looked up after."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Final, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from llmsim.core.catalog.distribution import Distribution

DRAWS: Final = 1 << 16
KEPT: Final = 256
"""Tables that are kept: half a MiB each."""

LONGEST: Final = 1_000_000
"""Tokens of an answer."""

Table: TypeAlias = "NDArray[np.float64]"

_SEED: Final = 20_240_607

_made: dict[Distribution, Table] = {}
_making = threading.Lock()


def drawn(distribution: Distribution) -> bool:
    """Whether :func:`table` would answer at once."""
    return distribution in _made


def table(distribution: Distribution) -> Table:
    """Draws of a distribution, shape (DRAWS,), the same in every process: 1 to 10 ms for one that
    is not kept. Read-only."""
    made = _made.get(distribution)
    if made is None:
        made = _draws(distribution, np.random.Generator(np.random.PCG64(_SEED)))
        made.flags.writeable = False
        with _making:
            if len(_made) >= KEPT:
                del _made[next(iter(_made))]
            made = _made.setdefault(distribution, made)
    return made


@lru_cache(maxsize=64)
def lengths(distribution: Distribution) -> Sequence[int]:
    """Draws of a number of tokens, each at least 1: 2 to 10 ms for those that are not kept."""
    whole = np.clip(np.rint(table(distribution)), 1, LONGEST).astype(np.int64)
    return whole.data


def _draws(distribution: Distribution, generator: np.random.Generator) -> Table:
    mean, stddev = distribution.mean, distribution.stddev
    match distribution.kind:
        case "empirical":
            return _empirical(distribution, generator)
        case "percentiles":
            return _percentiles(distribution, generator)
        case "normal" | "lognormal" | "gamma" if stddev == 0.0:
            return np.full(DRAWS, mean)
        case "normal":
            return _truncated(mean, stddev, generator)
        case "lognormal":
            variance = math.log1p((stddev / mean) ** 2)
            return generator.lognormal(math.log(mean) - variance / 2, math.sqrt(variance), DRAWS)
        case "gamma":
            return generator.gamma((mean / stddev) ** 2, stddev * stddev / mean, DRAWS)
        case _:
            assert_never(distribution.kind)


def _truncated(mean: float, stddev: float, generator: np.random.Generator) -> Table:
    sample = generator.normal(mean, stddev, DRAWS)
    while (negative := np.flatnonzero(sample < 0.0)).size:
        sample[negative] = generator.normal(mean, stddev, negative.size)
    return sample


def _empirical(distribution: Distribution, generator: np.random.Generator) -> Table:
    """The quantile function, straight between the quantiles, of uniform numbers."""
    shares = np.linspace(0.0, 1.0, len(distribution.quantiles))
    return np.interp(generator.random(DRAWS), shares, distribution.quantiles)


def _percentiles(distribution: Distribution, generator: np.random.Generator) -> Table:
    """exp of a chain of straight lines through the logarithms of the percentiles, over standard
    normal scores; the outermost lines go on."""
    shares, values = zip(*distribution.percentiles, strict=True)
    scores = np.array(list(map(NormalDist().inv_cdf, shares)))
    logs = np.log(values)
    slopes = np.diff(logs) / np.diff(scores)
    drawn = generator.standard_normal(DRAWS)
    sample = np.interp(drawn, scores, logs)
    below, above = drawn < scores[0], drawn > scores[-1]
    sample[below] = logs[0] + slopes[0] * (drawn[below] - scores[0])
    sample[above] = logs[-1] + slopes[-1] * (drawn[above] - scores[-1])
    return np.exp(sample)
