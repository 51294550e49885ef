"""Granian's process manager as llmsim overrides it, without processes."""

from __future__ import annotations

import inspect
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from granian.server import Server
from granian.server.common import AbstractWorker

from llmsim.server import granian_overrides
from llmsim.server.granian_overrides import ATTEMPTS, SHORTEST_LIFE, Supervisor

OVERRIDDEN = ("_spawn_worker", "_stop_workers", "_reload", "_serve_loop")


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_granian_still_has_what_is_overridden(name: str) -> None:
    assert name in vars(Supervisor)
    ours, theirs = (
        list(inspect.signature(getattr(c, name)).parameters) for c in (Supervisor, Server)
    )
    assert ours == theirs


def test_nothing_else_is_overridden() -> None:
    own = {name for name, value in vars(Supervisor).items() if inspect.isfunction(value)}
    assert {name for name in own if hasattr(Server, name)} == set(OVERRIDDEN)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(granian_overrides, "time", made)
    return made


def supervisor(clock: Clock, lives: list[float]) -> tuple[Any, list[int]]:
    """One whose only worker dies after each of these seconds, and then is told to stop; and the
    indexes of the workers it replaced."""
    made: Any = Supervisor.__new__(Supervisor)
    made.main_loop_interrupt = threading.Event()
    made.interrupt_signal = made.reload_signal = False
    made.interrupt_children = []
    made.wrks = [SimpleNamespace(birth=clock.now)]
    replaced: list[int] = []

    def die() -> None:
        if lives:
            clock.now += lives.pop(0)
            made.interrupt_children.append(0)
        else:
            made.interrupt_signal = True
        made.main_loop_interrupt.set()

    def respawn(workers: list[int], target: Any, loader: Any) -> None:
        replaced.extend(workers)
        made.wrks = [SimpleNamespace(birth=clock.now)]
        die()

    made._respawn_workers = respawn
    die()
    return made, replaced


def test_a_worker_that_is_killed_is_replaced_however_often(clock: Clock) -> None:
    made, replaced = supervisor(clock, [2 * SHORTEST_LIFE] * 50)
    made._serve_loop(None, None)
    assert len(replaced) == 50
    assert clock.slept == []


def test_workers_that_die_as_they_start_end_the_server(clock: Clock) -> None:
    made, replaced = supervisor(clock, [0.0] * 50)
    made._serve_loop(None, None)
    assert len(replaced) == ATTEMPTS
    assert clock.slept == [SHORTEST_LIFE] * ATTEMPTS
    assert made.interrupt_children == [0]  # Granian then exits with 1


def test_one_that_lives_longer_starts_the_count_again(clock: Clock) -> None:
    made, replaced = supervisor(clock, [*[0.0] * ATTEMPTS, 2 * SHORTEST_LIFE] * 3)
    made._serve_loop(None, None)
    assert len(replaced) == 3 * (ATTEMPTS + 1)


def test_reloading_keeps_the_workers() -> None:
    made: Any = Supervisor.__new__(Supervisor)
    made.reload_signal = True
    called: list[str] = []
    made.hooks_reload = [lambda: called.append("hook")]
    made._reload(None, None)
    assert called == ["hook"]
    assert made.reload_signal is False


@pytest.mark.parametrize(("stopping", "failed"), [(True, []), (False, [0])])
def test_a_worker_that_ends_while_the_server_stops_has_not_failed(
    monkeypatch: pytest.MonkeyPatch, stopping: bool, failed: list[int]
) -> None:
    monkeypatch.setattr(Server, "_stop_workers", lambda self: None)
    made: Any = Supervisor.__new__(Supervisor)
    made.interrupt_signal, made.interrupt_children = stopping, [0]
    made._stop_workers()
    assert made.interrupt_children == failed


class Process:
    """A child process of which another thread has been told the end: it seems to be alive."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def join(self, timeout: float | None = None) -> None:
        self.over.wait(timeout)

    def is_alive(self) -> bool:
        return True

    def start(self) -> None: ...

    terminate = kill = start


class Worker(AbstractWorker):  # type: ignore[misc, valid-type]
    """One of Granian's, with a process that is none."""

    def _spawn(self, target: Any, args: Any) -> None:
        self.inner = Process()

    def _id(self) -> int:
        return 0

    def terminate(self) -> None:
        self.interrupt_by_parent = True

    def kill(self) -> None:
        raise AssertionError("killed")


