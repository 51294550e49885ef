"""Counters by name, between real processes."""

from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pytest

from llmsim.state.shm import named_counters
from llmsim.state.shm.named_counters import NamedCounters
from llmsim.state.shm.segment import PAGE, Segment, Shape

KEYS = 20_000
FEW = 2000
PATIENCE = 20.0
spawning = get_context("spawn")


class Clock:
    """Seconds that pass on demand."""

    now = 1.0

    def __call__(self) -> float:
        return self.now


def new_segment(keys: int) -> Segment:
    return Segment.create(Shape(1, PAGE, PAGE, 0, named_counters.size(keys), 0, keys))


@pytest.fixture
def segment() -> Segment:
    return new_segment(KEYS)


@pytest.fixture
def few() -> Segment:
    """A segment for few names."""
    return new_segment(FEW)


def take(path: str, most: int, pipe: Connection) -> None:
    """Take as many as there are and tell which."""
    counts = NamedCounters(Segment.attach(path))
    pipe.send("ready")
    pipe.recv()
    taken = [counts.take("rule", most) for _ in range(most)]
    pipe.send([number for number in taken if number is not None])


def test_names_are_counted_apart(segment: Segment) -> None:
    counts = NamedCounters(segment)
    assert [counts.advance("a"), counts.advance("a"), counts.advance("b")] == [0, 1, 0]
    assert [counts.reached(name) for name in ("a", "b", "c")] == [2, 1, 0]


def test_no_more_than_the_most_are_taken(segment: Segment) -> None:
    counts = NamedCounters(segment)
    assert [counts.take("a", 2) for _ in range(4)] == [0, 1, None, None]
    assert counts.reached("a") == 2
    assert counts.take("a", 3) == 2


def test_reset_forgets_every_name(segment: Segment) -> None:
    counts = NamedCounters(segment)
    names = [f"name {number}" for number in range(200)]
    for name in names:
        counts.advance(name)
    list(counts.reset())
    assert {counts.reached(name) for name in names} == {0}


def test_as_many_names_as_there_may_be_are_counted_exactly(segment: Segment) -> None:
    one, other = NamedCounters(segment), NamedCounters(segment)
    names = [f"name {number}" for number in range(KEYS)]
    assert {one.take(name, 1) for name in names} == {0}
    assert {other.take(name, 1) for name in names} == {None}
    assert one.table.used == KEYS
    assert one.table.forgotten == 0


def test_beyond_that_those_not_used_for_longest_are_forgotten_and_counted(
    few: Segment,
) -> None:
    clock = Clock()
    counts = NamedCounters(few, clock)
    counts.advance("kept")
    for number in range(2 * FEW):
        if number % 256 == 0:
            clock.now += 1
            assert counts.advance("kept") == number // 256 + 1
        counts.advance(f"passing {number}")
    assert counts.reached("kept") == 2 * FEW // 256 + 2
    assert counts.table.used == FEW
    assert counts.table.forgotten == FEW + 1


@pytest.fixture
def takers(segment: Segment) -> Iterator[list[Connection]]:
    with ExitStack() as stack:
        pipes = []
        for _ in range(4):
            here, there = spawning.Pipe()
            process = spawning.Process(target=take, args=(segment.path, 2000, there), daemon=True)
            process.start()
            stack.callback(process.join, PATIENCE)
            stack.callback(process.kill)
            pipes.append(here)
        yield pipes


def test_processes_take_each_number_once(takers: list[Connection]) -> None:
    for pipe in takers:
        assert pipe.poll(PATIENCE)
        assert pipe.recv() == "ready"
    for pipe in takers:
        pipe.send("go")
    taken = []
    for pipe in takers:
        assert pipe.poll(PATIENCE)
        taken += pipe.recv()
    assert sorted(taken) == list(range(2000))
