"""Percentiles and how sure they are."""

import numpy as np
import pytest

from llmsim.overhead.figures import difference, percentiles


def test_percentiles_are_those_of_the_values() -> None:
    found = percentiles(np.arange(101.0))
    assert found is not None
    assert (found.p50, found.p90, found.p99) == (50.0, 90.0, 99.0)


def test_nothing_has_no_percentiles() -> None:
    nothing = np.array([])
    assert percentiles(nothing) is None
    assert difference(nothing, np.ones(3)) is None
    assert difference(np.ones(3), nothing) is None


def test_a_shift_is_found_whatever_noise_both_have() -> None:
    random = np.random.default_rng(1)
    direct = random.lognormal(0, 0.3, 2000)
    found = difference(random.lognormal(0, 0.3, 2000) + 5.0, direct)
    assert found is not None
    assert found.ci is not None
    for name in ("p50", "p90"):
        low, high = found.ci[name]
        assert low <= found.at(name) <= high
        assert low <= 5.0 <= high
        assert high - low < 0.5


def test_fewer_values_are_less_sure() -> None:
    random = np.random.default_rng(1)
    widths = []
    for size in (50, 5000):
        found = percentiles(random.normal(0, 1, size))
        assert found is not None
        assert found.ci is not None
        widths.append(found.ci["p50"][1] - found.ci["p50"][0])
    assert widths[0] > 3 * widths[1]


def test_bursts_make_it_less_sure() -> None:
    """Neighbours that are slow together say less than as many that are slow apart."""
    bursts = np.where(np.arange(1000) % 100 < 50, 0.0, 1.0) + np.arange(1000) * 1e-6
    apart = np.random.default_rng(1).permutation(bursts)
    wide, narrow = percentiles(bursts, 3), percentiles(apart, 3)
    assert wide is not None
    assert narrow is not None
    assert wide.ci is not None
    assert narrow.ci is not None
    assert wide.ci["p50"][1] - wide.ci["p50"][0] >= narrow.ci["p50"][1] - narrow.ci["p50"][0]


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(1).normal(0, 1, 100)
    assert percentiles(values, 7) == percentiles(values, 7)
    assert percentiles(values, 7) != pytest.approx(percentiles(values, 8))