def spawned(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """A supervisor with one worker that has started."""
    made: Any = Supervisor.__new__(Supervisor)
    made.workers_kill_timeout, made.interrupt_signal = 30, True
    made.interrupt_children, made.main_loop_interrupt = [], threading.Event()
    made.reload_on_changes = False
    monkeypatch.setattr(
        Server, "_spawn_worker", lambda self, idx, target, loader: Worker(self, idx, target, ())
    )
    worker = made._spawn_worker(0, None, None)
    made.wrks = [worker]
    worker.start()
    return made, worker


def test_a_worker_that_has_ended_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, worker = spawned(monkeypatch)
    assert worker.is_alive()
    worker.inner.over.set()
    made._stop_workers()  # would kill it
    assert not worker.is_alive()


def test_a_worker_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, worker = spawned(monkeypatch)
    made.workers_kill_timeout = 0.01
    worker.kill = worker.inner.over.set
    made._stop_workers()
    assert not worker.is_alive()


def test_a_worker_that_ends_by_itself_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    made, worker = spawned(monkeypatch)
    worker.inner.over.set()
    assert made.main_loop_interrupt.wait(5)
    assert made.interrupt_children == [0]


class Succeeding:
    """A supervisor of workers that are none: which started, were told to end, and were killed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clock: Clock, workers: int = 2) -> None:
        self.supervisor: Any = Supervisor.__new__(Supervisor)
        made = self.supervisor
        made.workers_kill_timeout, made.reload_on_changes = 0.01, False
        made.interrupt_signal, made.interrupt_children = False, []
        made.main_loop_interrupt = threading.Event()
        self.pid = 0
        self.able: list[bool] = []
        made._spawn = self.spawn
        made.wrks = [self.spawn(index) for index in range(workers)]

    def spawn(self, index: int) -> Any:
        self.pid += 1
        dead = not (self.able.pop(0) if self.able else True)
        worker = SimpleNamespace(
            inner=SimpleNamespace(pid=self.pid), over=threading.Event(), idx=index, calls=[]
        )
        if dead:
            worker.over.set()
        worker.interrupt_by_parent = False
        worker.is_alive = lambda: not worker.over.is_set()
        worker.join = worker.over.wait
        worker.start = lambda: None
        worker.terminate = lambda: worker.calls.append("terminate")
        worker.kill = worker.over.set
        return worker

    def pids(self) -> list[int]:
        return [worker.inner.pid for worker in self.supervisor.wrks]


def test_workers_are_replaced_and_let_their_streams_end(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    scene = Succeeding(monkeypatch, clock)
    before = list(scene.supervisor.wrks)
    looks: list[int] = []

    def ready(pid: int) -> bool:
        looks.append(pid)
        # One after another: nobody is told to end whose successor does not serve.
        assert [worker.calls for worker in before][pid - 3] == []
        return looks.count(pid) == 3

    assert scene.supervisor.replace_workers(ready)
    assert scene.pids() == [3, 4]
    assert [worker.calls for worker in before] == [["terminate"]] * 2
    assert scene.supervisor.interrupt_children == []
    assert not any(worker.interrupt_by_parent for worker in scene.supervisor.wrks)
    # They are killed once their time is over.
    for worker in before:
        assert worker.over.wait(5)
    assert scene.supervisor.pids() == [3, 4]


def test_those_that_leave_are_watched_and_stopped_with_the_rest(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    scene = Succeeding(monkeypatch, clock)
    scene.supervisor.workers_kill_timeout = 60
    before = list(scene.supervisor.wrks)
    assert scene.supervisor.replace_workers(lambda pid: True)
    assert scene.supervisor.pids() == [3, 4, 1, 2]
    stopped: list[int] = []
    monkeypatch.setattr(
        Server, "_stop_workers", lambda self: stopped.extend(w.inner.pid for w in self.wrks)
    )
    before[0].over.set()
    scene.supervisor._stop_workers()
    assert stopped == [3, 4, 2]
    before[1].over.set()


def test_where_the_first_new_worker_dies_nothing_has_changed(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    scene = Succeeding(monkeypatch, clock)
    before = list(scene.supervisor.wrks)
    scene.able = [False]
    assert not scene.supervisor.replace_workers(lambda pid: False)
    assert scene.supervisor.wrks == before
    assert [worker.calls for worker in before] == [[], []]


def test_where_it_never_serves_it_is_killed(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    scene = Succeeding(monkeypatch, clock)
    new = scene.spawn(0)
    scene.supervisor._spawn = lambda index: new
    assert not scene.supervisor.replace_workers(lambda pid: False)
    assert sum(clock.slept) == pytest.approx(granian_overrides.STARTING)
    assert not new.is_alive()


def test_a_later_one_that_dies_is_replaced_as_any(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    scene = Succeeding(monkeypatch, clock)
    scene.able = [True, False]
    assert scene.supervisor.replace_workers(lambda pid: pid == 3)
    assert scene.pids() == [3, 2]
    assert scene.supervisor.interrupt_children == [1]
    assert scene.supervisor.main_loop_interrupt.is_set()


def test_a_server_that_is_told_to_end_replaces_nobody_more(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    scene = Succeeding(monkeypatch, clock)

    def ready(pid: int) -> bool:
        scene.supervisor.interrupt_signal = True
        return False

    assert scene.supervisor.replace_workers(ready)
    assert scene.supervisor.pids() == [1, 2, 3]


def test_the_next_replacement_waits_for_those_that_leave(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    scene = Succeeding(monkeypatch, clock)
    leaving = scene.spawn(0)
    scene.supervisor.leaving = (leaving,)
    monkeypatch.setattr(clock, "sleep", lambda seconds: leaving.over.set())
    assert scene.supervisor.replace_workers(lambda pid: leaving.over.is_set())
    assert scene.pids() == [4, 5]
