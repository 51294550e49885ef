"""The panel of latency."""

from __future__ import annotations

from typing import Any

import pytest

from llmsim.tui.latency import LATE_MS, latency
from llmsim.tui.stats import ServerStats
from tests.tui.drawing import drawn
from tests.tui.readings import history, read

TIMES: dict[str, Any] = {
    "total": 9,
    "latency_ms": {"avg": 41.93, "p50": 37.6, "p95": 83.4, "p99": 90.3, "max": 12_345.6},
    "ttft_ms": {"avg": 22.0, "p50": 12.4, "p95": 70.6, "p99": 88.9},
    "lateness_ms": {"p50": 0.34, "p95": 1.25, "p99": 1.76, "max": 8.34},
}


def test_rows() -> None:
    assert drawn(latency, 36, 6, TIMES) == [
        "         avg   p50   p95   p99   max",
        "total   41.9  37.6  83.4  90.3 12.3s",
        "TTFT    22.0  12.4  70.6  88.9     -",
        "ITL        -     -     -     -     -",
        "queue      -     -     -     -     -",
        "late       -  0.34  1.25  1.76  8.34",
    ]


def test_columns_take_the_room_there_is() -> None:
    assert (
        drawn(latency, 60, 6, TIMES)[1]
        == "total       41.9      37.6      83.4      90.3     12.3s"
    )


def test_nothing_is_said_before_a_request_is_finished() -> None:
    lines = drawn(latency, 36, 6, TIMES | {"total": 0})
    assert [line.split()[1:] for line in lines[1:]] == [["-"] * 5] * 5


@pytest.mark.parametrize(("p99", "alarming"), [(LATE_MS, False), (LATE_MS + 1, True)])
def test_frames_that_left_late_are_a_finding(p99: float, alarming: bool) -> None:
    stats: ServerStats = read(1.0, total=1, lateness_ms={"p99": p99}).stats
    late = latency(history(), stats, 36, 6)[-1]
    assert any("red" in str(span.style) for span in late.spans) is alarming


MINUTE: dict[str, Any] = TIMES | {
    "last_minute": {
        "latency_ms": {"p50": 12.4, "p95": 20.0, "p99": 30.0},
        "ttft_ms": None,
        "lateness_ms": {"p50": 0.1, "p95": 0.2, "p99": 0.3},
    }
}


def test_the_last_minute_is_beside_all_since_the_start() -> None:
    assert drawn(latency, 36, 3, MINUTE) == [
        "       1m50 1m95 1m99  p50  p95  p99",
        "total  12.4 20.0 30.0 37.6 83.4 90.3",
        "TTFT      -    -    - 12.4 70.6 88.9",
    ]
    assert drawn(latency, 70, 2, MINUTE)[0].split() == [
        *("1m50", "1m95", "1m99", "avg", "p50", "p95", "p99", "max"),
    ]


def test_where_there_is_room_lateness_has_its_parts() -> None:
    stats = read(
        1.0,
        total=1,
        arrival_lag_ms={"p99": 1.5},
        output_lag_ms={"p99": 2.5},
        lateness_ms={"p99": 9},
    ).stats
    lines = [line.plain.split() for line in latency(history(), stats, 36, 8)[-3:]]
    assert [(line[0], line[4]) for line in lines] == [
        ("arriv", "1.50"),
        ("late", "9.00"),
        ("out", "2.50"),
    ]
