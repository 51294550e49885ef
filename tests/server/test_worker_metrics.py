"""The metrics of a worker, as its counters have them after each beat."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

from llmsim.server import worker_metrics as metrics_module
from llmsim.server.worker_metrics import (
    PERIOD,
    WorkerMetrics,
    cpu_us,
    is_connection,
    open_files,
    rss,
)
from llmsim.state.shm import layout
from llmsim.state.shm.layout import BEAT, CONNECTIONS, LAG, RSS
from llmsim.state.shm.worker_counters import WorkerCounters


class Loop:
    """Timers that fire when the test calls them."""

    def __init__(self) -> None:
        self.waits: list[tuple[float, Callable[[], None]]] = []
        self.cancelled = 0

    def call_soon(self, do: Callable[[], None]) -> "Loop":
        return self.call_later(0.0, do)

    def call_later(self, wait: float, do: Callable[[], None]) -> "Loop":
        self.waits.append((wait, do))
        return self

    def cancel(self) -> None:
        self.cancelled += 1


def beating() -> tuple[Loop, list[int], WorkerCounters, WorkerMetrics]:
    counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))
    loop, now = Loop(), [5_000_000]
    timers: Any = loop
    return loop, now, counters, WorkerMetrics(timers, counters, lambda: now[0])


@pytest.mark.parametrize(("late", "lag"), [(0, 0), (1500, 1500), (-300, 0)])
def test_lag_is_how_late_the_next_beat_is(late: int, lag: int) -> None:
    loop, now, counters, _ = beating()
    ((wait, beat),) = loop.waits
    assert wait == 0.0
    beat()
    assert (counters.cells[BEAT], counters.cells[LAG]) == (5_000_000, 0)
    wait, beat = loop.waits[1]
    assert wait == PERIOD
    now[0] += 1_000_000 + late
    beat()
    assert (counters.cells[BEAT], counters.cells[LAG]) == (6_000_000 + late, lag)
    assert len(loop.waits) == 3


def test_memory_is_this_processs_own() -> None:
    loop, _, counters, _ = beating()
    loop.waits[0][1]()
    assert 5 << 20 < counters.cells[RSS] < 8 << 30
    ballast = b"x" * (64 << 20)
    before = counters.cells[RSS]
    loop.waits[0][1]()
    assert counters.cells[RSS] - before > len(ballast) // 2


def test_nothing_follows_a_stop() -> None:
    loop, _, _, metrics = beating()
    metrics.stop()
    assert loop.cancelled == 1


def test_processor_time_grows() -> None:
    before = cpu_us()
    sum(range(300_000))
    assert cpu_us() > before


@pytest.mark.skipif(not open_files(), reason="this kernel does not say how many files are open")
@pytest.mark.parametrize("limit", [100_000, 0])
def test_connections_are_those_over_the_network_of_both_sides(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once there are too many files to look at, what was no connection before is none now."""
    loop, _, counters, _ = beating()

    def connections() -> int:
        loop.waits[0][1]()
        return counters.cells[CONNECTIONS] - 1

    with socket.create_server(("127.0.0.1", 0)) as server, socket.socketpair()[0]:
        monkeypatch.setattr(metrics_module, "MAX_EXAMINED", 100_000)
        before = connections()
        monkeypatch.setattr(metrics_module, "MAX_EXAMINED", limit)
        clients = [socket.create_connection(server.getsockname()) for _ in range(50)]
        accepted = [server.accept()[0] for _ in clients]
        assert connections() == before + 100
        for one in clients + accepted:
            one.close()
        assert connections() == before


def test_what_is_closed_is_no_connection() -> None:
    read, write = os.pipe()
    assert not is_connection(read)
    os.close(read)
    os.close(write)
    assert not is_connection(read)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_in_bytes() -> None:
    with open("/proc/self/status", encoding="ascii") as file:
        (line,) = [line for line in file if line.startswith("VmRSS")]
    assert rss() == pytest.approx(int(line.split()[1]) * 1024, rel=0.1)


def test_beats_follow_one_another_on_a_loop() -> None:
    counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))

    async def beat() -> None:
        metrics = WorkerMetrics(asyncio.get_running_loop(), counters)
        await asyncio.sleep(0)
        metrics.stop()

    asyncio.run(beat())
    assert counters.cells[BEAT] > 0
