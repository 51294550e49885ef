"""Counters by name, exact over all workers: how often a rule was used, how far a script has got.

A :class:`~llmsim.state.shm.key_table.KeyTable` whose records are three int64: key, count, and the
second of its last use on the monotonic clock. The key is 63 bits of a hash of the name, and the
lock of its region is held while it is counted. Names come from clients, too, so there may be any
number: beyond ``server.max_keys`` of them the one that was not used for longest among those looked
at is forgotten, and if it comes again counted from nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from llmsim.state.shm.key_table import KeyTable, TableShape, hashed
from llmsim.state.shm.segment import Lock, Segment

REGIONS: Final = 64


class NamedCounters:
    """The counters in the memory that all workers share. To be used on the event loop only: the
    locks keep processes apart, not threads."""

    def __init__(self, segment: Segment, clock: Callable[[], float] = time.monotonic) -> None:
        self._segment = segment
        locks = (Lock.NAMED_COUNTERS, Lock.COUNTERS_TABLE)
        shape = _shape(segment.shape.max_keys)
        self.table = KeyTable(segment, segment.named_counters(), shape, locks, self._cost)
        self._cells = self.table.cells
        self._clock = clock

    def advance(self, name: str) -> int:
        """How often ``name`` was counted before, counting it now."""
        key = hashed(name)
        with self._segment.locked(self.table.lock_of(key)):
            at = self.table.find(key) or self._made(key)
            count = self._cells[at + 1]
            self._cells[at + 2] = int(self._clock())
            self._cells[at + 1] = count + 1
        return count

    def take(self, name: str, most: int) -> int | None:
        """Like :meth:`advance`, but None, uncounted, once ``most`` were counted."""
        key = hashed(name)
        with self._segment.locked(self.table.lock_of(key)):
            at = self.table.find(key) or self._made(key)
            count = self._cells[at + 1]
            self._cells[at + 2] = int(self._clock())
            if count >= most:
                return None
            self._cells[at + 1] = count + 1
        return count

    def reached(self, name: str) -> int:
        """How often ``name`` was counted."""
        at = self.table.find(hashed(name))
        return self._cells[at + 1] if at else 0

    def clear(self, name: str) -> None:
        """Forget how often ``name`` was counted."""
        key = hashed(name)
        with self._segment.locked(self.table.lock_of(key)):
            at = self.table.find(key)
            if at:
                self._cells[at + 1] = 0

    def reset(self) -> Iterator[None]:
        """Forget all counts. In slices, with time for others between."""
        return self.table.cleared(slice(1, 2))

    def _made(self, key: int) -> int:
        """Where a new counter is."""
        at = self.table.new(key)
        self._cells[at + 1] = 0
        self._cells[at] = key
        return at

    def _cost(self, at: int) -> tuple[int, int]:
        """Whether a count would be lost with the counter, and when it was last used."""
        return int(self._cells[at + 1] > 0), self._cells[at + 2]


def _shape(keys: int) -> TableShape:
    return TableShape(keys, REGIONS, 3)


def size(keys: int) -> int:
    """The bytes for so many names."""
    return _shape(keys).size
