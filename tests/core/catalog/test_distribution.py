"""Distributions: what they need, and what is none."""

from __future__ import annotations

import math
from typing import Any

import pytest

from llmsim.core.catalog.distribution import Distribution


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"mean": -0.1}, "not negative"),
        ({"mean": 1, "stddev": math.nan}, "finite"),
        ({"kind": "uniform"}, "must be normal, lognormal, gamma, empirical or percentiles"),
        ({"stddev": 1}, "a lognormal with a deviation needs a mean above 0"),
        ({"stddev": 1, "kind": "gamma"}, "a gamma with a deviation needs a mean above 0"),
        ({"kind": "percentiles", "p50": 1}, "at least two of p50, p90, p95, p99"),
        ({"kind": "percentiles", "p50": 0, "p95": 1}, "above 0"),
        ({"kind": "percentiles", "p50": 2, "p99": 1}, "must not decrease: 1 comes after 2"),
        ({"kind": "empirical", "quantiles": (1.0,)}, "at least two quantiles"),
        ({"kind": "empirical", "quantiles": (1.0, 3.0, 2.0)}, "must not decrease: 2 comes after 3"),
    ],
)
def test_what_is_no_distribution(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Distribution(**values)


def test_those_at_the_edge() -> None:
    assert Distribution().constant
    assert Distribution(3.0).constant
    assert not Distribution(0.0, 1.0, "normal").constant
    assert not Distribution(kind="percentiles", p50=2, p99=2).constant
    Distribution(kind="empirical", quantiles=(0.0, 0.0))


def test_another_unit() -> None:
    before = Distribution(kind="percentiles", p50=2, p99=8)
    after = before.converted(lambda value: value / 4)
    assert after == Distribution(kind="percentiles", p50=0.5, p99=2.0)
    assert Distribution(2, 1).converted(lambda value: 3 * value) == Distribution(6, 3)
    recorded = Distribution(kind="empirical", quantiles=(1.0, 2.0))
    assert recorded.converted(lambda value: 2 * value).quantiles == (2.0, 4.0)
