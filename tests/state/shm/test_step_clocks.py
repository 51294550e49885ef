"""Step clocks in shared memory: as the clock itself, over workers, and through their death."""

import multiprocessing
import os
import signal
import time

import pytest

from llmsim.core.load.step_clock import NEVER, MemoryLine, StepClock
from llmsim.core.load.step_cost import StepCost
from llmsim.state.shm import step_clocks
from llmsim.state.shm.segment import PAGE, Segment, Shape
from llmsim.state.shm.step_clocks import CLOCKS, ROOM, SharedStepClocks

COST = StepCost(0.020, 0.002, 0.0001, 8, 1000)


def segment() -> Segment:
    return Segment.create(Shape(4, PAGE, PAGE, step_clocks=step_clocks.SIZE))


def worker(memory: Segment, slot: int) -> SharedStepClocks:
    clocks = SharedStepClocks(memory)
    clocks.slot = slot
    return clocks


def state(clock: StepClock) -> dict[str, object]:
    return {name: getattr(clock, name) for name in StepClock.__slots__ if name != "line"}


@pytest.fixture
def memory() -> Segment:
    return segment()


def test_it_is_the_clock_whichever_worker_looks(memory: Segment) -> None:
    """Arrivals at three workers, departures, a long prompt and a queue: after each, every worker
    sees what a clock of one process does."""
    workers = [worker(memory, slot) for slot in range(3)]
    alone = StepClock(COST, MemoryLine())
    index = workers[0].find("m", 1)
    now = 10.0
    for count in range(60):
        one = workers[count % 3]
        now += 0.017 * (count % 5)
        tokens, steps = 37 * count % 2600, 7.25 * (count % 9)
        ticket = one.join(index, COST, now, tokens, steps)
        assert ticket == alone.join(now, count % 3, tokens, steps)
        if count % 7 == 3 and ticket is not None:
            workers[(count + 1) % 3].leave(index, now, range(ticket - 2, ticket - 1))
            alone.leave(now, ticket - 2)
        alone.advance(now + 0.005)
        for other in workers:
            assert state(other.read(index, now + 0.005)) == state(alone)


def test_a_late_look_sees_the_same_times(memory: Segment) -> None:
    """However seldom somebody looks, a sequence begins and ends when it should."""
    often, seldom = worker(memory, 0), worker(segment(), 0)
    for clocks in (often, seldom):
        for place in range(12):
            clocks.join(clocks.find("m", 1), COST, 5.0 + place / 100, 700, 30.5)
    for moment in range(500):
        often.read(0, 5.2 + moment / 100)
    assert state(often.read(0, 11.0)) == state(seldom.read(0, 11.0))


def test_clocks_are_found_by_name(memory: Segment) -> None:
    one, two = worker(memory, 0), worker(memory, 1)
    first, second = one.find("a", 1), one.find("b", 1)
    assert first != second
    assert (two.find("b", 1), two.find("a", 1)) == (second, first)
    assert one.find("x" * 200, 1) == two.find("x" * 200, 1)


def test_replicas_are_taken_in_turn_over_all_workers(memory: Segment) -> None:
    one, two = worker(memory, 0), worker(memory, 1)
    turns = [clocks.find("m", 3) for clocks in (one, two, one, two, two, one)]
    assert len(set(turns[:3])) == 3
    assert turns[:3] == turns[3:]


def test_names_beyond_the_last_clock_share_it(memory: Segment) -> None:
    clocks = worker(memory, 0)
    found = [clocks.find(f"model-{number}", 1) for number in range(CLOCKS + 3)]
    assert len(set(found)) == CLOCKS
    assert found[-1] == found[-2]
    clocks.join(found[-1], COST, 0.0, 1, 1)
    assert [one.model for one in clocks.statuses(0.0)] == ["other"]


def test_a_line_has_an_end(memory: Segment) -> None:
    clocks = worker(memory, 0)
    index = clocks.find("m", 1)
    tickets = [clocks.join(index, COST, 0.0, 1, 1000) for _ in range(ROOM + 2)]
    assert None not in tickets[:ROOM]
    assert tickets[-1] is None


def test_a_slot_that_is_taken_over_holds_nothing(memory: Segment) -> None:
    one, two = worker(memory, 0), worker(memory, 1)
    index = one.find("m", 1)
    for clocks in (one, two) * 6:
        clocks.join(index, COST, 1.0, 1, 1000)
    assert two.read(index, 2.0).running == 8
    two.release_slot(0, 2.0)
    clock = two.read(index, 3.0)
    assert (clock.running, clock.queued) == (6, 0)
    assert clock.step == pytest.approx(COST.step(6, 0))


def test_statuses(memory: Segment) -> None:
    clocks = worker(memory, 0)
    index = clocks.find("llama", 1)
    for _ in range(10):
        clocks.join(index, COST, 1.0, 500, 1000)
    (status,) = clocks.statuses(1.08)
    assert (status.model, status.replica, status.running, status.waiting) == ("llama", 0, 3, 7)
    assert status.step == pytest.approx(COST.step(1, 1000))
    assert status.prefill_rate == pytest.approx(1000 / status.step)
    (status,) = clocks.statuses(500.0)
    assert status[2:] == (0, 0, 8, 0.0, 5000, 0.0)


def test_other_costs_hold_for_those_that_run(memory: Segment) -> None:
    clocks = worker(memory, 0)
    index = clocks.find("m", 1)
    clocks.join(index, COST, 0.0, 1, 1000)
    clocks.read(index, 1.0)
    slow = StepCost(1.0, 0.0, 0.0, 8, 1000)
    clocks.join(index, slow, 1.0, 1, 1000)
    assert clocks.read(index, 1.0).step == 1.0
    assert worker(memory, 1).read(index, 1.0).cost == slow


def hammer(memory: Segment, slot: int, count: int) -> None:
    clocks = worker(memory, slot)
    index = clocks.find("m", 1)
    for number in range(count):
        ticket = clocks.join(index, COST, time.monotonic(), 10, 1e9)
        clocks.read(index, time.monotonic())
        if number % 2 and ticket is not None:
            clocks.leave(index, time.monotonic(), range(ticket, ticket + 1))


def test_it_is_exact_over_processes(memory: Segment) -> None:
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=hammer, args=(memory, slot, 200)) for slot in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    clock = worker(memory, 3).read(0, time.monotonic())
    assert clock.running + clock.queued == 300
    assert clock.next == 601


def test_a_worker_killed_in_the_middle_leaves_the_clock_whole(memory: Segment) -> None:
    fork = multiprocessing.get_context("fork")
    survivor = worker(memory, 3)
    index = survivor.find("m", 1)
    for _ in range(5):
        process = fork.Process(target=hammer, args=(memory, 1, 1_000_000))
        process.start()
        tickets = survivor.read(index, time.monotonic()).next
        deadline = time.monotonic() + 30
        while survivor.read(index, time.monotonic()).next < tickets + 50:
            assert time.monotonic() < deadline
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        survivor.release_slot(1, time.monotonic())
        clock = survivor.read(index, time.monotonic())
        assert (clock.running, clock.queued, clock.members) == (0, 0, 0)
        assert clock.change == NEVER or clock.tail != NEVER
        ticket = survivor.join(index, COST, time.monotonic(), 1, 5)
        assert ticket is not None
        survivor.leave(index, time.monotonic(), range(ticket, ticket + 1))
