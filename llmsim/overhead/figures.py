"""Percentiles, and how sure they are."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

AT: Final = (0.5, 0.9, 0.99)
DRAWS: Final = 300
CONFIDENCE: Final = 0.95


class Percentiles(msgspec.Struct, frozen=True, omit_defaults=True):
    """Three percentiles; ``ci`` has the 95 % confidence interval of each, low and high."""

    p50: float
    p90: float
    p99: float
    ci: dict[str, tuple[float, float]] | None = None

    def at(self, name: str) -> float:
        found: float = getattr(self, name)
        return found


def percentiles(values: Values, seed: int = 0) -> Percentiles | None:
    """Percentiles of values with their intervals; None without values."""
    if not values.size:
        return None
    return _figure(_quantiles(values), np.array(_resampled(values, seed)))


def difference(through: Values, direct: Values, seed: int = 0) -> Percentiles | None:
    """By how much the percentiles of one sample are above those of the other; the intervals are of
    the difference. None if either is empty."""
    if not through.size or not direct.size:
        return None
    drawn = np.array(_resampled(through, seed)) - np.array(_resampled(direct, seed + 1))
    return _figure(_quantiles(through) - _quantiles(direct), drawn)


def _quantiles(values: Values) -> Values:
    return np.quantile(values, AT)


def _resampled(values: Values, seed: int) -> list[Values]:
    """Percentiles of samples drawn from the values, in blocks: what disturbs a machine disturbs
    requests that follow each other alike, and single draws would make the intervals too narrow.
    Blocks of n^(1/3) on a circle (Politis and Romano 1992)."""
    size = values.size
    block = max(round(size ** (1 / 3)), 1)
    random: Any = np.random.default_rng(seed)
    steps = np.arange(block)
    found = []
    for _ in range(DRAWS):
        starts = random.integers(0, size, -(-size // block))
        at = (starts[:, None] + steps).reshape(-1)[:size] % size
        found.append(_quantiles(values[at]))
    return found


def _figure(at: Values, drawn: Values) -> Percentiles:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail), axis=0)
    p50, p90, p99 = (round(float(one), 4) for one in at)
    names = ("p50", "p90", "p99")
    ci = {
        name: (round(float(a), 4), round(float(b), 4))
        for name, a, b in zip(names, low, high, strict=True)
    }
    return Percentiles(p50, p90, p99, ci)
