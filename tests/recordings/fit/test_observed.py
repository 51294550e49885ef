"""Samples out of a trace."""

import numpy as np
import pytest

from llmsim.recordings.fit.observed import halves, observed, spread
from llmsim.recordings.traces.row import TraceRow


def test_samples() -> None:
    found = observed(
        [
            TraceRow(
                arrived=0,
                prompt_tokens=100,
                cached_tokens=60,
                output_tokens=5,
                ttft=0.5,
                gaps=(0.1, 0.4),
                gap_tokens=(1, 2),
                in_flight=3,
                gap_in_flight=(4, 5),
            ),
            TraceRow(
                arrived=1, output_tokens=105, hidden_tokens=100, ttft=0.2, total=1.0, in_flight=2
            ),
            TraceRow(arrived=2, output_tokens=9, failed=True, ttft=9.0),
            TraceRow(arrived=3, output_tokens=2, gaps=(0.3,)),
        ]
    )
    assert found.requests == 4
    assert found.failed == 1
    assert found.output_tokens.tolist() == [4.75, 5.25, 2]
    first, gaps = found.first, found.gaps
    assert first.arrived.tolist() == [0, 1]
    assert first.ttft.tolist() == [0.5, 0.2]
    assert first.uncached.tolist() == [40, 0]
    assert first.in_flight.tolist() == [3, 2]
    assert first.hidden.tolist() == [0, 100]
    assert gaps.began.tolist() == pytest.approx([0.5, 0.6, 0.6, 1.2, 3])
    assert gaps.middle.tolist() == pytest.approx([0.55, 0.8, 0.8, 1.6, 3.15])
    assert gaps.itl.tolist() == pytest.approx([0.1, 0.2, 0.2, 0.2, 0.3])
    assert gaps.in_flight.tolist() == [4, 5, 5, 2, 0]


def test_nothing_gives_nothing() -> None:
    found = observed([])
    assert found.gaps.itl.size == found.first.ttft.size == found.requests == 0


def test_halves_take_turns() -> None:
    rows = [TraceRow(arrived=place) for place in range(5)]
    fitted, judged = halves(rows)
    assert [one.arrived for one in fitted] == [0, 2, 4]
    assert [one.arrived for one in judged] == [1, 3]


def test_whole_numbers_are_spread_over_what_is_rounded_to_them() -> None:
    whole = np.random.default_rng(1).integers(3, 6, 1000).astype(np.float64)
    made = spread(whole)
    assert np.array_equal(np.rint(made), whole)
    assert np.diff(np.sort(made)).max() < 0.004
    assert spread(np.full(9, 7.0)).tolist() == [7.0] * 9
