"""Robust lines and planes."""

import numpy as np
import pytest

from llmsim.recordings.fit.regression import line, plane


def test_an_exact_line() -> None:
    x = np.arange(10.0)
    assert line(x, 3 + 2 * x)[:2] == pytest.approx((3, 2))


def test_an_exact_plane() -> None:
    x, z = np.arange(10.0), np.arange(10.0) ** 2
    found, errors = plane([np.ones(10), x, z], 3 + 2 * x + z)
    assert found == pytest.approx([3, 2, 1])
    assert errors == pytest.approx([0, 0, 0], abs=1e-6)


def test_a_plane_that_errs_in_proportion() -> None:
    """Skewed errors keep their mean, and outliers do not count."""
    random = np.random.default_rng(3)
    n, p = random.integers(1, 65, 20_000), random.exponential(50, 20_000)
    y = (7.0 + 0.1 * n + 0.02 * p) * random.gamma(9.0, 1 / 9, n.size)
    y[::100] *= 30
    found, errors = plane([np.ones(n.size), n.astype(float), p], y)
    assert found == pytest.approx([7.0, 0.1, 0.02], rel=0.05)
    assert (errors < 0.06 * found).all()


def test_a_column_of_nothing() -> None:
    x = np.arange(1.0, 10.0)
    found, _ = plane([np.ones(9), x, np.zeros(9)], 3 + 2 * x)
    assert found == pytest.approx([3, 2, 0])
