"""Bounds that were reached: counted each time, told once a minute."""

import pytest

from llmsim.state.shm import layout
from llmsim.state.shm.layout import DROPPED_CLIENTS
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.snapshot import Snapshot
from llmsim.transport.bounds import MINUTE, Bounds


def test_each_bound_is_counted_and_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))
    counters.take_over(1)
    now = [0.0]
    bounds = Bounds(counters, lambda: now[0])
    for now[0] in (0.0, 1.0, MINUTE - 1):
        bounds.reached("stall_timeout_ms", "it is gone")
    bounds.reached("max_unsent_bytes", "so is this one")
    lines = caplog.messages
    assert lines == [
        "it is gone (server.stall_timeout_ms); see llmsim_clients_dropped_total",
        "so is this one (server.max_unsent_bytes); see llmsim_clients_dropped_total",
    ]
    now[0] = MINUTE
    bounds.reached("stall_timeout_ms", "it is gone")
    assert len(caplog.messages) == 3
    expected = dict.fromkeys(DROPPED_CLIENTS, 0) | {"stall_timeout_ms": 4, "max_unsent_bytes": 1}
    assert Snapshot([counters]).dropped_clients == expected
