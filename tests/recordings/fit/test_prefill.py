"""Time to first token against the prompt."""

import numpy as np
import pytest

from llmsim.recordings.fit.observed import Values
from llmsim.recordings.fit.prefill import Slope, prefill


def points(slope: float, spread: float = 1.0, size: int = 2000) -> tuple[Values, Values]:
    random = np.random.default_rng(7)
    tokens = 1000 * random.lognormal(0.0, spread, size)
    return tokens, 0.2 + slope * tokens + random.gamma(4.0, 0.005, size) - 0.02


@pytest.mark.parametrize("slope", [2e-5, 5e-4])
def test_overhead_and_slope_are_found_again(slope: float) -> None:
    tokens, ttft = points(slope)
    ttft[::50] *= 20  # what a robust line must not follow
    found = prefill(tokens[::2], ttft[::2], tokens[1::2], ttft[1::2])
    assert found is not None
    assert found.per_token == pytest.approx(slope, rel=0.05)
    assert found.overhead == pytest.approx(0.2, rel=0.05)
    assert found.error < 0.1
    assert not found.problem
    assert np.median(found.residuals) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize(
    ("slope", "spread", "problem"),
    [(5e-4, 0.01, "all about as long"), (0.0, 1.0, "took no longer")],
)
def test_what_cannot_be_identified_is_said(slope: float, spread: float, problem: str) -> None:
    tokens, ttft = points(slope, spread)
    found = prefill(tokens[::2], ttft[::2], tokens[1::2], ttft[1::2])
    assert found is not None
    assert problem in found.problem
    assert found.per_token == 0.0
    assert found.overhead == pytest.approx(np.median(ttft), rel=0.02)


def test_too_few() -> None:
    assert prefill(np.ones(3), np.ones(3), np.ones(99), np.ones(99)) is None


def test_a_slope_that_is_known_better() -> None:
    tokens, ttft = points(1e-4, size=60)
    halves = (tokens[::2], ttft[::2], tokens[1::2], ttft[1::2])
    known = prefill(*halves, Slope(3e-4, 1e-9))
    assert known is not None
    assert known.per_token == 3e-4
    worse = prefill(*halves, Slope(3e-4, 1.0))
    assert worse is not None
    assert worse.per_token == pytest.approx(1e-4, rel=0.1)
    same = np.full(30, 100.0)  # prompts that tell nothing themselves
    elsewhere = prefill(same, ttft[::2], same, ttft[1::2], Slope(3e-4, 1.0))
    assert elsewhere is not None
    assert (elsewhere.per_token, elsewhere.problem) == (3e-4, "")
