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
