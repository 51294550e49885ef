"""When frames were due and left, as who looks on sees it."""

import numpy as np

from llmsim.core import Plan
from llmsim.core.plan import LargeChunk
from llmsim.server.journal.frame_times import MOST_BYTES, MOST_FRAMES, FrameTimes
from llmsim.state.shm.request_details import RequestDetails


class Chunks:
    """So many frames of so many bytes."""

    def __init__(self, count: int, size: int = 1) -> None:
        self._count = count
        self._size = size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int, /) -> bytes:
        return b"x" * self._size

    def join(self, start: int, stop: int) -> bytes:
        return b"x" * self._size * (stop - start)

    def reorder(self, order: object) -> "Chunks":
        return self


def read(times: FrameTimes) -> RequestDetails:
    due, left = times.planned.tobytes(), times.left.tobytes()
    return RequestDetails("", [], "", [], b"", 0, "", "", "", "", [], due, left)


def test_frames_that_leave_together_have_one_time() -> None:
    now = 5_000_000
    times = FrameTimes(5_000_000, lambda: now)
    plan = Plan(200, Chunks(4), np.array([0.1, 0.2, 0.3, 0.4]), True, 0.1, 0.4, 1)
    watched = times.plan(plan)
    assert len(watched.frames) == len(watched.due) == 4
    assert list(watched.due[0:3]) == [0.1, 0.2, 0.3]
    now += 101_000
    assert watched.frames.join(0, 1) == b"x"
    now += 220_000
    watched.frames.join(1, 3)
    assert list(watched.due[3:67]) == [0.4]
    details = read(times)
    assert details.due_times() == [0.1, 0.2, 0.3, 0.4]
    assert details.left_times() == [0.101, 0.321, 0.321]
    assert (times.answer, times.size) == (b"xxx", 3)


def test_other_times_take_the_place_of_those_that_were_planned() -> None:
    times = FrameTimes(0, lambda: 0)
    due = times.due(np.array([1.0, 2.0, 3.0]))
    _ = due[0:3]
    times.plans(1, np.array([5.0, 6.0]))
    assert read(times).due_times() == [1.0, 5.0, 6.0]


def test_what_is_kept_has_bounds() -> None:
    times = FrameTimes(0, lambda: 7)
    frames = times.frames(Chunks(3 * MOST_FRAMES, 100))
    for frame in range(2 * MOST_FRAMES):
        frames.join(frame, frame + 1)
    times.plans(0, np.zeros(MOST_FRAMES + 1))
    assert len(times.left) == 2 * MOST_FRAMES
    assert len(times.planned) == 0
    assert (len(times.answer), times.size) == (MOST_BYTES, 2 * MOST_FRAMES * 100)


def test_of_a_large_chunk_the_beginning_is_kept() -> None:
    times = FrameTimes(0, lambda: 0)
    large = LargeChunk([b"head", b"x" * 2 * MOST_BYTES, b"y" * 2 * MOST_BYTES])
    times.leaves(1, large)
    times.leaves(2, b"z")
    assert times.answer == bytes(large)[:MOST_BYTES]
    assert times.size == len(large) + 1
