"""Counters by name, between real processes."""

from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pytest

from llmsim.state.shm import named_counters
from llmsim.state.shm.named_counters import NamedCounters
from llmsim.state.shm.segment import PAGE, Segment, Shape

SHAPE = Shape(1, PAGE, PAGE, 0, named_counters.SIZE)
PATIENCE = 20.0
spawning = get_context("spawn")


class Clock:
    """Seconds that pass on demand."""

    now = 1.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def segment() -> Segment:
    return Segment.create(SHAPE)


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
    counts.reset()
    assert {counts.reached(name) for name in names} == {0}


def test_a_full_bucket_forgets_what_was_not_used_for_longest(segment: Segment) -> None:
    clock = Clock()
    counts = NamedCounters(segment, clock)
    counts.advance("kept")
    for number in range(4 * named_counters.ENTRIES):
        if number % 256 == 0:
            clock.now += 1
            assert counts.advance("kept") == number // 256 + 1
        counts.advance(f"passing {number}")
    assert counts.reached("kept") == 4 * named_counters.ENTRIES // 256 + 1


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
