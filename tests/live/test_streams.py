"""Thousands of streams open at once: each comes whole, and the books agree."""

import asyncio
import resource
from collections import Counter
from collections.abc import Callable, Iterator
from json import loads

import pytest

from tests.live.http1 import Connection, chat, post, slot_of
from tests.live.watch import settled, stats, until
from tests.live.workers import by_both_workers, pids
from tests.serving import Server

pytestmark = pytest.mark.timed

STREAMS = 5_000
TOKENS = 8
EVENTS = TOKENS + 3  # the role before them, the finish reason and [DONE] after them
FILES = STREAMS + 500  # of the client; the same is enough for one worker that gets them all
AT_ONCE = 500  # connections being made: more would only fill the kernel's queue

# Each stream lasts so long that the first has not ended when the last one begins.
CONFIG = """
latency: {ttft_mean_ms: 100, ttft_stddev_ms: 0, tbt_mean_ms: 1500, tbt_stddev_ms: 0}
"""


@pytest.fixture
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        pytest.skip(f"{STREAMS} streams take {FILES} open files, and the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def sim(configured: Callable[..., Server], _many_files: None) -> Iterator[Server]:
    with configured(CONFIG) as server:
        yield server
        assert "Traceback" not in server.output()


async def connections(port: int) -> list[Connection]:
    connecting = asyncio.Semaphore(AT_ONCE)

    async def one() -> Connection:
        async with connecting:
            return await Connection.to(port)

    return await asyncio.gather(*(one() for _ in range(STREAMS)))


async def read(connection: Connection) -> list[str]:
    """The data of all events."""
    async with connection:
        assert (await connection.head()).status == 200
        return await connection.events()


async def streams(port: int) -> list[list[str]]:
    """Open all streams, see them open at once, and read them."""
    clients = await connections(port)
    for number, client in enumerate(clients):
        await client.send(post(chat(f"number {number}", stream=True, max_tokens=TOKENS)))
    reading = asyncio.gather(*map(read, clients))
    await asyncio.to_thread(
        until,
        lambda: stats(port)["requests"],
        lambda now: now["active"] == now["active_streaming"] == STREAMS,
    )
    return await reading


def test_five_thousand_streams_at_once_all_come_whole(sim: Server) -> None:
    refused = len(by_both_workers(sim.port, b"{"))  # both are there
    read = asyncio.run(streams(sim.port))

    assert Counter(map(len, read)) == {EVENTS: STREAMS}
    assert Counter(events[-1] for events in read) == {"[DONE]": STREAMS}
    finishes = Counter(loads(events[-2])["choices"][0]["finish_reason"] for events in read)
    assert finishes == {"length": STREAMS}
    ids = {loads(events[0])["id"] for events in read}
    assert len(ids) == STREAMS
    assert {slot_of(one) for one in ids} == pids(sim.port).keys()

    told = settled(sim.port)
    requests = told["requests"]
    assert requests["total"] == requests["finished"] == STREAMS + refused
    assert requests["streaming"] == STREAMS
    assert requests["active_streaming"] == requests["aborted"] == 0
    assert told["statuses"] == {"200": STREAMS, "400": refused}
    assert told["tokens"]["completion"] == STREAMS * TOKENS
    assert told["lateness_ms"]["frames"] == STREAMS * EVENTS
