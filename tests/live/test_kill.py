"""A worker that is killed comes back, and the books stay exact."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from tests.live import slow
from tests.live.http1 import CHAT, Connection, chat, request
from tests.live.slow import SlowStream
from tests.live.watch import pids, read, settled, stats, until
from tests.serving import Server


@pytest.fixture
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(slow.CONFIG) as server:
        yield server


def kill(port: int, *slots: int) -> None:
    """SIGKILL the workers of these slots and wait until others have taken their places."""
    before = pids(port)
    for slot in slots:
        os.kill(before[slot], signal.SIGKILL)
    until(lambda: _pids(port), lambda now: _replaced(before, now, slots))


def _pids(port: int) -> dict[int, int]:
    """As ``pids``; empty when the connection was with a worker that is dying."""
    with suppress(OSError):
        return pids(port)
    return {}


def _replaced(before: dict[int, int], now: dict[int, int], slots: tuple[int, ...]) -> bool:
    return now.keys() == before.keys() and all(now[slot] != before[slot] for slot in slots)


def balanced(told: Any) -> bool:
    """Whether every request that has started is in exactly one place."""
    requests = told["requests"]
    ends = requests["finished"] + requests["aborted"] + requests["active"]
    return bool(requests["total"] == ends and min(requests.values()) >= 0)


def test_only_the_streams_of_the_killed_worker_are_cut(sim: Server) -> None:
    async def scene() -> tuple[list[SlowStream], list[bool]]:
        streams = await slow.on_both(sim.port, tokens=20)
        assert stats(sim.port)["requests"]["active_streaming"] == len(streams)
        await asyncio.to_thread(kill, sim.port, 0)
        return streams, [await one.whole() for one in streams]

    streams, whole = asyncio.run(scene())
    assert whole == [one.slot == 1 for one in streams]

    told = settled(sim.port)
    assert balanced(told)
    assert told["requests"]["lost"] == told["requests"]["aborted"] == whole.count(False)
    assert told["requests"]["finished"] == whole.count(True)
    assert told["requests"]["active_streaming"] == 0
    assert told["tokens"]["completion"] == 20 * whole.count(True)


def test_the_journal_of_a_killed_worker_stays_readable(sim: Server) -> None:
    async def scene() -> list[SlowStream]:
        streams = await slow.on_both(sim.port, tokens=10)
        await asyncio.to_thread(kill, sim.port, 0)
        for one in streams:
            await one.whole()
        return streams

    streams = asyncio.run(scene())
    for one in streams:
        status, entry = read(sim.port, f"/llmsim/requests/{one.id}")
        assert status == 200
        assert entry["request"]["model"] == "slow"
        assert entry["planned"]["total_ms"] == pytest.approx(950)
        assert entry["status"] == (200 if one.slot == 1 else None)
        assert (entry["actual"]["total_ms"] is None) == (one.slot == 0)


@dataclass
class Tally:
    """What the clients saw."""

    asked: int = 0
    answered: int = 0
    broken: int = 0


async def user(port: int, stop: asyncio.Event, tally: Tally) -> None:
    """Streams one after another; connects again whenever the connection breaks."""
    while not stop.is_set():
        with suppress(ConnectionError):
            async with await Connection.to(port) as connection:
                while not stop.is_set():
                    await turn(connection, tally)


async def turn(connection: Connection, tally: Tally) -> None:
    tally.asked += 1
    try:
        await connection.send(request("POST", CHAT, chat(stream=True, max_tokens=20)))
        assert (await connection.head()).status == 200
        events = await connection.events()
    except (EOFError, ConnectionError):
        tally.broken += 1
        raise ConnectionError from None
    assert events[-1] == "[DONE]"
    tally.answered += 1


def test_killed_again_and_again_under_load_nothing_is_lost_or_counted_twice(sim: Server) -> None:
    tally = Tally()

    async def scene() -> None:
        stop = asyncio.Event()
        users = [asyncio.create_task(user(sim.port, stop, tally)) for _ in range(24)]
        for slots in ((0,), (0,), (0,), (1,), (0, 1)):
            reached = tally.answered + 50
            while tally.answered < reached:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(kill, sim.port, *slots)
        stop.set()
        await asyncio.gather(*users)

    asyncio.run(asyncio.wait_for(scene(), 60))
    told = settled(sim.port)
    requests = told["requests"]
    assert balanced(told)
    assert requests["active_streaming"] == 0
    assert told["statuses"] == {"200": requests["finished"]}
    assert tally.asked == tally.answered + tally.broken
    # A request may break before a worker has read it and after one has counted it; an answer
    # that came whole is counted in any case.
    assert tally.answered <= requests["finished"] <= tally.asked
    assert tally.answered <= requests["total"] <= tally.asked
    assert requests["lost"] == requests["aborted"] <= tally.broken
    assert told["tokens"]["completion"] == 20 * requests["finished"]
