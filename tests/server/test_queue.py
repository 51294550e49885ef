"""The queue for concurrency slots: two workers on one segment, and a loop without real time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from llmsim.config import Config, Server
from llmsim.core.errors import BadRequest, FailureKind
from llmsim.core.rate_limits import Concurrency
from llmsim.server import queue
from llmsim.server.queue import Queue
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.layout import QUEUE
from llmsim.transport.port import Gone

ONE = Concurrency(max_concurrency=1, queue_limit=2, queue_timeout=60.0)


class InstantLoop(asyncio.SelectorEventLoop):
    """A loop in which the next timer's time has come as soon as nothing else is to be done."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class Caller:
    """Who waits for an answer until they leave."""

    path = query = ""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def header(self, name: str) -> str | None:
        return None

    def names(self) -> list[str]:
        return []

    async def left(self) -> None:
        await self.gone.wait()


Scene = Callable[[Queue, Queue, InstantLoop], Coroutine[Any, Any, None]]


def played(scene: Scene) -> SharedState:
    """What is left of the shared state after a scene with the queues of two workers."""
    segment = new_segment(Config(Server(workers=2, journal_mb=1)))
    one, two = SharedState(segment), SharedState(segment)
    loop = InstantLoop()
    try:
        loop.run_until_complete(scene(Queue(one, loop.time), Queue(two, loop.time), loop))
    finally:
        loop.close()
    return one


async def settled() -> None:
    """Let everything that can go on do so, without any time passing."""
    for _ in range(5):
        await asyncio.sleep(0)


async def begun(entering: Awaitable[float]) -> "asyncio.Task[float]":
    task = asyncio.ensure_future(entering)
    await settled()
    return task  # type: ignore[return-value]


def test_a_free_slot_is_taken_at_once_and_the_next_request_waits_for_it() -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        assert await one.enter(ONE, None) == 0.0
        waiting = await begun(one.enter(ONE, None))
        assert not waiting.done()
        loop.call_later(0.5, one.leave)
        assert await waiting == pytest.approx(0.5)
        one.leave()

    shared = played(scene)
    assert (shared.concurrency.held, shared.concurrency.waiting) == (0, 0)


def test_first_come_first_served_over_workers() -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await one.enter(ONE, None)
        first = await begun(two.enter(ONE, None))
        second = await begun(one.enter(ONE, None))
        one.leave()
        await settled()
        assert not second.done(), "the other worker's request came before"
        await first
        assert not second.done()
        two.leave()
        await second
        one.leave()

    assert played(scene).concurrency.held == 0


def test_a_full_queue_refuses_and_a_long_wait_ends() -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await one.enter(ONE, None)
        waiting = [await begun(two.enter(ONE, None)) for _ in range(ONE.queue_limit)]
        with pytest.raises(BadRequest) as full:
            await one.enter(ONE, None)
        assert full.value.failure.kind is FailureKind.OVERLOADED
        start = loop.time()
        for task in waiting:
            with pytest.raises(BadRequest) as late:
                await task
            assert late.value.failure.kind is FailureKind.TIMEOUT
        assert loop.time() - start == pytest.approx(60.0, abs=0.1)
        one.leave()

    shared = played(scene)
    assert (shared.concurrency.held, shared.concurrency.waiting) == (0, 0)


def test_a_client_that_leaves_makes_room_for_the_next() -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await one.enter(ONE, None)
        caller = Caller()
        leaver = await begun(one.enter(ONE, caller))
        following = await begun(one.enter(ONE, None))
        caller.gone.set()
        with pytest.raises(Gone):
            await leaver
        one.leave()
        await following
        one.leave()

    shared = played(scene)
    assert (shared.concurrency.held, shared.concurrency.waiting) == (0, 0)


def test_a_request_that_is_cancelled_as_it_gets_its_slot_hands_it_on() -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await one.enter(ONE, None)
        first, second = await begun(one.enter(ONE, None)), await begun(one.enter(ONE, None))
        one.leave()  # the first has the slot from now on, and has not run yet
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await second
        one.leave()

    assert played(scene).concurrency.held == 0


def test_dead_workers_are_looked_for_while_requests_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await two.enter(ONE, None)
        looks: list[float] = []

        def reap(slots: list[int], close: Callable[[int], None]) -> bool:
            looks.append(loop.time())
            two.leave()
            return True

        monkeypatch.setattr(one._shared, "reap", reap)
        waited = await one.enter(ONE, None)
        assert len(looks) == 1
        assert waited < 2 * queue.REAP_PERIOD
        one.leave()

    played(scene)


def test_a_slot_that_comes_to_one_who_is_just_leaving_is_handed_on() -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await one.enter(ONE, None)
        caller = Caller()
        leaver = await begun(one.enter(ONE, caller))
        following = await begun(one.enter(ONE, None))
        caller.gone.set()
        while not one._waiting[0].outcome.done():  # until it is told, and has not run yet
            await asyncio.sleep(0)
        one.leave()
        with pytest.raises(Gone):
            await leaver
        await following
        one.leave()

    shared = played(scene)
    assert (shared.concurrency.held, shared.concurrency.waiting) == (0, 0)


def test_those_behind_one_who_waited_too_long_move_up() -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await one.enter(ONE, None)
        late = await begun(one.enter(ONE, None))
        await asyncio.sleep(59)
        following = await begun(one.enter(ONE, None))
        with pytest.raises(BadRequest):
            await late
        one.leave()
        assert await following == pytest.approx(1.0, abs=0.01)

    assert played(scene).concurrency.waiting == 0


def test_dead_workers_are_looked_for_before_anybody_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = Concurrency(max_concurrency=1, queue_limit=0, queue_timeout=60.0)

    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await two.enter(full, None)

        def reap(slots: list[int], close: Callable[[int], None]) -> bool:
            two.leave()
            return True

        monkeypatch.setattr(one._shared, "reap", reap)
        assert await one.enter(full, None) == 0.0

    played(scene)


def test_a_change_to_more_slots_lets_more_of_those_in_who_wait() -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await one.enter(ONE, None)
        waiting = [await begun(one.enter(ONE, None)) for _ in range(2)]
        last = await begun(one.enter(Concurrency(3, 5, 60.0), None))
        await asyncio.gather(*waiting)
        assert not last.done()
        one.leave()
        await last

    assert played(scene).concurrency.held == 3


def test_waits_are_counted() -> None:
    async def scene(one: Queue, two: Queue, loop: InstantLoop) -> None:
        await one.enter(ONE, None)
        waiting = await begun(one.enter(ONE, None))
        loop.call_later(2.0, one.leave)
        await waiting

    total, *_ = played(scene).counters.histogram(QUEUE)
    assert total == pytest.approx(2_000_000, abs=10)
