"""What else was answered at a time."""

import numpy as np
import pytest

from llmsim.recordings.fit.occupancy import Occupancy, PromptCost
from llmsim.recordings.traces.row import TraceRow

ROWS = [
    TraceRow(arrived=10, ttft=2.0, total=5.0, prompt_tokens=300, cached_tokens=100),
    TraceRow(arrived=11, ttft=3.0, gaps=(1.0, 1.0), total=5.2),
    TraceRow(arrived=20, total=2.0, prompt_tokens=500),  # not streamed
    TraceRow(arrived=30),  # nobody knows how long
]


def test_who_was_there() -> None:
    at = np.array([9.0, 10.5, 11.5, 12.5, 14.5, 15.5, 16.1, 21.0, 31.0])
    found = Occupancy(ROWS)
    assert found.open(at).tolist() == [0, 1, 2, 2, 2, 1, 1, 1, 0]
    assert found.decoding(at).tolist() == [0, 0, 0, 1, 2, 1, 0, 1, 0]


def test_prefill_is_spread_over_its_steps() -> None:
    """200 tokens take 0.2 s more than two steps of 0.4 s, and end with the first token."""
    prefilled = Occupancy(ROWS).prefilled(PromptCost(0.001, 100), lambda n: 0.4 * n.clip(1))
    seen = prefilled(np.array([0.0, 11.0, 11.5, 12.0, 30.0]))
    assert seen == pytest.approx([0, 0, 100, 200, 200])


def test_nobody() -> None:
    found = Occupancy([])
    assert found.open(np.ones(2)).tolist() == [0, 0]
    assert found.prefilled(PromptCost(1, 1), np.ones_like)(np.ones(2)).tolist() == [0, 0]
