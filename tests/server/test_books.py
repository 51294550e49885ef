import os

import pytest

from llmsim.config import Config, Server
from llmsim.server.books import Books, new_segment
from llmsim.shared.board import Board
from llmsim.shared.segment import Segment

DEAD = 1 << 22  # the kernel gives no process so high a number


class Watched:
    """A segment that tells which slots were claimed and released."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self.claimed: list[int] = []
        self.released: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._segment, name)

    def claim(self, slot: int) -> bool:
        self.claimed.append(slot)
        return self._segment.claim(slot)

    def release(self, slot: int) -> None:
        self.released.append(slot)
        self._segment.release(slot)


@pytest.fixture
def segment() -> Watched:
    return Watched(new_segment(Config(Server(workers=2, journal_mb=1))))


def left_behind(segment: Watched, slot: int) -> Board:
    """The board of a worker that died with two requests open."""
    board = Board(segment.board(slot))  # type: ignore[operator]
    board.take_over(DEAD)
    board.started()
    board.started()
    return board


def test_the_first_free_slot_is_taken_and_no_other_is_touched(segment: Watched) -> None:
    books = Books(segment)  # type: ignore[arg-type]
    assert books.slot == 0
    assert segment.claimed == [0]
    assert [(one.slot, one.pid) for one in books.workers()] == [(0, os.getpid())]


def test_what_the_dead_left_open_is_lost_wherever_it_was(segment: Watched) -> None:
    boards = [left_behind(segment, slot) for slot in (0, 3)]
    books = Books(segment)  # type: ignore[arg-type]
    assert books.slot == 0
    assert (segment.claimed, segment.released) == ([0, 3], [3])
    assert [board.active for board in boards] == [0, 0]
    assert books.snapshot().lost == 4
    assert [one.pid for one in books.workers()] == [os.getpid()]


def test_a_worker_that_resigns_leaves_nothing_open(segment: Watched) -> None:
    books = Books(segment)  # type: ignore[arg-type]
    books.board.started()
    books.resign()
    assert books.snapshot().active == 0
    assert books.workers() == []


def test_ids_lead_to_the_journal_they_came_from(segment: Watched) -> None:
    books = Books(segment)  # type: ignore[arg-type]
    number = books.journal.reserve()
    books.journal.begin(number, "/x", "m", b"{}", 1.0, (0.0, 0.0), 1, 0)
    mark = books.journal.mark(number)
    found = books.entry(f"req_{mark}")
    assert found is not None
    assert found.body == b"{}"
    assert books.entry("chatcmpl-LMs" + mark) == found
    assert books.latest(5) == [found]
    for unknown in ("", "req_", mark[1:], "fff" + mark[3:], mark[:-1] + "g"):
        assert books.entry(unknown) is None
