"""The memory all workers share, and who owns which part of it.

Layout, in bytes:

    0       header, one page: 16 int64 (magic, slots, size of a slot's counters and of its journal,
            pid of the launcher, Unix time of the start in µs, boot secret, sizes of the prefixes,
            the named counters and the buckets, for how many keys both are, whether the locks are
            mutexes, sizes of the step clocks, of the labels and of the history), then 440
            int64 cursors
    4096    the counters of each slot                                        (worker_counters)
    …       the journal of each slot                                         (journal)
    …       the prefixes of cached prompts                                   (prompt_prefixes)
    …       the named counters                                               (named_counters)
    …       the concurrency slots, then the buckets of rate limits           (rate_limit_buckets)
    …       the step clocks of replicas                                      (step_clocks)
    …       the labels of what is counted                                    (labels)
    …       the history of the last day                                      (history_ring)
    …       the locks, where they are mutexes                                (process_locks)

Who writes what, and what keeps others away:

    header                   the launcher, once, before there are workers
    counters and journals    the owner of the slot; it needs no lock, and readers take none
    prompt prefixes          any worker, without a lock: an entry is one word
    labels                   any worker; one lock, and readers take none
    cursors                  any worker; a lock for each
    named counters, buckets  any worker; the locks of :class:`Lock`, each for some of the entries
    step clocks              any worker; a lock for each, readers take none
    history                  the launcher; it needs no lock, and readers take none

A slot is one worker's counters and journal. It belongs to the process that holds a lock on byte
``slot`` of the segment's file, and the kernel frees that lock when the process dies, however it
dies. The pid in the counters says whether the last owner resigned:

    slot      byte locked  pid     what happens next
    free      no           0       a worker that starts claims it and goes on counting: owned
    owned     yes          owner's the worker resigns and ends: free; or it is killed: orphaned
    orphaned  no           dead    a worker that starts claims it, counts a death and the requests
                                   that were open as lost, and keeps the slot (owned) or, if it
                                   has one, releases it (free)

A worker that lacks a rate limit's or the server's concurrency may claim an orphaned slot before,
give back what that held there, and release it: still orphaned. So counts never fall, each death
and each open request is counted once, and what the dead held is free as soon as it is wanted.

Where there are no mutexes, the locks are byte locks too, past those of the slots. POSIX locks
vanish when *any* descriptor of the file is closed in the process that holds them, so the file is
opened once a process and never closed.
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
_GUARDED = 512


class Cursor(IntEnum):
    """What the cursors count."""

    TURN = 0  # requests that took a text of the generator "sequence"
    RESPONSES_MARKED = 1  # responses that were deleted or cancelled
    GENERATION = 2  # changes of the configuration in effect
    TIMETABLE = 3  # when the timetable began, in µs of the monotonic clock
    RANDOM_FAULTS = 4  # requests whose failure was left to chance
    HUNG = 5  # workers that were killed because they hung
    RUNS_CANCELLED = 6  # runs of assistants that were cancelled


class Lock(IntEnum):
    """What is locked between processes, by the number of its first lock."""

    NAMED_COUNTERS = 0
    CHANGES = 64  # of the configuration in effect
    BUCKETS = 65  # of the concurrency slots, then of the accounts of rate limits
    ACCOUNTS_TABLE = 322  # of the accounts as a whole
    COUNTERS_TABLE = 323  # of the named counters as a whole
    CLOCK_NAMES = 324  # of the step clocks
    STEP_CLOCKS = 325  # one for each clock
    LABELS = 453  # of what is counted


@dataclass(frozen=True, slots=True)
class Shape:
    """How much a segment holds; sizes in bytes, multiples of a page.

    ``max_keys`` is for how many keys the named counters and the buckets have room.
    """

    slots: int
    counters: int
    journal: int
    prefixes: int = 0
    named_counters: int = 0
    buckets: int = 0
    max_keys: int = 0
    step_clocks: int = 0
    labels: int = 0
    history: int = 0

    @property
    def prefixes_at(self) -> int:
        """Where the prefixes begin: after the slots."""
        return PAGE + self.slots * (self.counters + self.journal)

    @property
    def named_counters_at(self) -> int:
        """Where the named counters begin."""
        return self.prefixes_at + self.prefixes

    @property
    def buckets_at(self) -> int:
        """Where the buckets begin."""
        return self.named_counters_at + self.named_counters

    @property
    def step_clocks_at(self) -> int:
        """Where the step clocks begin."""
        return self.buckets_at + self.buckets

    @property
    def labels_at(self) -> int:
        """Where the labels begin."""
        return self.step_clocks_at + self.step_clocks

    @property
    def history_at(self) -> int:
        """Where the history begins."""
        return self.labels_at + self.labels

    @property
    def locks_at(self) -> int:
        """Where the locks begin."""
        return self.history_at + self.history

    @property
    def size(self) -> int:
        return self.locks_at + (CURSORS + _GUARDED) * STRIDE


class Segment:
    """A process's view of the shared memory."""

    def __init__(self, descriptor: int, path: str) -> None:
        self.path = path
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, 0)
        self.header = memoryview(self._map)[:PAGE].cast("q")
        if self.header[0] != MAGIC:
            raise RuntimeError(f"{path} is not a segment of this version of llmsim")
        sizes = [*self.header[1:4], *self.header[7:11], *self.header[12:15]]
        self.shape = Shape(*sizes)
        self._locks: ProcessLocks = (
            MutexLocks(self._map, self.shape.locks_at)
            if self.header[11]
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
        fields = [
            *(shape.slots, shape.counters, shape.journal, os.getpid(), time.time_ns() // 1000),
            *(secrets.randbits(62), shape.prefixes, shape.named_counters, shape.buckets),
            shape.max_keys,
        ]
        header[1:11] = memoryview(array("q", fields))
        if supported():
            MutexLocks(mmap.mmap(descriptor, 0), shape.locks_at).make(CURSORS + _GUARDED)
            header[11] = 1
        header[12] = shape.step_clocks
        header[13] = shape.labels
        header[14] = shape.history
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
        """The slot's counters, as bytes."""
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

    def named_counters(self) -> memoryview:
        """The named counters, as bytes."""
        start = self.shape.named_counters_at
        return memoryview(self._map)[start : start + self.shape.named_counters]

    def buckets(self) -> memoryview:
        """The buckets of rate limits, as bytes."""
        start = self.shape.buckets_at
        return memoryview(self._map)[start : start + self.shape.buckets]

    def step_clocks(self) -> memoryview:
        """The step clocks, as bytes."""
        start = self.shape.step_clocks_at
        return memoryview(self._map)[start : start + self.shape.step_clocks]

    def labels(self) -> memoryview:
        """The labels of what is counted, as bytes."""
        start = self.shape.labels_at
        return memoryview(self._map)[start : start + self.shape.labels]

    def history(self) -> memoryview:
        """The history, as bytes."""
        start = self.shape.history_at
        return memoryview(self._map)[start : start + self.shape.history]

    @contextmanager
    def locked(self, number: int) -> Iterator[None]:
        """Hold lock ``number``, a member of :class:`Lock` plus an index where it has several. It is
        free again when the holder dies."""
        self.lock(number)
        try:
            yield
        finally:
            self.unlock(number)

    def lock(self, number: int) -> None:
        """Take that lock, where a ``with`` would cost too much."""
        self._locks.lock(CURSORS + number)

    def unlock(self, number: int) -> None:
        """Give it back."""
        self._locks.unlock(CURSORS + number)

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
        at = _CURSORS_AT + cursor
        self._locks.lock(cursor)
        try:
            value = self.header[at]
            self.header[at] = value + 1
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
