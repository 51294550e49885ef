"""Responses that break off, with a connection that tells how much has been written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from llmsim.core import ConnectionEnd, Plan
from llmsim.engine.plan import WholeFrame
from llmsim.transport.abort import FLUSHED, HELD, LOOK, PATIENCE, AbortingStream, opened


class World:
    """A connection, a response on it and a clock that only advances on demand; writes down what
    happens to them."""

    def __init__(self, known: bool = True) -> None:
        self.now = 0.0
        self.waiting: list[tuple[float, Callable[[], None]]] = []
        self.got = 0 if known else None
        self.seen: list[tuple[float, str]] = []

    def later(self, after: float, call: Callable[[], None]) -> None:
        self.waiting.append((self.now + after, call))

    def run(self, until: float) -> None:
        while due := [one for one in self.waiting if one[0] <= until]:
            first = min(due, key=lambda one: one[0])
            self.waiting.remove(first)
            self.now = first[0]
            first[1]()
        self.now = until

    def written(self) -> int | None:
        return self.got

    def hang_up(self, reset: bool) -> None:
        self.seen.append((round(self.now, 6), "reset" if reset else "cut"))

    def send(self, data: bytes) -> bool:
        self.seen.append((self.now, data.decode()))
        return True

    def close(self) -> None:
        self.seen.append((round(self.now, 6), "close"))


def breaking(world: World, reset: bool = False, chunked: bool = False) -> AbortingStream:
    return AbortingStream(world, world, reset, 100, chunked, world.later)


@pytest.mark.parametrize(("chunked", "needed"), [(False, 105), (True, 110)])
def test_it_breaks_once_all_is_written(chunked: bool, needed: int) -> None:
    world = World()
    stream = breaking(world, chunked=chunked)
    assert stream.send(b"words")
    stream.close()
    world.got = needed - 1
    world.run(0.1)
    assert world.seen == [(0.0, "words")]
    world.got = needed
    world.run(0.2)
    (_, _), (first, how), (second, close) = world.seen
    assert (how, close) == ("cut", "close")
    assert first == second == pytest.approx(0.1 + FLUSHED, abs=2 * LOOK)


def test_it_breaks_soon_where_nobody_tells() -> None:
    world = World(known=False)
    breaking(world).close()
    world.run(1.0)
    assert world.seen == [(FLUSHED, "cut"), (FLUSHED, "close")]


def test_a_client_that_reads_nothing_does_not_hold_it_up_for_ever() -> None:
    world = World()
    breaking(world).close()
    world.run(2 * PATIENCE)
    assert [what for _, what in world.seen] == ["cut", "close"]
    assert world.seen[0][0] == pytest.approx(PATIENCE + FLUSHED, abs=2 * LOOK)


def test_after_a_reset_the_response_is_not_ended_before_the_server_knows() -> None:
    world = World(known=False)
    breaking(world, reset=True).close()
    world.run(10.0)
    assert world.seen == [(FLUSHED, "reset"), (FLUSHED + HELD, "close")]


def test_nothing_is_no_chunk() -> None:
    world = World()
    assert breaking(world).send(b"")
    assert world.seen == []


def test_a_whole_answer_is_opened_as_ever() -> None:
    opening: list[Any] = []

    class Port:
        def open(self, status: int, headers: list[tuple[str, str]]) -> str:
            opening.append((status, headers))
            return "stream"

    port: Any = Port()
    due = np.zeros(1)
    for length, head in ((None, [("a", "b")]), (7, [("a", "b"), ("content-length", "7")])):
        planned = Plan(200, WholeFrame(b"x"), due, True, 0.0, 0.0, 0, length=length)
        assert planned.ending is ConnectionEnd.WHOLE
        made: Any = opened(port, planned, [("a", "b")])
        assert made == "stream"
        assert opening.pop() == (200, head)
