"""Streams that say something in long silences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Plan
from llmsim.engine.faults.fault_context import FrameList
from llmsim.engine.keepalive import EVERY, kept_alive

PING = b"."


def plan(due: list[float], ttft: float) -> Plan:
    frames = FrameList([str(place).encode() for place in range(len(due))])
    return Plan(200, frames, np.array(due), True, ttft, due[-1] if due else 0.0, 1)


def sent(made: Plan) -> list[tuple[bytes, float]]:
    return [(made.frames[place], made.due[place]) for place in range(len(made.due))]


@pytest.mark.parametrize(
    ("due", "ttft", "longest", "times"),
    [
        ([0.0, 0.0, 10.0, 11.0], 10.0, 0.1, []),
        ([0.0, 0.0, 15.0, 15.1], 15.0, 0.1, []),
        ([0.0, 0.0, 15.1, 15.2], 15.1, 0.1, [15.0]),
        ([2.0, 2.0, 50.0, 50.2], 50.0, 0.1, [17.0, 32.0, 47.0]),
        ([0.0, 0.0, 1.0, 40.0], 1.0, 0.1, []),  # no such gap is said to exist
        ([0.0, 0.0, 1.0, 40.0], 1.0, 39.0, [16.0, 31.0]),
        ([0.0, 20.0, 20.0, 40.0], 20.0, 39.0, [15.0, 35.0]),
        ([20.0, 20.5], 20.0, 39.0, []),
        ([], 1.0, 39.0, []),
        ([0.0, 0.0], 50.0, 0.1, []),  # it broke off before its first token
    ],
)
def test_where_pings_are(due: list[float], ttft: float, longest: float, times: list[float]) -> None:
    made = kept_alive(plan(due, ttft), PING, longest)
    pings = [time for frame, time in sent(made) if frame == PING]
    assert pings == pytest.approx(times)
    assert [frame for frame, _ in sent(made) if frame != PING] == [
        str(place).encode() for place in range(len(due))
    ]


@given(
    st.lists(st.floats(0, 60), min_size=1, max_size=12).map(sorted),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_any_stretch_is_a_part_of_the_whole(due: list[float], one: int, other: int) -> None:
    made = kept_alive(plan(due, due[0]), PING, 60.0)
    count = len(made.due)
    assert len(made.frames) == count
    times = made.due[:]
    assert bool(np.all(np.diff(times) >= 0))
    assert bool(np.all(np.diff(times) <= EVERY + 1e-9))
    start, stop = sorted((min(one, count), min(other, count)))
    assert made.due[start:stop].tolist() == times[start:stop].tolist()
    frames = [made.frames[place] for place in range(start, stop)]
    assert made.frames.join(start, stop) == b"".join(frames)
    order = np.arange(count)[::-1]
    assert [made.frames.reorder(order)[place] for place in range(count)] == [
        made.frames[place] for place in range(count)[::-1]
    ]
