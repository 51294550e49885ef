"""The line on top."""

from __future__ import annotations

import pytest

from llmsim.tui.status_line import ConnectionState, status_line
from tests.tui.readings import server_stats

STATS = server_stats(187.0, version="1.2.3", workers=[{"slot": 0, "pid": 1}, {"slot": 1, "pid": 2}])


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ConnectionState(), "llmsim  http://sim:8080                               ○ connecting"),
        (
            ConnectionState(lost="refused"),
            "llmsim  http://sim:8080                  ○ NO ANSWER YET: refused",
        ),
        (
            ConnectionState(STATS),
            "llmsim 1.2.3  http://sim:8080       ● live  up 3m 07s  2 workers",
        ),
        (
            ConnectionState(STATS, paused=True),
            "llmsim 1.2.3  http://sim:8080     ‖ PAUSED  up 3m 07s  2 workers",
        ),
        (
            ConnectionState(STATS, lost="refused", lost_for=12.0),
            "llmsim 1.2.3  http://sim:8080      ✗ LOST 12s: refused, retrying",
        ),
    ],
)
def test_states(state: ConnectionState, expected: str) -> None:
    line = status_line("http://sim:8080", state, 64)
    assert line.plain.split() == expected.split()
    assert len(line.plain) == 64
    assert line.plain.endswith(expected[-8:])


@pytest.mark.parametrize("width", [0, 1, 10, 30, 50])
def test_what_matters_stays_where_there_is_little_room(width: int) -> None:
    line = status_line(
        "http://a-very-long-name.example.com:8080", ConnectionState(STATS, lost="x" * 99), width
    )
    assert len(line.plain) <= max(width, len("llmsim 1.2.3"))
    assert "✗ LOST" in line.plain or width < 30
