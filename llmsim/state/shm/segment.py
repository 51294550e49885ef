"""The memory all workers share, and who owns which part of it.

Layout, in bytes:

    0       header, one page: 16 int64 (magic, slots, board size, journal size, pid of the
            launcher, Unix time of the start in µs, boot secret, sizes of the prefixes, the
            tallies and the buckets, whether the locks are mutexes), then 440 int64 cursors
    4096    the boards, one after another, each of board size
    …       the journals, likewise
    …       the prefixes of cached prompts
    …       the tallies
    …       the buckets of rate limits
    …       the locks, where they are mutexes (:mod:`llmsim.state.shm.process_locks`)

A slot (one board and one journal) belongs to the process that holds a lock on byte ``slot`` of
the segment's file. The kernel frees that lock when the process dies, however it dies, and the
next worker takes the slot over with everything it counted. Each cursor has a lock of its own, and
after those comes one for each of :class:`Lock`; where there are no mutexes they are locks on bytes
past the slots'.

POSIX locks vanish when *any* descriptor of the file is closed in the process that holds them,
so the file is opened once a process and never closed.
"""

from __future__ import annotations

import mmap
import os
import secrets
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

from llmsim.state.shm.process_locks import STRIDE, FileLocks, MutexLocks, ProcessLocks, supported

try:
    import fcntl
except ImportError:  # Windows: the container is the way there
    fcntl = None  # type: ignore[assignment]

MAGIC = 0x6C6C6D73696D31
PAGE = 4096
MAX_SLOTS = 1040
CURSORS = 440
_CURSORS_AT = 16
_GUARDED = 384


class Cursor(IntEnum):
    """What the cursors count."""

    TURN = 0  # requests that took a text of the generator "sequence"
    RESPONSES_MARKED = 1  # responses that were deleted or cancelled
    GENERATION = 2  # changes of the configuration in effect
    TIMETABLE = 3  # when the timetable began, in µs of the monotonic clock
    DRAWN = 4  # requests whose failure was left to chance


class Lock(IntEnum):
    """What processes guard against each other, by the first of its locks."""

    TALLIES = 0
    CHANGES = 64  # of the configuration in effect
    BUCKETS = 65


@dataclass(frozen=True, slots=True)
class Shape:
    """How much a segment holds; sizes in bytes, multiples of a page."""

    slots: int
    counters: int
    journal: int
    prefixes: int = 0
    tallies: int = 0
    buckets: int = 0

    @property
    def prefixes_at(self) -> int:
        """Where the prefixes begin: after the slots."""
        return PAGE + self.slots * (self.counters + self.journal)

    @property
    def tallies_at(self) -> int:
        """Where the tallies begin."""
        return self.prefixes_at + self.prefixes

    @property
    def buckets_at(self) -> int:
        """Where the buckets begin."""
        return self.tallies_at + self.tallies

    @property
    def latches_at(self) -> int:
        """Where the locks begin."""
        return self.buckets_at + self.buckets

    @property
    def size(self) -> int:
        return self.latches_at + (CURSORS + _GUARDED) * STRIDE


