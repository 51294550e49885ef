"""The panel of workers."""

from __future__ import annotations

from typing import Any

from llmsim.tui.workers import workers
from tests.tui.drawing import drawn


def several(*cpu: float, **more: Any) -> dict[str, Any]:
    workers = [
        {"slot": slot, "pid": 100 + slot, "cpu_s": used, "rss_bytes": 190 * 2**20, "lag_ms": 0.04}
        for slot, used in enumerate(cpu)
    ]
    return {"workers": workers} | more


def test_the_busiest_comes_first() -> None:
    before, after = several(1.0, 5.0), several(1.1, 5.82, worker_restarts=1)
    assert drawn(workers, 21, 6, before, after) == [
        "2 up        1 restart",
        "pid     cpu  mem  lag",
        "101     82% 190M 0.04",
        "100     10% 190M 0.04",
    ]


def test_more_than_fit() -> None:
    assert drawn(workers, 21, 6, several(*range(9)))[2:] == [
        "100       - 190M 0.04",
        "101       - 190M 0.04",
        "102       - 190M 0.04",
        "and 6 more",
    ]


def test_a_server_that_tells_little() -> None:
    lines = drawn(workers, 21, 6, {"workers": [{"slot": 0, "pid": 1234567}]})
    assert lines == ["1 up", "pid     cpu  mem  lag", "1234567   -    -    -"]


def test_no_worker() -> None:
    assert drawn(workers, 21, 6, {})[0] == "0 up"
