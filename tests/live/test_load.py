"""The step clock of a served model: closed forms over several workers, and through a kill."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

import pytest

from tests.serving import Server

ALPHA, BETA = 0.020, 0.002
CONFIG = """
latency:
  ttft_overhead_ms: 0
  itl_ms: 22
  load: {itl_ms_at: {11: 42}, max_sequences: 16}
"""
DEADLINE = 20.0


def served(workers: int, folder: Path) -> Server:
    path = folder / "sim.yaml"
    path.write_text(CONFIG)
    return Server(("--config", str(path), "--workers", str(workers)), folder / "log")


def stats(server: Server) -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            with urlopen(f"{server.url}/llmsim/stats", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except OSError:  # the worker that was to answer was killed
            if time.monotonic() > deadline:
                raise


async def until(server: Server, running: int, waiting: int = 0) -> None:
    """Wait until so many sequences run and wait."""
    deadline = time.monotonic() + DEADLINE
    while True:
        found = (await asyncio.to_thread(stats, server))["replicas"]
        seen = [(one["running"], one["waiting"]) for one in found]
        if seen == [(running, waiting)]:
            return
        assert time.monotonic() < deadline, seen
        await asyncio.sleep(0.05)


class User:
    """Reads one answer; ``gaps`` are the seconds between its chunks, from ``since`` on."""

    def __init__(self, server: Server, tokens: int) -> None:
        self.gaps: list[float] = []
        self.since = 0.0
        self._port = server.port
        self._tokens = tokens

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = json.dumps(
            {
                "model": "gpt-4o",
                "stream": True,
                "max_tokens": self._tokens,
                "messages": [{"role": "user", "content": "hi"}],
            }
        ).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}"
        writer.write(f"{head}\r\nconnection: close\r\n\r\n".encode() + body)
        try:
            before = None
            while data := await reader.read(65536):
                now = time.monotonic()
                if b'"content"' in data:
                    if before is not None and self.since and before > self.since:
                        self.gaps.append(now - before)
                    before = now
        finally:
            writer.close()


@asynccontextmanager
async def users(server: Server, count: int) -> AsyncIterator[list[User]]:
    """So many users who read long answers, all running."""
    made = [User(server, 4000) for _ in range(count)]
    tasks = [asyncio.ensure_future(user.run()) for user in made]
    try:
        await until(server, min(count, 16), max(count - 16, 0))
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def itl(those: list[User], each: int = 30) -> float:
    """The median gap between chunks, of some gaps from now on."""
    now = time.monotonic()
    for user in those:
        user.gaps, user.since = [], now
    deadline = now + DEADLINE
    while sum(len(user.gaps) for user in those) < each * len(those):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return median(gap for user in those for gap in user.gaps)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_users_slow_each_other_as_the_line_says(workers: int, tmp_path: Path) -> None:
    async def scenario() -> None:
        for count in (1, 8):
            async with users(server, count) as those:
                assert await itl(those) == pytest.approx(ALPHA + BETA * count, rel=0.1)
            await until(server, 0)  # whoever leaves gives the place back

    with served(workers, tmp_path) as server:
        asyncio.run(scenario())


def test_others_wait(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with users(server, 20) as those:
            assert await itl(those[:1]) == pytest.approx(ALPHA + BETA * 16, rel=0.1)

    with served(2, tmp_path) as server:
        asyncio.run(scenario())


def test_a_worker_that_is_killed_takes_its_sequences_with_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with users(server, 12) as those:
            assert await itl(those) == pytest.approx(ALPHA + BETA * 12, rel=0.1)
            workers = (await asyncio.to_thread(stats, server))["workers"]
            os.kill(workers[0]["pid"], signal.SIGKILL)
            deadline = time.monotonic() + DEADLINE
            while True:
                found = await asyncio.to_thread(stats, server)
                (replica,) = found["replicas"]
                if found["worker_restarts"] and replica["running"] < 12:
                    break
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            left = replica["running"]
            assert left == found["requests"]["active_streaming"]
            if left:
                assert await itl(those, 20 * left // len(those) + 1) == pytest.approx(
                    ALPHA + BETA * left, rel=0.1
                )

    with served(2, tmp_path) as server:
        asyncio.run(scenario())
