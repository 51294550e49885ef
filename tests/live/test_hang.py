"""A worker that stands still: it is replaced, and it delays nobody's end."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Callable
from http.client import HTTPConnection

import pytest

from tests.live import slow
from tests.live.http1 import HOST
from tests.live.test_kill import balanced
from tests.live.watch import settled, until
from tests.live.workers import pids
from tests.serving import STOP_LIMIT, Server

pytestmark = pytest.mark.timed
TIMEOUT = 3.0


def hangs(port: int) -> int:
    """How many workers were killed because they hung, as ``/metrics`` says."""
    connection = HTTPConnection(HOST, port, timeout=20)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    (line,) = [line for line in lines if line.startswith("llmsim_workers_hung_total ")]
    return int(float(line.split()[1]))


def test_a_worker_that_hangs_is_replaced_and_what_it_had_open_is_lost(
    configured: Callable[..., Server],
) -> None:
    async def scene(sim: Server) -> tuple[list[bool], list[bool]]:
        streams = await slow.on_both(sim.port, tokens=90)
        slot, pid = max(pids(sim.port).items())
        os.kill(pid, signal.SIGSTOP)
        begun = time.monotonic()
        now = await asyncio.to_thread(
            until, lambda: pids(sim.port), lambda now: pid not in now.values()
        )
        assert TIMEOUT - 1 < time.monotonic() - begun < 30
        assert len(now) == 2
        return [one.slot != slot for one in streams], [await one.whole() for one in streams]

    with configured(f"server: {{hang_timeout_ms: {TIMEOUT * 1000}}}" + slow.CONFIG) as sim:
        spared, whole = asyncio.run(scene(sim))
        assert whole == spared
        stats = settled(sim.port)
        assert balanced(stats)
        assert stats["requests"]["lost"] == whole.count(False)
        assert hangs(sim.port) == 1
        assert "has not reported for" in sim.output()


@pytest.mark.parametrize(
    ("settings", "limit"),
    [("drain_timeout_ms: 1000", 10), ("hang_timeout_ms: 3000", 15)],
)
def test_a_worker_that_hangs_does_not_hold_up_the_end(
    configured: Callable[..., Server], settings: str, limit: float
) -> None:
    """It ends as soon as one of the two bounds is over."""
    with configured(f"server: {{{settings}}}" + slow.CONFIG) as sim:
        os.kill(max(pids(sim.port).values()), signal.SIGSTOP)
        begun = time.monotonic()
        sim.process.send_signal(signal.SIGTERM)
        assert sim.process.wait(STOP_LIMIT) == 0
        assert time.monotonic() - begun < limit


def test_a_worker_that_hangs_before_it_runs_does_not_hold_up_the_end_either(
    configured: Callable[..., Server],
) -> None:
    with configured(f"server: {{hang_timeout_ms: {TIMEOUT * 1000}}}" + slow.CONFIG) as sim:
        victim = max(pids(sim.port).values())
        os.kill(victim, signal.SIGKILL)
        successor = until(lambda: spawned(sim)[2:], bool, pause=0.002)
        os.kill(successor[0], signal.SIGSTOP)
        sim.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert sim.process.wait(STOP_LIMIT) == 0
        assert time.monotonic() - begun < 15


def spawned(sim: Server) -> list[int]:
    """The workers' process ids in the order in which they were started."""
    return [int(pid) for pid in re.findall(r"Spawning worker-. with PID: (\d+)", sim.output())]
