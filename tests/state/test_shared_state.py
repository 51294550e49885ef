import os

import pytest

from llmsim.config import Config, Server
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.rate_limit_buckets import RateLimitBuckets
from llmsim.state.shm.segment import Cursor, Segment
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.snapshot import Snapshot, workers

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


def left_behind(segment: Watched, slot: int) -> WorkerCounters:
    """The board of a worker that died with two requests open."""
    counters = WorkerCounters(segment.counters(slot))  # type: ignore[operator]
    counters.take_over(DEAD)
    counters.started()
    counters.started()
    return counters


def test_the_first_free_slot_is_taken_and_no_other_is_touched(segment: Watched) -> None:
    shared = SharedState(segment)  # type: ignore[arg-type]
    assert shared.slot == 0
    assert segment.claimed == [0]
    assert [(one.slot, one.pid) for one in workers(shared.all_counters)] == [(0, os.getpid())]


def test_what_the_dead_left_open_is_lost_wherever_it_was(segment: Watched) -> None:
    all_counters = [left_behind(segment, slot) for slot in (0, 3)]
    shared = SharedState(segment)  # type: ignore[arg-type]
    assert shared.slot == 0
    assert (segment.claimed, segment.released) == ([0, 3], [3])
    assert [counters.active for counters in all_counters] == [0, 0]
    assert Snapshot(shared.all_counters).lost == 4
    assert [one.pid for one in workers(shared.all_counters)] == [os.getpid()]


def test_a_worker_that_resigns_leaves_nothing_open(segment: Watched) -> None:
    shared = SharedState(segment)  # type: ignore[arg-type]
    shared.counters.started()
    shared.resign()
    assert Snapshot(shared.all_counters).active == 0
    assert workers(shared.all_counters) == []


def test_ids_lead_to_the_journal_they_came_from(segment: Watched) -> None:
    shared = SharedState(segment)  # type: ignore[arg-type]
    number = shared.journal.reserve()
    shared.journal.begin(number, "/x", "m", b"{}", 1.0, (0.0, 0.0), 1, 0)
    mark = shared.journal.mark(number)
    found = shared.entry(f"req_{mark}")
    assert found is not None
    assert found.body == b"{}"
    assert shared.entry("chatcmpl-LMs" + mark) == found
    assert shared.latest(5) == [found]
    for unknown in ("", "req_", mark[1:], "fff" + mark[3:], mark[:-1] + "g"):
        assert shared.entry(unknown) is None


def test_the_timetable_can_begin_again() -> None:
    shared = SharedState(new_segment(Config(Server(workers=2, journal_mb=1))))
    first = shared.elapsed()
    assert 0 <= first < 60
    shared.segment.put(Cursor.TIMETABLE, 0)
    assert shared.elapsed() > first
    shared.restart_timetable()
    assert 0 <= shared.elapsed() < 60


def test_a_dead_worker_holds_no_request_of_a_caller_who_lacks_one(segment: Watched) -> None:
    """Only those are closed, at once; its counters are for its successor."""
    shared = SharedState(segment)  # type: ignore[arg-type]
    left_behind(segment, 3)
    dead = RateLimitBuckets(segment)  # type: ignore[arg-type]
    dead.slot = 3
    names = [("name", "rule", ("c", "*"), (), 2), ("other", "rule", ("o", "*"), (), 2)]
    one, other = (dead.account(*name) for name in names)
    for account in (one, one, other):
        assert dead.take(account, (1, 1, 0, 0, 0)).refused is None
    segment.claimed.clear()
    same = shared.buckets.account(*names[0])
    assert shared.buckets.take(same, (1, 1, 0, 0, 0)).refused is None
    assert (segment.claimed, segment.released) == ([3], [3])
    assert dead.busy(other) == [3]
    assert shared.all_counters[3].pid == DEAD
    successor = SharedState(segment)  # type: ignore[arg-type]
    assert successor.slot == 3 or not dead.busy(other)
