"""What a step takes: the line through two measurements."""

import pytest

from llmsim.core.load.step_cost import Load


def test_the_line_goes_through_both_measurements() -> None:
    """Llama-3.1-8B: 7.0 ms alone, 8.7 ms with 64."""
    cost = Load(itl_at=(64, 0.0087)).cost(0.0070, 0.00002)
    assert cost.base == pytest.approx(0.006973, abs=1e-6)
    assert cost.per_sequence == pytest.approx(0.000027, abs=1e-6)
    assert cost.step(1, 0) == pytest.approx(0.0070)
    assert cost.step(64, 0) == pytest.approx(0.0087)
    assert cost.step(1, 1000) == pytest.approx(0.0270)


def test_without_a_second_measurement_sequences_do_not_slow_each_other() -> None:
    cost = Load().cost(0.02, 0.0)
    assert cost.step(1, 0) == cost.step(50, 500) == 0.02


def test_a_step_never_takes_less_than_nothing() -> None:
    cost = Load(itl_at=(2, 0.05)).cost(0.01, 0.001)
    assert cost.step(0, 5) == pytest.approx(0.005)
    assert (cost.step(1, 0), cost.step(2, 0)) == pytest.approx((0.01, 0.05))
