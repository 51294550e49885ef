"""Whatever a request held is freed when it ends, not when the garbage collector comes: that is
rare on purpose, and a body is up to 32 MB."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from llmsim.core.rate_limits import Concurrency
from llmsim.server.queue import Queue
from llmsim.transport.port import Gone
from tests.server.test_handler import INSTANT, SLOW, Client, Worker, soon

Scene = Callable[[Worker, Client], Awaitable[None]]


async def answered(worker: Worker, client: Client) -> None:
    await worker.answer(client)


async def streamed(worker: Worker, client: Client) -> None:
    await worker.answer(client)
    worker.scheduler.finish()


async def left_in_the_middle(worker: Worker, client: Client) -> None:
    await worker.answer(client)
    worker.scheduler.finish(whole=False)


async def left_while_waiting(worker: Worker, client: Client) -> None:
    answering = asyncio.ensure_future(worker.answer(client))
    await soon(lambda: worker.scheduler.waits)
    client.gone.set()
    await answering
    worker.scheduler.waits.clear()


async def cancelled(worker: Worker, client: Client) -> None:
    answering = asyncio.ensure_future(worker.answer(client))
    await soon(lambda: worker.scheduler.waits)
    worker.scheduler.waits.clear()
    answering.cancel()
    await asyncio.wait([answering])


async def broken_off(worker: Worker, client: Client) -> None:
    client.broken_off = Gone()
    await worker.answer(client)
    client.broken_off = None  # it remembers where it was raised


async def panicked(worker: Worker, client: Client) -> None:
    client.broken_off = BaseException("a panic")
    logging.disable()  # what pytest keeps of the log has the exception
    await worker.answer(client)
    logging.disable(logging.NOTSET)
    client.broken_off = None


async def queued(worker: Worker, client: Client) -> None:
    """Its client leaves while it waits for a place, which it never gets."""
    queue, places = Queue(worker.shared), Concurrency(1, 10, 60.0)
    await queue.enter(places, None)
    waiting = asyncio.ensure_future(queue.enter(places, client))
    await asyncio.sleep(0)
    client.gone.set()
    await asyncio.wait([waiting])
    assert isinstance(waiting.exception(), Gone)
    queue.leave()


WAYS: list[tuple[Scene, str, dict[str, str], bool]] = [
    (answered, INSTANT, {}, False),
    (answered, INSTANT, {"x-llmsim-error": "429"}, True),
    (answered, INSTANT, {"x-llmsim-fault": "reset"}, True),
    (answered, INSTANT, {"x-llmsim-target-tokens": "none"}, False),
    (streamed, INSTANT, {}, True),
    (left_in_the_middle, INSTANT, {}, True),
    (left_while_waiting, SLOW, {}, False),
    (left_while_waiting, SLOW, {}, True),
    (left_while_waiting, INSTANT, {"x-llmsim-error": "503; after_ms=5000"}, False),
    (cancelled, SLOW, {}, False),
    (cancelled, SLOW, {}, True),
    (broken_off, INSTANT, {}, False),
    (panicked, INSTANT, {}, False),
    (queued, INSTANT, {}, False),
]


@pytest.mark.parametrize(("scene", "text", "headers", "stream"), WAYS)
def test_nothing_that_ended_waits_for_the_collector(
    tmp_path: Path, scene: Scene, text: str, headers: dict[str, str], stream: bool
) -> None:
    worker = Worker(tmp_path, text)

    async def run() -> weakref.ref[Client]:
        client = worker.client(headers, stream=stream)
        await scene(worker, client)
        return weakref.ref(client)

    async def watched() -> bool:
        client = await asyncio.ensure_future(run())
        await soon(lambda: True)
        return client() is None

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(watched())
    finally:
        gc.enable()
