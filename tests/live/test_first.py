"""The first N fail and no other, whoever asks whichever worker, and also while one is killed."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException

import pytest

from tests.live.http1 import Connection, chat, post
from tests.live.watch import settled, stats, until
from tests.serving import Server

FIRST = 101
EVERY = 7
CLIENTS = 16
CONFIG = f"""\
latency: {{profile: instant}}
response: {{target_tokens: 1}}
errors:
  rules:
    - {{model: first, first: {FIRST}, status: 503}}
    - {{model: every, every: {EVERY}, kind: overloaded}}
    - {{model: cut, first: {FIRST}, fault: {{cut: {{}}}}}}
"""


@pytest.fixture
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(CONFIG, "--workers", "4") as server:
        yield server


async def client(port: int, model: str, turns: int, seen: Counter[str]) -> None:
    """Asks so many times, on a new connection whenever one breaks."""
    while turns:
        with suppress(ConnectionError):
            async with await Connection.to(port) as connection:
                while turns:
                    turns -= 1
                    try:
                        await connection.send(post(chat(model=model)))
                        seen[str((await connection.answer()).status)] += 1
                    except (EOFError, ConnectionError):
                        seen["broken"] += 1
                        raise ConnectionError from None


def hammered(port: int, model: str, turns: int) -> Counter[str]:
    seen: Counter[str] = Counter()

    async def scene() -> None:
        await asyncio.gather(*(client(port, model, turns, seen) for _ in range(CLIENTS)))

    asyncio.run(asyncio.wait_for(scene(), 60))
    return seen


def test_the_first_fail_and_then_none(sim: Server) -> None:
    seen = hammered(sim.port, "first", 50)
    assert seen == {"503": FIRST, "200": CLIENTS * 50 - FIRST}
    assert settled(sim.port)["errors"]["by_kind"]["unavailable"] == {"injected": FIRST, "real": 0}


def test_every_so_and_so_manieth_fails(sim: Server) -> None:
    seen = hammered(sim.port, "every", 49)
    failed = CLIENTS * 49 // EVERY
    assert seen == {"503": failed, "200": CLIENTS * 49 - failed}


def test_the_first_are_cut_and_then_none(sim: Server) -> None:
    seen = hammered(sim.port, "cut", 20)
    assert seen == {"broken": FIRST, "200": CLIENTS * 20 - FIRST}


def one_of(port: int) -> int:
    """The process of a worker; who is asked for it may just be going down."""

    def look() -> int:
        with suppress(OSError, HTTPException):
            found: int = stats(port)["workers"][0]["pid"]
            return found
        return 0

    return until(look, bool)


def test_a_killed_worker_makes_none_fail_twice(sim: Server) -> None:
    seen: Counter[str] = Counter()

    async def scene() -> None:
        asking = [asyncio.create_task(client(sim.port, "first", 60, seen)) for _ in range(CLIENTS)]
        for enough in (20, 60):
            while seen["503"] < enough:
                await asyncio.sleep(0.001)
            victim = await asyncio.to_thread(one_of, sim.port)
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        await asyncio.gather(*asking)

    asyncio.run(asyncio.wait_for(scene(), 60))
    assert sum(seen.values()) == CLIENTS * 60
    # What was counted for a request whose worker died before it answered was seen by nobody.
    assert FIRST - seen["broken"] <= seen["503"] <= FIRST
    assert hammered(sim.port, "first", 5) == {"200": CLIENTS * 5}
