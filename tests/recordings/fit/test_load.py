"""Time between tokens against requests in flight."""

import numpy as np
import pytest

from llmsim.recordings.fit.load import LoadFit, Unidentified, load, most_sequences
from llmsim.recordings.fit.observed import Values

ALPHA, BETA = 0.00697, 0.000027


def sampled(levels: int, noise: float = 0.02) -> tuple[Values, Values]:
    random = np.random.default_rng(3)
    sequences = random.integers(1, levels + 1, 20_000).astype(np.float64)
    return sequences, (ALPHA + BETA * sequences) * random.lognormal(0.0, noise, sequences.size)


def test_the_line_is_found_again() -> None:
    sequences, itl = sampled(64)
    found = load(sequences[::2], itl[::2], sequences[1::2], itl[1::2])
    assert isinstance(found, LoadFit)
    assert found.base == pytest.approx(ALPHA, rel=0.05)
    assert found.per_sequence == pytest.approx(BETA, rel=0.05)
    assert found.error < 0.01
    assert found.step(np.array([64.0])) == pytest.approx(ALPHA + 64 * BETA, rel=0.01)


SEEN = np.repeat(np.arange(1.0, 17.0), 10)


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        (np.repeat([13.0, 15.0, 16.0], 30), 16),  # others are prefilled just then
        (np.r_[np.full(99, 16.0), 19.0, 2.0], 16),  # times are never exact
        (np.full(5, 16.0), None),  # too few
        (np.full(100, 9.0), None),  # more decoded at other times: they waited for something else
        (np.repeat([1.0, 5.0, 16.0], 30), None),  # nor when so many decode as rarely
    ],
)
def test_the_most_sequences(waiting: Values, expected: int | None) -> None:
    assert most_sequences(waiting, SEEN) == expected


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
    in_flight, _ = sampled(64)
    itl = np.random.default_rng(5).gamma(4.0, 0.002, in_flight.size)
    assert isinstance(load(in_flight[::2], itl[::2], in_flight[1::2], itl[1::2]), Unidentified)
