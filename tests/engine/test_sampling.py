"""Tables of draws follow their distributions: Kolmogorov and Smirnov's test for every kind.

The draws are fixed, so these tests pass or fail once and for all. The largest distance between the
two distribution functions is below 1.63 / sqrt(n) in 99 of 100 tables of n draws.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest

from llmsim.core.catalog.distribution import SHARES, Distribution
from llmsim.engine.sampling import DRAWS, drawn, table

LARGEST = 1.63 / math.sqrt(DRAWS)
STANDARD = NormalDist()

Cumulative = Callable[[float], float]


def distance(distribution: Distribution, below: Cumulative) -> float:
    """The largest distance between the share of draws and the share of the theory below a value;
    looked at behind each hundredth draw, which misses at most 0.0016."""
    draws = np.sort(table(distribution))[::100]
    shares = np.arange(1, DRAWS + 1, 100) / DRAWS
    theory = np.array([below(float(value)) for value in draws])
    return float(np.max(np.abs(shares - theory)))


def truncated(mean: float, stddev: float) -> Cumulative:
    normal = NormalDist(mean, stddev)
    cut = normal.cdf(0.0)
    return lambda value: (normal.cdf(value) - cut) / (1 - cut)


def lognormal(mean: float, stddev: float) -> Cumulative:
    variance = math.log(1 + (stddev / mean) ** 2)
    log = NormalDist(math.log(mean) - variance / 2, math.sqrt(variance))
    return lambda value: log.cdf(math.log(value))


def erlang(shape: int, scale: float) -> Cumulative:
    """Of a gamma whose shape is a whole number."""

    def below(value: float) -> float:
        x = value / scale
        return 1 - sum(math.exp(-x) * x**k / math.factorial(k) for k in range(shape))

    return below


def chain(percentiles: dict[str, float]) -> Cumulative:
    """Straight lines in the logarithm over the normal score."""
    scores = [STANDARD.inv_cdf(SHARES[name]) for name in percentiles]
    logs = [math.log(value) for value in percentiles.values()]

    def below(value: float) -> float:
        log = math.log(value)
        place = max(1, min(len(logs) - 1, sum(one <= log for one in logs)))
        low, high = place - 1, place
        slope = (scores[high] - scores[low]) / (logs[high] - logs[low])
        return STANDARD.cdf(scores[low] + slope * (log - logs[low]))

    return below


def recorded(quantiles: tuple[float, ...]) -> Cumulative:
    shares = np.linspace(0, 1, len(quantiles))
    return lambda value: float(np.interp(value, quantiles, shares))


PERCENTILES: list[dict[str, float]] = [
    {"p50": 400, "p95": 900, "p99": 2500},
    {"p50": 7, "p95": 12},
    {"p50": 7, "p99": 30},
    {"p95": 12, "p99": 30},
    {"p50": 1, "p90": 2, "p95": 9, "p99": 10},
]
RECORDED = (2.0, 2.5, 2.6, 4.0, 9.0, 40.0)
KINDS = [
    (Distribution(0.4, 0.1, "normal"), truncated(0.4, 0.1)),
    (Distribution(0.4, 0.8, "normal"), truncated(0.4, 0.8)),
    (Distribution(0.4, 0.2), lognormal(0.4, 0.2)),
    (Distribution(3.0, 9.0), lognormal(3.0, 9.0)),
    (Distribution(2.0, 1.0, "gamma"), erlang(4, 0.5)),
    (Distribution(0.02, 0.02, "gamma"), erlang(1, 0.02)),
    (Distribution(kind="empirical", quantiles=RECORDED), recorded(RECORDED)),
    *((Distribution(kind="percentiles", **one), chain(one)) for one in PERCENTILES),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("distribution", "below"), KINDS)
def test_draws_are_distributed_as_they_should(
    distribution: Distribution, below: Cumulative
) -> None:
    assert distance(distribution, below) < LARGEST


def test_the_test_tells_kinds_apart() -> None:
    assert distance(Distribution(2.0, 1.0, "gamma"), lognormal(2.0, 1.0)) > 2 * LARGEST
    assert distance(Distribution(2.0, 1.0), truncated(2.0, 1.0)) > 2 * LARGEST
    assert distance(Distribution(2.0, 1.0), lognormal(2.05, 1.0)) > LARGEST


@pytest.mark.parametrize("percentiles", PERCENTILES)
def test_percentiles_are_met(percentiles: dict[str, float]) -> None:
    draws = table(Distribution(kind="percentiles", **percentiles))  # type: ignore[arg-type]
    for name, value in percentiles.items():
        share = SHARES[name]
        error = 4.5 * math.sqrt(share * (1 - share) / DRAWS)
        assert float(np.mean(draws <= value)) == pytest.approx(share, abs=error)


def test_two_percentiles_are_a_lognormal() -> None:
    sigma = math.log(12 / 7) / STANDARD.inv_cdf(0.95)
    mean = 7 * math.exp(sigma**2 / 2)
    theory = lognormal(mean, mean * math.sqrt(math.expm1(sigma**2)))
    assert distance(Distribution(kind="percentiles", p50=7, p95=12), theory) < LARGEST


def test_percentiles_that_are_the_same_are_one_value() -> None:
    assert set(table(Distribution(kind="percentiles", p50=2, p99=2))) == {2.0}


@pytest.mark.parametrize("distribution", [Distribution(3.0), Distribution()])
def test_without_deviation_there_is_one_value(distribution: Distribution) -> None:
    assert set(table(distribution)) == {distribution.mean}


def test_a_table_is_made_once_and_cannot_be_changed() -> None:
    one = Distribution(0.123, 0.321)
    assert not drawn(one)
    assert table(one) is table(Distribution(0.123, 0.321))
    assert drawn(one)
    with pytest.raises(ValueError, match="read-only"):
        table(one)[0] = 1.0


@pytest.mark.parametrize("kind", ["gamma", "percentiles"])
def test_draws_are_the_same_in_another_process(kind: str) -> None:
    written = {
        "gamma": "Distribution(2.0, 1.0, 'gamma')",
        "percentiles": "Distribution(kind='percentiles', p50=1, p99=9)",
    }[kind]
    code = (
        "from llmsim.engine.sampling import table;"
        "from llmsim.core.catalog.distribution import Distribution;"
        f"print(table({written})[:50].tobytes().hex())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = table(eval(written))
    assert said.stdout.strip() == here[:50].tobytes().hex()
