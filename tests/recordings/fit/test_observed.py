"""Samples out of a trace."""

import pytest

from llmsim.recordings.fit.observed import halves, observed
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
            ),
            TraceRow(arrived=1, output_tokens=5, ttft=0.2, total=1.0),
            TraceRow(arrived=2, output_tokens=9, failed=True, ttft=9.0),
            TraceRow(arrived=3, output_tokens=2, gaps=(0.3,)),
        ]
    )
    assert found.requests == 4
    assert found.failed == 1
    assert found.output_tokens.tolist() == [5, 5, 2]
    assert found.ttft.tolist() == [0.5, 0.2]
    assert found.uncached.tolist() == [40, 0]
    assert found.ttft_in_flight.tolist() == [3, 0]
    assert found.itl.tolist() == pytest.approx([0.1, 0.2, 0.2, 0.2, 0.3])
    assert found.itl_in_flight.tolist() == [3, 3, 3, 0, 0]


def test_nothing_gives_nothing() -> None:
    found = observed([])
    assert found.itl.size == found.ttft.size == found.requests == 0


def test_halves_take_turns() -> None:
    rows = [TraceRow(arrived=place) for place in range(5)]
    fitted, judged = halves(rows)
    assert [one.arrived for one in fitted] == [0, 2, 4]
    assert [one.arrived for one in judged] == [1, 3]
