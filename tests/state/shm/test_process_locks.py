"""Locks between real processes, of both kinds."""

from __future__ import annotations

import mmap
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from llmsim.state.shm.process_locks import STRIDE, FileLocks, MutexLocks, ProcessLocks, supported
from tests.state.shm.test_segment import PATIENCE, heard, running

PLACES = 3
KINDS = ["mutexes", "bytes"]
TIMES = 2000


def opened(kind: str, path: str) -> tuple[ProcessLocks, mmap.mmap]:
    """The locks in a file, and the memory after them."""
    descriptor = os.open(path, os.O_RDWR)
    memory = mmap.mmap(descriptor, 0)
    locks: ProcessLocks = (
        MutexLocks(memory, STRIDE) if kind == "mutexes" else FileLocks(descriptor, 7)
    )
    return locks, memory


def hold(kind: str, path: str, place: int, pipe: Connection) -> None:
    """Take a lock, report so, and keep it until asked to give it back or killed."""
    locks, _ = opened(kind, path)
    locks.lock(place)
    pipe.send("held")
    pipe.recv()
    locks.unlock(place)


def count(kind: str, path: str, times: int, pipe: Connection) -> None:
    """Add to the number at the start of the memory, slowly enough to lose some without a lock."""
    locks, memory = opened(kind, path)
    number = memoryview(memory)[:8].cast("q")
    pipe.send("ready")
    pipe.recv()
    for _ in range(times):
        locks.lock(1)
        value = number[0]
        number[0] = value + 1
        locks.unlock(1)
    pipe.send(number[0])


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "mutexes" and not supported():
        pytest.skip("this system has no robust mutexes")
    return str(request.param)


@pytest.fixture
def path(kind: str) -> Iterator[str]:
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(STRIDE * (1 + PLACES))
        if kind == "mutexes":
            locks, _ = opened(kind, file.name)
            assert isinstance(locks, MutexLocks)
            locks.make(PLACES)
        yield file.name


def taken(locks: ProcessLocks, place: int) -> threading.Event:
    """Happens once the lock was had, and given back, in a thread that waits for it."""
    had = threading.Event()

    def wait() -> None:
        locks.lock(place)
        locks.unlock(place)
        had.set()

    threading.Thread(target=wait, daemon=True).start()
    return had


def test_a_lock_is_had_by_one_process_at_a_time(kind: str, path: str) -> None:
    locks, _ = opened(kind, path)
    with running(hold, kind, path, 1) as (_, pipe):
        assert heard(pipe) == "held"
        for other in (0, 2):
            locks.lock(other)
            locks.unlock(other)
        had = taken(locks, 1)
        assert not had.wait(0.1)
        pipe.send("release")
        assert had.wait(PATIENCE)


def test_the_lock_of_a_killed_process_is_free(kind: str, path: str) -> None:
    locks, _ = opened(kind, path)
    with running(hold, kind, path, 1) as (process, pipe):
        assert heard(pipe) == "held"
        had = taken(locks, 1)  # one waits already, one asks afterwards
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        assert had.wait(PATIENCE)
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
    for _ in range(2):
        locks.lock(1)
        locks.unlock(1)


def test_nobody_is_waiting_for_a_killed_process(kind: str, path: str) -> None:
    locks, _ = opened(kind, path)
    with running(hold, kind, path, 1) as (process, pipe):
        assert heard(pipe) == "held"
        process.kill()
        process.join(PATIENCE)
    assert taken(locks, 1).wait(PATIENCE)
    assert taken(locks, 1).wait(PATIENCE), "it is whole again"


def test_nothing_is_lost_between_processes(kind: str, path: str) -> None:
    with (
        running(count, kind, path, TIMES) as (_, one),
        running(count, kind, path, TIMES) as (_, two),
    ):
        for pipe in (one, two):
            assert heard(pipe) == "ready"
        for pipe in (one, two):
            pipe.send("go")
        assert max(heard(one), heard(two)) == 2 * TIMES
