"""Which workers hang, and what becomes of them."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from llmsim.server.watchdog import STARTING, HangDetector, HangingWorkers
from llmsim.state.shm import layout
from llmsim.state.shm.layout import BEAT
from llmsim.state.shm.segment import PAGE, Cursor, Segment, Shape
from llmsim.state.shm.worker_counters import WorkerCounters

TIMEOUT = 4.0


class Watched:
    """Workers that beat once a second, but for those in ``hanging``, looked at once a second."""

    def __init__(self, *pids: int) -> None:
        self.detector = HangDetector(TIMEOUT)
        self.beats = dict.fromkeys(pids, 1)
        self.hanging: set[int] = set()
        self.now = 100.0

    def second(self, passed: float = 1.0) -> int | None:
        """Who is found to hang a second later."""
        self.now += passed
        for pid in self.beats.keys() - self.hanging:
            self.beats[pid] += 1
        found = self.detector.hung(self.beats, self.now)
        return None if found is None else found[0]

    def seconds(self, count: int) -> list[int | None]:
        return [self.second() for _ in range(count)]


def test_workers_that_report_do_not_hang() -> None:
    assert set(Watched(1, 2).seconds(60)) == {None}


def test_one_that_is_silent_for_so_long_hangs() -> None:
    scene = Watched(1, 2)
    scene.seconds(10)
    scene.hanging = {2}
    assert scene.seconds(4) == [None, None, None, 2]


def test_its_successor_begins_anew() -> None:
    scene = Watched(1, 2)
    scene.seconds(3)
    scene.hanging = {2}
    scene.seconds(4)
    del scene.beats[2]
    scene.beats[3] = 0
    assert set(scene.seconds(20)) == {None}


def test_one_at_a_time_those_that_are_silent_for_longest_first() -> None:
    """What one holds locked may be all that the others wait for."""
    scene = Watched(1, 2)
    scene.seconds(2)
    scene.hanging = {2}
    scene.second()
    scene.hanging = {1, 2}
    assert scene.seconds(4) == [None, None, 2, 2]
    del scene.beats[2]
    scene.hanging = set()
    assert set(scene.seconds(10)) == {None}


def test_one_that_starts_may_take_longer() -> None:
    scene = Watched(1)
    scene.beats, scene.hanging = {1: 0}, {1}
    assert scene.seconds(int(STARTING + TIMEOUT) + 1)[-2:] == [None, 1]


def test_nobody_hangs_because_all_were_stopped() -> None:
    """The whole server was: its launcher as well."""
    scene = Watched(1, 2)
    scene.seconds(3)
    scene.hanging = {1, 2}
    assert scene.second(passed=600.0) is None
    assert scene.seconds(3) == [None, None, None]
    scene.hanging = {1}
    assert scene.second() == 1


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_who_hangs_is_killed_and_counted(process: subprocess.Popen[bytes]) -> None:
    segment = Segment.create(Shape(2, layout.SIZE, PAGE))
    counters = WorkerCounters(segment.counters(1))
    counters.take_over(process.pid)
    watchdog = HangingWorkers(segment, TIMEOUT, lambda: [process.pid], lambda: False)
    for second in range(1, 60):
        counters.cells[BEAT] = second
        watchdog.look(float(second))
    assert process.poll() is None
    for second in range(60, 75):
        watchdog.look(float(second))
    assert process.wait(20) == -signal.SIGKILL
    assert segment.reached(Cursor.HUNG) == 1


def test_one_that_died_meanwhile_is_nothing_to_it(process: subprocess.Popen[bytes]) -> None:
    segment = Segment.create(Shape(2, layout.SIZE, PAGE))
    WorkerCounters(segment.counters(0)).take_over(process.pid)
    process.kill()
    process.wait()
    watchdog = HangingWorkers(segment, TIMEOUT, lambda: [process.pid], lambda: False)
    for second in range(1, 140):
        watchdog.look(float(second))
    assert segment.reached(Cursor.HUNG) == 0


@pytest.mark.parametrize(("ending", "killed"), [(False, False), (True, True)])
def test_one_that_starts_does_not_hold_up_the_end(
    process: subprocess.Popen[bytes], ending: bool, killed: bool
) -> None:
    segment = Segment.create(Shape(2, layout.SIZE, PAGE))
    WorkerCounters(segment.counters(0)).take_over(process.pid)
    watchdog = HangingWorkers(segment, TIMEOUT, lambda: [process.pid], lambda: ending)
    for second in range(1, int(TIMEOUT) + 3):
        watchdog.look(float(second))
    if killed:
        process.wait(20)
    assert (process.poll() == -signal.SIGKILL) == killed
