"""Limits and counters of many callers, over workers of which one is killed now and then.

The environment's `LLMSIM_KEYS` says how many callers (6,000); `LLMSIM_KEYS=100000 python -m pytest
-s tests/live/test_many_keys.py` is the long version, with a kill every two seconds.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from tests.live.http1 import CHAT, Connection, chat, request
from tests.live.watch import settled, stats
from tests.serving import Server

KEYS = int(os.environ.get("LLMSIM_KEYS", "6000"))
CLIENTS = 24
PAUSE = min(KEYS / 10_000, 2.0)
"""Seconds between two kills: so few that there are several, however fast the machine is."""

CONFIG = """
server: {journal_mb: 1}
latency: {profile: instant}
response: {target_tokens: 2}
rate_limits: [{key: "day*", requests_per_day: 1}]
"""
BODY = chat(max_tokens=2)
BROKEN = 0


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(CONFIG, "--workers", "4") as server:
        yield server


async def client(port: int, requests: Iterator[tuple[int, bytes]], statuses: list[int]) -> None:
    """Send one after the other, each once; connect again whenever the connection breaks."""
    while True:
        number = -1
        with suppress(EOFError, ConnectionError):
            async with await Connection.to(port) as connection:
                for number, data in requests:
                    await connection.send(data)
                    statuses[number] = (await connection.answer()).status
                return


def ask_all(port: int, requests: Sequence[bytes]) -> list[int]:
    """The statuses of so many requests from many clients; BROKEN where a worker was killed."""
    statuses = [BROKEN] * len(requests)
    order = list(enumerate(requests))
    random.Random(7).shuffle(order)

    async def scene() -> None:
        left = iter(order)
        await asyncio.gather(*(client(port, left, statuses) for _ in range(CLIENTS)))

    asyncio.run(scene())
    return statuses


@asynccontextmanager
async def killing(port: int) -> AsyncIterator[list[int]]:
    """Kill a worker every so often; gives their process ids."""
    killed: list[int] = []

    async def kill() -> None:
        while True:
            await asyncio.sleep(PAUSE)
            with suppress(OSError, IndexError):
                workers = await asyncio.to_thread(stats, port)
                pid = workers["workers"][len(killed) % 4]["pid"]
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    task = asyncio.create_task(kill())
    try:
        yield killed
    finally:
        task.cancel()


def under_fire(port: int, requests: Sequence[bytes]) -> tuple[list[int], int]:
    """The statuses, while workers are killed; and how many were."""

    async def scene() -> tuple[list[int], int]:
        async with killing(port) as killed:
            return await asyncio.to_thread(ask_all, port, requests), len(killed)

    return asyncio.run(scene())


def caller(number: int) -> bytes:
    return request("POST", CHAT, BODY, f"authorization: Bearer day-{number:07d}")


def test_each_of_many_callers_gets_what_is_allowed_and_no_more(sim: Server) -> None:
    requests = [caller(number) for number in range(KEYS)]
    begun = time.monotonic()
    rounds, kills = [], 0
    for _ in range(2):
        statuses, killed = under_fire(sim.port, requests)
        rounds.append(statuses)
        kills += killed
    settled(sim.port)
    rounds.append(ask_all(sim.port, requests))
    print([Counter(statuses) for statuses in rounds], f"{kills} workers killed in", end=" ")
    print(f"{time.monotonic() - begun:.1f} s")
    assert kills
    for first, second, last in zip(*rounds, strict=True):
        # One whose worker died may have been counted, but was not answered.
        assert first in (200, BROKEN)
        assert second in ((429, BROKEN) if first == 200 else (200, 429, BROKEN))
        assert last == 429 or BROKEN in (first, second)
        assert (first, second, last).count(200) <= 1
    assert rounds[2].count(200) <= sum(map(broken_twice, rounds[0], rounds[1]))
    assert sum(statuses.count(BROKEN) for statuses in rounds) <= kills * CLIENTS


def broken_twice(first: int, second: int) -> bool:
    return first == second == BROKEN


def test_each_of_many_counted_failures_happens_once(sim: Server) -> None:
    requests = [
        request("POST", CHAT, BODY, f"x-llmsim-error: 429; first=1; key=K{number}")
        for number in range(KEYS)
    ]
    assert Counter(ask_all(sim.port, requests)) == {429: KEYS}
    assert Counter(ask_all(sim.port, requests)) == {200: KEYS}
