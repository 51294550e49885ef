"""Workers that are short of descriptors answer those they have, do not spin, and end."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.live.http1 import CHAT, Connection, chat
from tests.live.watch import stats
from tests.live.websocket import create, opened
from tests.serving import Server

BUSY = 0.5
"""The share of a processor that only a spinning worker uses while nothing is asked."""

Limited = Callable[[int], Server]


@pytest.fixture
def limited(tmp_path: Path) -> Limited:
    """Start a server of one worker whose processes may have so many open files."""

    def start(files: int) -> Server:
        under = ("prlimit", f"--nofile={files}:{files}")
        return Server(("--workers", "1", "--latency", "instant"), tmp_path / "log", None, under)

    return start


def cpu(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def http(port: int) -> Connection:
    connection = await Connection.to(port)
    async with asyncio.timeout(2):
        assert (await connection.ask("POST", CHAT, chat())).status == 200
    return connection


async def asked_again(connection: Connection) -> None:
    async with asyncio.timeout(10):
        assert (await connection.ask("POST", CHAT, chat())).status == 200


async def turn(connection: Connection) -> None:
    await connection.send(create())
    async with asyncio.timeout(10):
        assert b"response.created" in await connection.some()


@pytest.mark.parametrize("files", [64, 300])
@pytest.mark.parametrize(("connect", "again"), [(http, asked_again), (opened, turn)])
def test_a_worker_short_of_descriptors_serves_those_it_has(
    limited: Limited,
    files: int,
    connect: Callable[[int], object],
    again: Callable[[Connection], object],
) -> None:
    with limited(files) as sim:
        (worker,) = stats(sim.port)["workers"]

        async def scene() -> None:
            connections: list[Connection] = []
            with suppress(TimeoutError, AssertionError):  # it takes no more, or refuses
                while len(connections) < files:
                    connections.append(await connect(sim.port))  # type: ignore[misc]
            assert files // 32 <= len(connections) < files
            before = cpu(worker["pid"])
            await asyncio.sleep(1)
            assert cpu(worker["pid"]) - before < BUSY
            for one in connections[:3]:
                await again(one)  # type: ignore[misc]
            begun = time.monotonic()
            code = await asyncio.to_thread(sim.stop)
            assert code == 0
            assert time.monotonic() - begun < 5
            for one in connections:
                one.close()

        asyncio.run(scene())
        assert "Traceback" not in sim.output()


def test_hardly_any_descriptors_are_an_error_that_says_so(limited: Limited) -> None:
    with pytest.raises(AssertionError, match="at most 50 open files are allowed, 56 are needed"):
        limited(50)
