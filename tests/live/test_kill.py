"""A worker that is killed comes back, and the books stay exact."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from tests.live import slow
from tests.live.http1 import CHAT, Connection, chat, request
from tests.live.watch import read, settled, stats
from tests.live.workers import kill, pids
from tests.serving import Server

pytestmark = pytest.mark.timed


@pytest.fixture
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(slow.CONFIG) as server:
        yield server


def balanced(told: Any) -> bool:
    """Whether every request that has started is in exactly one place."""
    requests = told["requests"]
    ends = requests["finished"] + requests["aborted"] + requests["active"]
    return bool(requests["total"] == ends and min(requests.values()) >= 0)


def test_only_the_streams_of_the_killed_worker_are_cut(sim: Server) -> None:
    async def scene() -> tuple[list[bool], list[bool]]:
        streams = await slow.on_both(sim.port, tokens=20)
        assert stats(sim.port)["requests"]["active_streaming"] == len(streams)
        slot, pid = pids(sim.port).popitem()
        await asyncio.to_thread(kill, sim.port, pid)
        return [one.slot != slot for one in streams], [await one.whole() for one in streams]

    spared, whole = asyncio.run(scene())
    assert whole == spared

    told = settled(sim.port)
    assert balanced(told)
    assert told["requests"]["lost"] == told["requests"]["aborted"] == whole.count(False)
    assert told["requests"]["finished"] == whole.count(True)
    assert told["requests"]["active_streaming"] == 0
    assert told["tokens"]["completion"] == 20 * whole.count(True)


def test_the_journal_of_a_killed_worker_stays_readable(sim: Server) -> None:
    async def scene() -> dict[str, bool]:
        streams = await slow.on_both(sim.port, tokens=10)
        await asyncio.to_thread(kill, sim.port, max(pids(sim.port).values()))
        return {one.id: await one.whole() for one in streams}

    for name, whole in asyncio.run(scene()).items():
        status, entry = read(sim.port, f"/llmsim/requests/{name}")
        assert status == 200
        assert entry["request"]["model"] == "slow"
        assert entry["planned"]["total_ms"] == pytest.approx(950)
        assert entry["status"] == (200 if whole else None)
        assert (entry["actual"]["total_ms"] is not None) == whole


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
        for victims in (slice(1), slice(1), slice(1), slice(1, 2), slice(2)):
            reached = tally.answered + 50
            while tally.answered < reached:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(kill, sim.port, *list(pids(sim.port).values())[victims])
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
