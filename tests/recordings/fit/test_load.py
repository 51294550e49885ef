"""Time between tokens against requests in flight."""

import numpy as np
import pytest

from llmsim.recordings.fit.load import LoadFit, Unidentified, load
from llmsim.recordings.fit.observed import Values

ALPHA, BETA = 0.00697, 0.000027


def sampled(most: int, levels: int, noise: float = 0.02) -> tuple[Values, Values]:
    random = np.random.default_rng(3)
    in_flight = random.integers(1, levels + 1, 20_000).astype(np.float64)
    step = ALPHA + BETA * np.minimum(in_flight, most)
    return in_flight, step * random.lognormal(0.0, noise, in_flight.size)


@pytest.mark.parametrize(("most", "levels", "expected"), [(1000, 64, None), (64, 128, 64)])
def test_the_step_clock_is_found_again(most: int, levels: int, expected: int | None) -> None:
    in_flight, itl = sampled(most, levels)
    found = load(in_flight[::2], itl[::2], in_flight[1::2], itl[1::2])
    assert isinstance(found, LoadFit)
    assert found.base == pytest.approx(ALPHA, rel=0.05)
    assert found.per_sequence == pytest.approx(BETA, rel=0.05)
    assert found.error < 0.01
    if expected is None:
        assert found.max_sequences is None
    else:
        assert found.max_sequences == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("in_flight", "problem"),
    [(np.zeros(5000), "did not vary: 0 levels"), (np.full(5000, 7.0), "did not vary: 1 levels")],
)
def test_load_that_does_not_vary(in_flight: Values, problem: str) -> None:
    itl = np.full(in_flight.size, 0.01)
    found = load(in_flight, itl, in_flight, itl)
    assert isinstance(found, Unidentified)
    assert problem in found.problem


def test_times_that_do_not_follow() -> None:
    in_flight, _ = sampled(64, 64)
    itl = np.random.default_rng(5).gamma(4.0, 0.002, in_flight.size)
    assert isinstance(load(in_flight[::2], itl[::2], in_flight[1::2], itl[1::2]), Unidentified)
