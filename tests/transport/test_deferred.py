"""Plans that are fed or re-timed while they are sent, under a clock and a loop of their own."""

from typing import Any

import numpy as np
import pytest

from llmsim.core import ConnectionEnd, Plan, Usage
from llmsim.core.errors import Failure, FailureKind
from llmsim.engine.plan import WholeFrame
from llmsim.state.shm import layout
from llmsim.state.shm.layout import CLOSED, OPENED
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.abort import AbortingStream
from llmsim.transport.deferred import FedFrames, StreamPlayback
from llmsim.transport.scheduler import Scheduler
from llmsim.transport.timer import LoopTimer
from tests.transport.test_scheduler import Client, Loop


class NoFrames:
    def __len__(self) -> int:
        return 0

    def __getitem__(self, index: int, /) -> bytes:
        raise IndexError(index)

    def join(self, start: int, stop: int) -> bytes:
        return b""

    def reorder(self, order: object) -> "NoFrames":
        return self


class Listed(NoFrames):
    def __init__(self, *frames: bytes) -> None:
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int, /) -> bytes:
        return self._frames[index]

    def join(self, start: int, stop: int) -> bytes:
        return b"".join(self._frames[start:stop])


class Decider:
    """Has the playback of a plan."""

    def begin(self, playback: object) -> None:
        raise AssertionError("the writer begins it")


class Scene:
    """A deferred plan under way, its client, and what was counted."""

    def __init__(self, frames: Any = None, due: tuple[float, ...] = (), **client: Any) -> None:
        self.loop = Loop()
        self.counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))
        scheduler = Scheduler(self.loop, self.counters, self.loop.clock, LoopTimer)  # type: ignore[arg-type]
        self.client = Client(self.loop, **client)
        self.stream: Any = self.client
        self.ended: list[tuple[bool, float, float, float, int]] = []
        self.amended: list[tuple[Usage | None, Failure | None]] = []
        self.start = self.loop.now
        plan = Plan(200, frames or NoFrames(), np.array(due), True, 0.0, 0.0, 0, deferred=Decider())
        self.playback = StreamPlayback(
            scheduler,
            plan,
            self.start,
            self.stream,
            lambda *how: self.ended.append(how),
            lambda usage, failure: self.amended.append((usage, failure)),
        )

    @property
    def received(self) -> list[tuple[int, bytes]]:
        """Milliseconds after the start, rounded, and what arrived then."""
        return [(round((at - self.start) / 1000), data) for at, data in self.client.received]

    @property
    def open(self) -> int:
        return self.counters.cells[OPENED] - self.counters.cells[CLOSED]


def test_frames_leave_at_their_times_whenever_they_are_added() -> None:
    scene = Scene()
    assert scene.playback.add(b"a", 0.010)
    assert scene.playback.add(b"b", 0.030)
    scene.loop.run(until=scene.start + 20_000)
    assert scene.received == [(10, b"a")]
    assert scene.playback.add(b"c", 0.030)
    scene.loop.run(until=scene.start + 50_000)
    assert scene.received == [(10, b"a"), (30, b"bc")]
    assert (scene.playback.pending, scene.ended, scene.open) == (0, [], 1)
    assert scene.playback.add(b"late", 0.040), "what is past leaves at once"
    assert scene.received[-1] == (50, b"late")
    scene.playback.end()
    assert (scene.client.closed, scene.open) == (1, 0)
    ((whole, first, _, lateness, sent),) = scene.ended
    assert (whole, sent) == (True, 4)
    assert first == pytest.approx(0.010, abs=0.001)
    assert lateness == pytest.approx(0.010, abs=0.001)


def test_an_answer_ends_only_when_all_has_left() -> None:
    scene = Scene(WholeFrame(b"first"), (0.005,))
    scene.playback.add(b"last", 0.020)
    scene.playback.end(usage=Usage(3, 4), failure=None)
    assert scene.ended == []
    scene.loop.run()
    assert scene.received == [(5, b"first"), (20, b"last")]
    assert [how[0] for how in scene.ended] == [True]
    assert scene.amended == [(Usage(3, 4), None)]


def test_no_frame_overtakes_one_that_was_added_before() -> None:
    scene = Scene()
    scene.playback.add(b"a", 0.030)
    scene.playback.add(b"b", 0.010)
    scene.playback.end()
    scene.loop.run()
    assert scene.received == [(30, b"ab")]


