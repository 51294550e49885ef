"""How a server ends: what is open is finished, what comes is refused, and nothing stays behind."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.live import slow
from tests.live.http1 import HOST, Connection, chat, post
from tests.live.watch import stats, until
from tests.live.workers import kill, pids
from tests.serving import STOP_LIMIT, Server

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def refused(port: int) -> bool:
    """Whether nobody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def ended(pid: int) -> bool:
    """Whether a process has ended, be it collected by its parent or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def children(pid: int) -> set[int]:
    """The living children of a process."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.add(int(stat.parent.name))
    return found


def code(sim: Server) -> int:
    return sim.process.wait(STOP_LIMIT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_open_is_finished_and_what_comes_is_refused(
    configured: Callable[..., Server], number: signal.Signals
) -> None:
    async def scene(sim: Server) -> tuple[list[bool], int]:
        streams = await slow.on_both(sim.port, tokens=30)
        async with await Connection.to(sim.port) as waiting, await Connection.to(sim.port) as idle:
            await waiting.send(post(chat(model="slow", max_tokens=30)))
            active = len(streams) + 1
            await asyncio.to_thread(
                until, lambda: stats(sim.port), lambda told: told["requests"]["active"] == active
            )
            sim.process.send_signal(number)
            await asyncio.to_thread(until, lambda: refused(sim.port), bool)
            assert sim.process.poll() is None, "it ends before what is open has ended"
            assert await idle.ended()
            plain = await waiting.answer()
            assert plain.json()["usage"]["completion_tokens"] == 30
        return [await one.whole() for one in streams], plain.status

    with configured(slow.CONFIG) as sim:
        whole, status = asyncio.run(scene(sim))
        assert all(whole)
        assert status == 200
        assert code(sim) == 0
        assert "Traceback" not in sim.output()


def test_a_signal_to_every_process_at_once_ends_it_in_good_order_too(
    configured: Callable[..., Server],
) -> None:
    # As Ctrl-C in a terminal does, and service managers that stop a whole group.
    async def scene(sim: Server) -> list[bool]:
        streams = await slow.on_both(sim.port, tokens=15)
        for pid in (*pids(sim.port).values(), sim.pid):
            os.kill(pid, signal.SIGINT)
        return [await one.whole() for one in streams]

    with configured(slow.CONFIG) as sim:
        assert all(asyncio.run(scene(sim)))
        assert code(sim) == 0


def test_workers_that_hear_the_signal_first_have_not_failed(serve: Callable[..., Server]) -> None:
    with serve("--workers", "2", "--latency", "instant") as sim:
        workers = pids(sim.port).values()
        sim.process.send_signal(signal.SIGSTOP)
        for pid in workers:
            os.kill(pid, signal.SIGTERM)
        until(lambda: [ended(pid) for pid in workers], all)
        sim.process.send_signal(signal.SIGTERM)
        sim.process.send_signal(signal.SIGCONT)
        assert code(sim) == 0, sim.output()


@linux
def test_a_worker_that_is_only_starting_hears_the_signal(serve: Callable[..., Server]) -> None:
    with serve("--workers", "2", "--latency", "instant") as sim:
        before = children(sim.pid)
        os.kill(min(pids(sim.port).values()), signal.SIGKILL)
        new = until(lambda: children(sim.pid) - before, bool, pause=0)
        os.kill(new.pop(), signal.SIGTERM)
        until(lambda: children(sim.pid) - before - new, lambda now: len(now) == 1)
        assert new.isdisjoint(pids(sim.port).values())


def test_what_outlasts_the_drain_limit_is_cut(configured: Callable[..., Server]) -> None:
    async def scene(sim: Server) -> list[bool]:
        streams = await slow.on_both(sim.port, tokens=5000)
        sim.process.send_signal(signal.SIGTERM)
        return [await one.whole() for one in streams]

    with configured("server: {drain_timeout_ms: 1000}" + slow.CONFIG) as sim:
        workers = pids(sim.port).values()
        assert not any(asyncio.run(scene(sim)))
        assert code(sim) == 0
        assert all(map(ended, workers))


@linux
def test_without_their_launcher_the_workers_end_themselves(
    configured: Callable[..., Server],
) -> None:
    async def scene(sim: Server) -> list[bool]:
        streams = await slow.on_both(sim.port, tokens=15)
        sim.process.kill()
        return [await one.whole() for one in streams]

    sim = configured(slow.CONFIG)
    try:
        kill(sim.port, *pids(sim.port).values())  # those that came later have to know as well
        workers = pids(sim.port)
        assert all(asyncio.run(scene(sim))), "what is open is finished even so"
        until(lambda: [ended(pid) for pid in workers.values()], all)
        assert refused(sim.port)
    finally:
        sim.stop()
