"""How a quantity that differs from one request, or one token, to the next is distributed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal, TypeAlias, get_args

Moments: TypeAlias = Literal["normal", "lognormal", "gamma"]
"""The kinds that a mean and a standard deviation decide."""

MOMENTS: Final[tuple[Moments, ...]] = get_args(Moments)

Kind: TypeAlias = Literal["normal", "lognormal", "gamma", "empirical", "percentiles"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

SHARES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
"""The percentiles that can be set, and the share of values that is below each."""

FEWEST: Final = 2
"""Two percentiles, or two quantiles of a recording, are the least that say how values spread."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution of numbers that are not negative, in whatever unit.

    ``mean`` and ``stddev`` decide three kinds: ``normal``, truncated at 0 by drawing again, so that
    its mean is a little over ``mean`` where the deviation is not small beside it; ``lognormal``,
    whose mean and deviation are those of the quantity itself, not of its logarithm; ``gamma``,
    with the shape (mean / stddev)² and the scale stddev² / mean.

    ``percentiles`` passes through each of :data:`SHARES` that is set: the logarithm of the
    quantity is a chain of straight lines over the standard normal score, the first and the last of
    which go on for ever. Two percentiles are therefore a lognormal.

    ``empirical`` has the ``quantiles`` of a recording, evenly spaced from its least value to its
    greatest, and straight lines between them.

    Raises ValueError for what is none of these.
    """

    mean: float = 0.0
    stddev: float = 0.0
    kind: Kind = "lognormal"
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    quantiles: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            valid = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
            raise ValueError(f"distribution must be {valid}, not {self.kind!r}")
        percentiles = [value for _, value in self.percentiles]
        for value in (self.mean, self.stddev, *percentiles, *self.quantiles):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"must be finite and not negative, not {value!r}")
        if self.kind in ("lognormal", "gamma") and self.mean == 0 and self.stddev > 0:
            raise ValueError(f"a {self.kind} with a deviation needs a mean above 0")
        if self.kind == "percentiles":
            if len(percentiles) < FEWEST:
                raise ValueError(f"needs at least two of {', '.join(SHARES)}")
            if 0 in percentiles:
                raise ValueError("percentiles must be above 0")
        _increasing("percentiles", percentiles)
        _increasing("quantiles", self.quantiles)
        if self.kind == "empirical" and len(self.quantiles) < FEWEST:
            raise ValueError("an empirical distribution needs at least two quantiles")

    @property
    def percentiles(self) -> tuple[tuple[float, float], ...]:
        """Pairs of a share and the value below which it is, as far as they are set."""
        found = ((share, getattr(self, name)) for name, share in SHARES.items())
        return tuple((share, value) for share, value in found if value is not None)

    @property
    def constant(self) -> bool:
        """Whether it has one value only, its mean."""
        return self.kind in MOMENTS and self.stddev == 0

    def varied(
        self, mean: float | None = None, stddev: float | None = None, kind: Kind | None = None
    ) -> Distribution:
        """The same with another mean, deviation or kind; None leaves one as it is."""
        return replace(
            self,
            mean=self.mean if mean is None else mean,
            stddev=self.stddev if stddev is None else stddev,
            kind=self.kind if kind is None else kind,
        )

    def converted(self, convert: Callable[[float], float]) -> Distribution:
        """The same in another unit."""

        def percentile(value: float | None) -> float | None:
            return None if value is None else convert(value)

        return Distribution(
            convert(self.mean),
            convert(self.stddev),
            self.kind,
            percentile(self.p50),
            percentile(self.p90),
            percentile(self.p95),
            percentile(self.p99),
            tuple(map(convert, self.quantiles)),
        )


def _increasing(what: str, values: tuple[float, ...] | list[float]) -> None:
    for low, high in pairwise(values):
        if high < low:
            raise ValueError(f"{what} must not decrease: {high:.12g} comes after {low:.12g}")


NOTHING: Final = Distribution()
"""0 every time."""
