"""Bodies that are there in time, and those that are not."""

from __future__ import annotations

import asyncio

import pytest

from llmsim.core.errors import FailureKind
from llmsim.state.shm import layout
from llmsim.state.shm.layout import BODIES_LATE
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.body_deadline import PERIODS, BodyDeadline
from llmsim.transport.bounds import Bounds


class Reading:
    """A body, or a part of one, that does not arrive."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """An event loop of which only the timers matter."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, object, tuple[object, ...]]] = []

    def call_later(self, delay: float, callback: object, *arguments: object) -> None:
        self.timers.append((delay, callback, arguments))


def counted() -> tuple[WorkerCounters, Bounds]:
    counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))
    return counters, Bounds(counters)


def test_each_body_has_the_whole_time_and_a_period_more_at_most() -> None:
    deadline = BodyDeadline(8.0, counted()[1])
    first, second = Reading(), Reading()
    deadline.waiting.add(first)
    deadline.next_period()
    deadline.waiting.add(second)
    for _ in range(PERIODS - 1):
        deadline.next_period()
    assert not first.cancelled
    deadline.next_period()
    assert (first.cancelled, second.cancelled) == (True, False)
    deadline.next_period()
    assert second.cancelled


def test_what_is_cancelled_is_no_longer_in_its_set() -> None:
    deadline = BodyDeadline(8.0, counted()[1])
    waiting = deadline.waiting
    left: list[int] = []

    class Looking(Reading):
        def cancel(self) -> None:
            left.append(len(waiting))

    waiting.update([Looking(), Looking()])
    for _ in range(PERIODS + 1):
        deadline.next_period()
    assert left == [0, 0]


def test_one_that_has_arrived_is_left_alone() -> None:
    deadline = BodyDeadline(8.0, counted()[1])
    one, waiting = Reading(), deadline.waiting
    waiting.add(one)
    deadline.next_period()
    waiting.discard(one)
    for _ in range(2 * PERIODS):
        deadline.next_period()
    assert not one.cancelled


@pytest.mark.parametrize(("timeout", "timers"), [(8.0, [8.0 / PERIODS]), (0.0, [])])
def test_periods_follow_each_other_where_a_time_is_set(timeout: float, timers: list[float]) -> None:
    loop = Loop()
    deadline = BodyDeadline(timeout, counted()[1])
    waiting = deadline.waiting
    deadline.watch(loop)  # type: ignore[arg-type]
    assert [delay for delay, _, _ in loop.timers] == timers
    for _, callback, arguments in tuple(loop.timers):
        callback(*arguments)  # type: ignore[operator]
        assert deadline.waiting is not waiting
        assert [delay for delay, _, _ in loop.timers] == timers * 2


def test_who_is_late_is_counted_and_is_told_the_time() -> None:
    counters, bounds = counted()
    failure = BodyDeadline(1.5, bounds).late().failure
    assert failure.kind is FailureKind.TIMEOUT_CLIENT
    assert "within 1.5 seconds" in failure.message
    assert counters.cells[BODIES_LATE] == 1


def test_the_periods_go_on_in_an_event_loop() -> None:
    async def scene() -> None:
        deadline = BodyDeadline(0.008, counted()[1])
        body = asyncio.get_running_loop().create_future()
        deadline.waiting.add(body)
        deadline.watch(asyncio.get_running_loop())
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(body, 5)

    asyncio.run(scene())