class Segment:
    """A process's view of the shared memory."""

    def __init__(self, descriptor: int, path: str) -> None:
        self.path = path
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, 0)
        self.header = memoryview(self._map)[:PAGE].cast("q")
        if self.header[0] != MAGIC:
            raise RuntimeError(f"{path} is not a segment of this version of llmsim")
        self.shape = Shape(*self.header[1:4], *self.header[7:10])
        self._locks: ProcessLocks = (
            MutexLocks(self._map, self.shape.latches_at)
            if self.header[10]
            else FileLocks(descriptor, MAX_SLOTS)
        )

    @classmethod
    def create(cls, shape: Shape) -> Segment:
        """A new, empty segment. It lives as long as the process that made it.

        Raises ValueError for more than :data:`MAX_SLOTS` slots.
        """
        if not 0 < shape.slots <= MAX_SLOTS:
            raise ValueError(f"a segment has 1 to {MAX_SLOTS} slots, not {shape.slots}")
        descriptor, path = _file(shape.size)
        header = memoryview(mmap.mmap(descriptor, PAGE)).cast("q")
        told = [
            *(shape.slots, shape.counters, shape.journal, os.getpid(), time.time_ns() // 1000),
            *(secrets.randbits(62), shape.prefixes, shape.tallies, shape.buckets),
        ]
        header[1:10] = memoryview(array("q", told))
        if supported():
            MutexLocks(mmap.mmap(descriptor, 0), shape.latches_at).make(CURSORS + _GUARDED)
            header[10] = 1
        header[0] = MAGIC
        return cls(descriptor, path)

    @classmethod
    def attach(cls, path: str) -> Segment:
        """The segment another process created, opened in this one."""
        return cls(os.open(path, os.O_RDWR), path)

    @property
    def started(self) -> float:
        """Unix time of the launch, seconds."""
        return self.header[5] / 1e6

    @property
    def secret(self) -> int:
        """A number that no other launch has."""
        return self.header[6]

    def counters(self, slot: int) -> memoryview:
        """The slot's board, as bytes."""
        start = PAGE + slot * self.shape.counters
        return memoryview(self._map)[start : start + self.shape.counters]

    def journal(self, slot: int) -> memoryview:
        """The slot's journal, as bytes."""
        start = PAGE + self.shape.slots * self.shape.counters + slot * self.shape.journal
        return memoryview(self._map)[start : start + self.shape.journal]

    def prefixes(self) -> memoryview:
        """The prefixes of cached prompts, as bytes."""
        start = self.shape.prefixes_at
        return memoryview(self._map)[start : start + self.shape.prefixes]

    def tallies(self) -> memoryview:
        """The tallies, as bytes."""
        start = self.shape.tallies_at
        return memoryview(self._map)[start : start + self.shape.tallies]

    def buckets(self) -> memoryview:
        """The buckets of rate limits, as bytes."""
        start = self.shape.buckets_at
        return memoryview(self._map)[start : start + self.shape.buckets]

    @contextmanager
    def locked(self, place: int) -> Iterator[None]:
        """Keep every other process from the lock at ``place``, a member of :class:`Lock` and what
        of it is meant. It is free again when the holder dies."""
        self.lock(place)
        try:
            yield
        finally:
            self.unlock(place)

    def lock(self, place: int) -> None:
        """Take that lock, where a ``with`` would cost too much."""
        self._locks.lock(CURSORS + place)

    def unlock(self, place: int) -> None:
        """Give it back."""
        self._locks.unlock(CURSORS + place)

    def claim(self, slot: int) -> bool:
        """Make this process the owner of ``slot``, unless a living one owns it."""
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
        except OSError:
            return False
        return True

    def release(self, slot: int) -> None:
        """Give ``slot`` up."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, slot)

    def reached(self, cursor: int) -> int:
        """The cursor's value."""
        return self.header[_CURSORS_AT + cursor]

    def put(self, cursor: int, value: int) -> None:
        """Give the cursor that value."""
        self.header[_CURSORS_AT + cursor] = value

    def advance(self, cursor: int) -> int:
        """The cursor's value, which is one more for the next caller in any process."""
        place = _CURSORS_AT + cursor
        self._locks.lock(cursor)
        try:
            value = self.header[place]
            self.header[place] = value + 1
        finally:
            self._locks.unlock(cursor)
        return value


def _file(size: int) -> tuple[int, str]:
    """An open file of ``size`` bytes and a path other processes of this user open it by.

    Linux keeps it in memory, without a name and without counting against /dev/shm, which
    containers make small.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("llmsim", os.MFD_CLOEXEC)
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
    else:
        descriptor, path = tempfile.mkstemp(prefix="llmsim-", suffix=".segment")
    os.ftruncate(descriptor, size)
    return descriptor, path
