"""Time between tokens against requests in flight."""

import numpy as np
import pytest

from llmsim.recordings.fit.load import LoadFit, Steps, Unidentified, load, most_sequences
from llmsim.recordings.fit.observed import Values
from llmsim.recordings.fit.prefill import Slope

ALPHA, BETA, GAMMA = 0.00697, 0.000027, 0.00002


def sampled(levels: int, noise: float = 0.02) -> Steps:
    random = np.random.default_rng(3)
    sequences = random.integers(1, levels + 1, 20_000).astype(np.float64)
    prefilled = np.where(random.random(20_000) < 0.2, random.exponential(100, 20_000), 0.0)
    step = ALPHA + BETA * sequences + GAMMA * prefilled
    return Steps(sequences, prefilled, step * random.lognormal(0.0, noise, sequences.size))


def halves(steps: Steps) -> tuple[Steps, Steps]:
    return Steps(*(one[::2] for one in steps)), Steps(*(one[1::2] for one in steps))


def test_the_step_clock_is_found_again() -> None:
    found = load(*halves(sampled(64)))
    assert isinstance(found, LoadFit)
    assert found.base == pytest.approx(ALPHA, rel=0.05)
    assert found.per_sequence == pytest.approx(BETA, rel=0.05)
    assert found.prefill.per_token == pytest.approx(GAMMA, rel=0.05)
    assert found.per_prefill_token == found.prefill.per_token
    assert 0.05 * GAMMA < found.prefill.uncertain < 0.06 * GAMMA
    surely = load(*halves(sampled(64)), Slope(2 * GAMMA, 0.0))
    assert isinstance(surely, LoadFit)
    assert surely.per_prefill_token == 2 * GAMMA
    assert found.error < 0.01
    assert found.step(np.array([64.0])) == pytest.approx(ALPHA + 64 * BETA, rel=0.01)
    assert dict(found.levels)[32] == pytest.approx(ALPHA + 32 * BETA, rel=0.05)


def test_nobody_was_prefilled() -> None:
    steps = sampled(64)
    none = Steps(steps.sequences, np.zeros_like(steps.itl), steps.itl)
    found = load(*halves(none))
    assert isinstance(found, LoadFit)
    assert found.prefill.uncertain == float("inf")


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
    ("sequences", "problem"),
    [(np.zeros(5000), "did not vary: 0 levels"), (np.full(5000, 7.0), "did not vary: 1 levels")],
)
def test_load_that_does_not_vary(sequences: Values, problem: str) -> None:
    steps = Steps(sequences, np.zeros(5000), np.full(5000, 0.01))
    found = load(steps, steps)
    assert isinstance(found, Unidentified)
    assert problem in found.problem


def test_times_that_do_not_follow() -> None:
    steps = sampled(64)
    itl = np.random.default_rng(5).gamma(4.0, 0.002, steps.itl.size)
    assert isinstance(load(*halves(steps._replace(itl=itl))), Unidentified)
