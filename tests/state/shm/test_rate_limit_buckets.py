"""What callers have used of their limits, between real processes."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pytest

from llmsim.core.token_bucket import DAY, MINUTE, Bucket
from llmsim.state.shm import rate_limit_buckets
from llmsim.state.shm.concurrency_slots import ConcurrencySlots
from llmsim.state.shm.rate_limit_buckets import (
    COUNTED,
    AccountEntry,
    RateLimitBuckets,
    SharedAccount,
)
from llmsim.state.shm.segment import PAGE, Segment, Shape

SLOTS = 6
KEYS = 20_000
FEW = 8000
PATIENCE = 20.0
ONE = (1, 1, 0, 0, 0)
ANSWER = (1, 1, 30, 10, 20)
spawning = get_context("spawn")


class Clock:
    """Microseconds that pass on demand."""

    now = 1_000_000

    def __call__(self) -> int:
        return self.now


def new_segment(keys: int) -> Segment:
    size = rate_limit_buckets.size(SLOTS, keys)
    return Segment.create(Shape(SLOTS, PAGE, PAGE, 0, 0, size, keys))


@pytest.fixture
def segment() -> Segment:
    return new_segment(KEYS)


@pytest.fixture
def few() -> Segment:
    """A segment for few callers."""
    return new_segment(FEW)


def made(segment: Segment, slot: int = 0, clock: Clock | None = None) -> RateLimitBuckets:
    table = RateLimitBuckets(segment, clock or Clock())
    table.slot = slot
    return table


def account(
    table: RateLimitBuckets,
    name: str = "caller",
    requests: int | None = None,
    tokens: int | None = None,
    concurrent: int | None = None,
    daily: int | None = None,
) -> SharedAccount:
    """An account of that table under one rule."""
    limits = [(0, requests, MINUTE), (1, daily, DAY), (2, tokens, MINUTE)]
    held = tuple((at, Bucket(most, most, period)) for at, most, period in limits if most)
    return table.account(name, "rule", (name, "*"), held, concurrent)


def entry(table: RateLimitBuckets, caller: str = "caller") -> AccountEntry:
    """What is remembered of a caller."""
    (found,) = [one for one in table.entries() if one.caller == caller]
    return found


def test_all_is_taken_or_nothing(segment: Segment) -> None:
    table = made(segment)
    one = account(table, requests=10, tokens=50)
    assert table.take(one, ANSWER).refused is None
    refused = table.take(one, ANSWER)
    assert refused.refused == 1
    assert refused.counts == (MINUTE, 30 * MINUTE)
    assert entry(table).open == 1


def test_time_refills(segment: Segment) -> None:
    clock = Clock()
    table = made(segment, clock=clock)
    one = account(table, requests=2)
    assert [table.take(one, ONE).refused for _ in range(3)] == [None, None, 0]
    clock.now += MINUTE // 2 - 1
    assert table.take(one, ONE).refused == 0
    clock.now += 1
    assert [table.take(one, ONE).refused for _ in range(2)] == [None, 0]


@pytest.mark.parametrize(("more", "left"), [(5, 65), (-20, 90), (0, 70), (-500, 100)])
def test_what_was_estimated_is_settled(segment: Segment, more: int, left: int) -> None:
    table = made(segment)
    one = account(table, tokens=100)
    table.take(one, ANSWER)
    table.settle(one, (0, 0, more, 0, 0))
    kept = entry(table)
    assert Bucket(100, 100).remaining(kept.counts[COUNTED.index(COUNTED[2])]) == left
    assert kept.open == 0


def test_no_more_are_open_than_may_be(segment: Segment) -> None:
    table, other = made(segment), made(segment, 1)
    one = account(table, concurrent=3)
    same = account(other, concurrent=3)
    assert [table.take(one, ONE).refused for _ in range(2)] == [None, None]
    assert other.take(same, ONE).refused is None
    assert other.take(same, ONE).refused == -1
    table.settle(one, None)
    assert other.take(same, ONE).refused is None


def test_what_a_dead_worker_left_open_is_closed(segment: Segment) -> None:
    table, other = made(segment), made(segment, 1)
    one = account(table, concurrent=2)
    table.take(one, ONE)
    table.take(one, ONE)
    same = account(other, concurrent=2)
    assert other.take(same, ONE).refused == -1
    assert other.busy(same) == [0]
    other.release_slot(0)
    assert other.take(same, ONE).refused is None


def test_as_many_callers_as_there_may_be_are_exact(segment: Segment) -> None:
    """In whichever worker they come, each has one request a day."""
    table, other = made(segment), made(segment, 1)
    names = [f"caller {number}" for number in range(KEYS)]
    for refused, one in ((None, table), (1, other)):
        for name in names:
            same = account(one, name, requests=5, daily=1)
            assert one.take(same, ONE).refused == refused
            one.settle(same, None)
    assert [one.caller for one in table.entries(10, 5)] == names[10:15]
    assert table.table.used == KEYS
    assert table.table.forgotten == 0


def test_beyond_that_callers_who_have_used_nothing_make_room(few: Segment) -> None:
    """They may be forgotten without loss: their buckets are full again."""
    clock = Clock()
    table = made(few, clock=clock)
    used = [account(table, f"used {number}", daily=1) for number in range(FEW // 2)]
    for one in used:
        table.take(one, ONE)
        table.settle(one, None)
    for number in range(2 * FEW):
        clock.now += 10 * MINUTE // FEW
        one = account(table, f"passing {number}", requests=60)
        assert table.take(one, ONE).refused is None
        table.settle(one, None)
    assert {table.take(one, ONE).refused for one in used} == {0}
    assert table.table.used == FEW
    assert table.table.forgotten == 0


def test_beyond_that_callers_are_forgotten_and_counted_but_none_with_open_requests(
    few: Segment,
) -> None:
    clock = Clock()
    table = made(few, clock=clock)
    kept = account(table, "kept", daily=5)
    table.take(kept, ONE)
    for number in range(2 * FEW):
        clock.now += 1
        one = account(table, f"passing {number}", daily=5)
        table.take(one, ONE)
        table.settle(one, None)
    assert table.table.forgotten == FEW + 1
    assert entry(table, "kept").open == 1
    table.settle(kept, None)
    assert entry(table, "kept").open == 0
    labels = {one.caller for one in table.entries()}
    assert len(labels) == FEW
    assert f"passing {2 * FEW - 1}" in labels


def test_a_limit_that_changes_keeps_what_was_used(segment: Segment) -> None:
    table = made(segment)
    for _ in range(3):
        table.take(account(table, requests=5), ONE)
    taken = table.take(account(table, requests=10), ONE)
    assert Bucket(10, 10).remaining(taken.counts[0]) == 6


def test_reset_fills_every_bucket(segment: Segment) -> None:
    table = made(segment)
    one = account(table, requests=1)
    table.take(one, ONE)
    list(table.reset())
    assert table.take(one, ONE).refused is None
    assert entry(table).open == 2


def hammer(path: str, slot: int, pipe: Connection) -> None:
    """Take until asked to stop; report how many were had, at once, so that none is unaccounted."""
    table = RateLimitBuckets(Segment.attach(path))
    table.slot = slot
    one = account(table, "caller", tokens=30 * 700, daily=700)
    pipe.send("ready")
    pipe.recv()
    admitted = sum(table.take(one, ANSWER).refused is None for _ in range(1500))
    pipe.send(admitted)


def stall(path: str, slot: int, pipe: Connection) -> None:
    """Take three, and never give them back."""
    segment = Segment.attach(path)
    segment.claim(slot)
    table, slots = RateLimitBuckets(segment), ConcurrencySlots(segment)
    table.slot = slots.slot = slot
    one = account(table, concurrent=3)
    pipe.send([table.take(one, ONE).refused for _ in range(3)])
    pipe.recv()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def started(stack: ExitStack, target: object, path: str, slot: int) -> tuple[int, Connection]:
    here, there = spawning.Pipe()
    process = spawning.Process(target=target, args=(path, slot, there), daemon=True)  # type: ignore[arg-type]
    process.start()
    stack.callback(process.join, PATIENCE)
    stack.callback(process.kill)
    assert process.pid is not None
    return process.pid, here


def test_processes_take_exactly_what_there_is(segment: Segment, stack: ExitStack) -> None:
    pipes = [started(stack, hammer, segment.path, slot)[1] for slot in range(4)]
    for pipe in pipes:
        assert pipe.poll(PATIENCE)
        assert pipe.recv() == "ready"
    for pipe in pipes:
        pipe.send("go")
    for pipe in pipes:
        assert pipe.poll(PATIENCE)
    assert sum(pipe.recv() for pipe in pipes) == 700


def test_a_killed_process_holds_nothing_once_its_slot_is_free(
    segment: Segment, stack: ExitStack
) -> None:
    pid, pipe = started(stack, stall, segment.path, 1)
    assert pipe.poll(PATIENCE)
    assert pipe.recv() == [None, None, None]
    table = made(segment)
    one = account(table, concurrent=3)
    assert table.take(one, ONE).refused == -1
    assert not segment.claim(1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert segment.claim(1)
    table.release_slot(1)
    assert table.take(one, ONE).refused is None
