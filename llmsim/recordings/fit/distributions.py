"""The distribution that describes samples best.

Candidates are those that ``latency`` has. Each is fitted to one half; the likelihood of the other
half decides, and what is as likely within :data:`AS_GOOD` is decided by simplicity, in the order of
:data:`KINDS`: an empirical distribution repeats its samples, so it only stands where no formula
comes near. How well it fits is said by the Kolmogorov-Smirnov distance and by the error of its
percentiles, both on the half that was not fitted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from llmsim.recordings.fit.observed import Values

KINDS: Final = ("normal", "lognormal", "gamma", "empirical")
PERCENTILES: Final = (50, 95, 99)
LEAST: Final = 20
"""Samples that are needed on each half."""

AS_GOOD: Final = 0.005
"""Log-likelihood a sample by which a kind may fall behind the best and still be as good."""

SMALLEST: Final = 1e-6
"""Seconds below which a time counts as that: logarithms need times above 0."""

QUANTILES: Final = 101
"""Quantiles of an empirical distribution: 0 to 100 %."""

POOR: Final = 0.03
"""The KS distance from which no formula is said to describe the samples."""


CONSTANT: Final = 1e-6
"""The deviation, beside the mean, below which samples are all the same."""


class Fitted(NamedTuple):
    """A distribution with its parameters.

    ``mean`` and ``std`` are those of the variable itself. ``quantiles`` are the percentiles from
    0 to 100 of an empirical one. ``ks`` is the largest distance of its distribution function from
    that of the samples it was not fitted to, ``errors`` are the relative errors of its
    percentiles 50, 95 and 99 there, ``likelihood`` is the mean log-likelihood.
    """

    kind: str
    mean: float
    std: float
    quantiles: tuple[float, ...]
    ks: float
    errors: dict[int, float]
    likelihood: float
    percentile: Callable[[Values], Values]


def best(fitted: Values, judged: Values) -> Fitted | None:
    """The best distribution for samples in two halves; None where there are too few."""
    if min(fitted.size, judged.size) < LEAST:
        return None
    if fitted.std() <= CONSTANT * fitted.mean():
        return _always(float(fitted.mean()), judged)
    every = [candidate(kind, fitted, judged) for kind in KINDS]
    formulas = every[:-1]
    likeliest = max(one.likelihood for one in formulas)
    chosen = next(one for one in formulas if one.likelihood >= likeliest - AS_GOOD)
    return every[-1] if chosen.ks > POOR and every[-1].ks < chosen.ks / 2 else chosen


def candidate(kind: str, fitted: Values, judged: Values) -> Fitted:
    """A distribution of one kind, fitted to some samples and judged by others."""
    if kind == "empirical":
        quantiles = np.quantile(fitted, np.linspace(0, 1, QUANTILES))
        return _judged(kind, fitted, judged, _Empirical(quantiles), quantiles)
    frozen = _frozen(kind, np.maximum(fitted, SMALLEST))
    return _judged(kind, fitted, judged, frozen, np.empty(0))


def _frozen(kind: str, samples: Values) -> Any:
    from scipy import stats  # noqa: PLC0415  an extra of those who fit

    if kind == "lognormal":
        logarithms = np.log(samples)
        return stats.lognorm(max(float(logarithms.std()), 1e-9), scale=np.exp(logarithms.mean()))
    if kind == "gamma":
        shape, _, scale = stats.gamma.fit(samples, floc=0)
        return stats.gamma(shape, scale=scale)
    mean, std = untruncated(float(samples.mean()), max(float(samples.std()), 1e-9))
    return stats.truncnorm(-mean / std, np.inf, loc=mean, scale=std)


def untruncated(mean: float, std: float) -> tuple[float, float]:
    """Mean and deviation of the normal distribution which, truncated at 0, has these. Found by
    fixed-point iteration; where the samples are too skewed for any, the nearest."""
    from scipy import stats  # noqa: PLC0415

    location, scale = mean, std
    for _ in range(200):
        edge = -location / scale
        above = stats.norm.sf(edge)
        if edge > 2 or above < 1e-6:
            break
        hazard = stats.norm.pdf(edge) / above
        scale = std / float(np.sqrt(max(1 + edge * hazard - hazard**2, 1e-3)))
        location = mean - scale * hazard
    return location, scale


def _always(value: float, judged: Values) -> Fitted:
    """One value every time."""
    seen = np.quantile(judged, np.array(PERCENTILES) / 100)
    errors = map(float, np.abs(value - seen) / np.maximum(seen, SMALLEST))
    named = dict(zip(PERCENTILES, errors, strict=True))
    ks = float((np.abs(judged - value) > CONSTANT * max(value, SMALLEST)).mean())
    return Fitted("normal", value, 0.0, (), ks, named, 0.0, lambda at: np.full(at.shape, value))


class _Empirical(NamedTuple):
    """Quantiles at even steps, straight lines between them."""

    quantiles: Values

    def ppf(self, at: Values) -> Values:
        steps = np.linspace(0, 1, self.quantiles.size)
        return np.interp(at, steps, self.quantiles)

    def cdf(self, at: Values) -> Values:
        steps = np.linspace(0, 1, self.quantiles.size)
        return np.interp(at, self.quantiles, steps, left=0.0, right=1.0)

    def logpdf(self, at: Values) -> Values:
        widths = np.maximum(np.diff(self.quantiles), 1e-12)
        place = np.clip(np.searchsorted(self.quantiles, at) - 1, 0, widths.size - 1)
        inside = (at >= self.quantiles[0]) & (at <= self.quantiles[-1])
        density: Values = np.where(inside, 1 / widths.size / widths[place], 1e-12)
        return np.log(density)


def _judged(kind: str, fitted: Values, judged: Values, function: Any, quantiles: Values) -> Fitted:
    at = np.array(PERCENTILES) / 100
    seen, said = np.quantile(judged, at), function.ppf(at)
    errors = np.abs(said - seen) / np.maximum(seen, SMALLEST)
    likelihood = function.logpdf(np.maximum(judged, SMALLEST))
    mean, std = _moments(kind, fitted, function)
    return Fitted(
        kind,
        mean,
        std,
        tuple(map(float, quantiles)),
        distance(judged, function.cdf),
        dict(zip(PERCENTILES, map(float, errors), strict=True)),
        float(np.maximum(likelihood, -700.0).mean()),
        function.ppf,
    )


def _moments(kind: str, fitted: Values, function: Any) -> tuple[float, float]:
    """As the configuration means them: those of the normal distribution before it is truncated."""
    if kind == "normal":
        mean, std = untruncated(float(fitted.mean()), max(float(fitted.std()), 1e-9))
        return mean, std
    if kind == "empirical":
        return float(fitted.mean()), float(fitted.std())
    return float(function.mean()), float(function.std())


def distance(samples: Values, cdf: Callable[[Values], Values]) -> float:
    """The Kolmogorov-Smirnov distance of samples from a distribution function."""
    ordered = np.sort(samples)
    said = cdf(ordered)
    steps = np.arange(ordered.size + 1) / ordered.size
    return float(max((steps[1:] - said).max(), (said - steps[:-1]).max()))