@pytest.mark.parametrize(
    ("times", "arrivals"),
    [
        ((0.040, 0.060), [(10, b"a"), (40, b"b"), (60, b"c")]),
        ((0.015, 0.016), [(10, b"a"), (15, b"b"), (16, b"c")]),
        ((0.0, 0.0), [(10, b"a"), (12, b"bc")]),
    ],
    ids=["later", "earlier", "past"],
)
def test_what_has_not_left_can_be_given_other_times(
    times: tuple[float, float], arrivals: list[tuple[int, bytes]]
) -> None:
    scene = Scene()
    for frame, due in ((b"a", 0.010), (b"b", 0.020), (b"c", 0.030)):
        scene.playback.add(frame, due)
    scene.playback.end()
    scene.loop.run(until=scene.start + 12_000)
    assert scene.playback.pending == 2
    scene.playback.retime(times)
    scene.loop.run()
    assert scene.received == arrivals
    assert [(how[0], how[4]) for how in scene.ended] == [(True, 3)]


def test_other_times_are_for_all_that_is_pending() -> None:
    scene = Scene()
    scene.playback.add(b"a", 0.010)
    with pytest.raises(ValueError, match="1 frames are pending, not 2"):
        scene.playback.retime((1.0, 2.0))


def test_a_client_that_leaves_ends_it_once() -> None:
    scene = Scene(stays_for=1)
    assert scene.playback.add(b"a", 0.0)
    assert not scene.playback.add(b"b", 0.0)
    assert not scene.playback.add(b"c", 0.0)
    scene.playback.retime(())
    scene.playback.end()
    scene.loop.run()
    assert [how[0] for how in scene.ended] == [False]
    assert scene.open == 0


@pytest.mark.parametrize("ending", ConnectionEnd)
def test_how_it_ends_is_decided_at_the_end(ending: ConnectionEnd) -> None:
    broken: list[str] = []

    class Peer:
        def written(self) -> int | None:
            return None

        def hang_up(self, reset: bool) -> None:
            broken.append("reset" if reset else "cut")

    scene = Scene()
    stream = AbortingStream(scene.client, Peer(), True, 0, True, lambda _, call: call(), False)
    scene.playback._stream = scene.playback._active.stream = stream
    failure = Failure(FailureKind.BAD_GATEWAY, "upstream left")
    scene.playback.end(ending, failure=failure)
    wanted = {ConnectionEnd.WHOLE: [], ConnectionEnd.CUT: ["cut"]}
    assert broken == wanted.get(ending, ["reset"])
    assert scene.amended == [(None, failure)]
    assert scene.client.closed == 1


def test_a_frame_that_has_left_is_forgotten() -> None:
    frames = FedFrames(WholeFrame(b"x" * 100))
    frames.add(b"y")
    assert frames.join(0, 2) == b"x" * 100 + b"y"
    assert (frames[0], frames[1], len(frames)) == (b"", b"", 2)


def test_one_frame_in_place_of_all_that_are_pending() -> None:
    scene = Scene(Listed(b"a", b"b", b"c"), (0.010, 0.020, 0.030))
    scene.playback.add(b"d", 0.040)
    scene.playback.end()
    scene.loop.run(until=scene.start + 12_000)
    assert scene.playback.cut(b"end", 0.015)
    scene.loop.run()
    assert scene.received == [(10, b"a"), (15, b"end")]
    assert [(how[0], how[-1]) for how in scene.ended] == [(True, 2)]
    assert (scene.client.closed, scene.open) == (1, 0)
    assert not scene.playback.cut(b"again", 0.020)


def test_nothing_is_cut_of_a_stream_that_has_been_sent() -> None:
    scene = Scene(Listed(b"a"), (0.010,))
    scene.loop.run(until=scene.start + 20_000)
    assert not scene.playback.cut(b"end", 0.015)
    scene.playback.end()
    assert scene.received == [(10, b"a")]


def test_planned_frames_and_added_ones_leave_together() -> None:
    frames = FedFrames(Listed(b"a", b"b"))
    frames.add(b"c")
    assert [frames[place] for place in range(3)] == [b"a", b"b", b"c"]
    assert frames.join(0, 1) == b"a"
    assert frames.join(1, 3) == b"bc"
    frames.add(b"d")
    frames.drop(3)
    assert len(frames) == 3
