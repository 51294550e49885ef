"""Counters by name, exact over all workers: how often a rule was used, how far a script has got.

A table of :data:`ENTRIES` entries of three int64 (key, count, second of its last use on the
monotonic clock), in buckets of :data:`WAYS`. The key is 64 bits of a hash of the name, never 0;
its upper half's remainder by the number of buckets says which bucket it is in, and that bucket's
lock is held while it is counted. Names come from clients, too, so there may be any number: in a
full bucket the name that was not used for longest is forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b

from llmsim.state.shm.segment import Lock, Segment

WAYS = 8
ENTRIES = 1 << 13
LOCKS = 64
SIZE = 3 * 8 * ENTRIES

_BUCKETS = ENTRIES // WAYS


class NamedCounters:
    """The counters in the memory that all workers share. To be used on the event loop only: the
    locks keep processes apart, not threads."""

    def __init__(self, segment: Segment, clock: Callable[[], float] = time.monotonic) -> None:
        self._segment = segment
        self._cells = segment.named_counters().cast("q")
        self._clock = clock

    def advance(self, name: str) -> int:
        """How often ``name`` was counted before, counting it now."""
        key = _key(name)
        bucket = _bucket(key)
        with self._segment.locked(Lock.NAMED_COUNTERS + bucket % LOCKS):
            at = self._place(bucket, key)
            count = self._cells[at + 1]
            self._cells[at + 2] = int(self._clock())
            self._cells[at + 1] = count + 1
        return count

    def take(self, name: str, most: int) -> int | None:
        """Like :meth:`advance`, but None, uncounted, once ``most`` were counted."""
        key = _key(name)
        bucket = _bucket(key)
        with self._segment.locked(Lock.NAMED_COUNTERS + bucket % LOCKS):
            at = self._place(bucket, key)
            count = self._cells[at + 1]
            self._cells[at + 2] = int(self._clock())
            if count >= most:
                return None
            self._cells[at + 1] = count + 1
        return count

    def reached(self, name: str) -> int:
        """How often ``name`` was counted."""
        key = _key(name)
        start = _bucket(key) * WAYS * 3
        cells = self._cells
        for at in range(start, start + WAYS * 3, 3):
            if cells[at] == key:
                return cells[at + 1]
        return 0

    def reset(self) -> None:
        """Forget all counts."""
        for bucket in range(_BUCKETS):
            with self._segment.locked(Lock.NAMED_COUNTERS + bucket % LOCKS):
                start = bucket * WAYS * 3
                self._cells[start : start + WAYS * 3] = _EMPTY

    def _place(self, bucket: int, key: int) -> int:
        """Where the entry of that key is, made if it is not there."""
        cells = self._cells
        start = bucket * WAYS * 3
        oldest = start
        for at in range(start, start + WAYS * 3, 3):
            if cells[at] == key:
                return at
            # An entry that was never used has no second and so is the oldest.
            if cells[at + 2] < cells[oldest + 2]:
                oldest = at
        # Half written it must not pass for the new name with the old one's count.
        cells[oldest] = 0
        cells[oldest + 1] = 0
        cells[oldest] = key
        return oldest


_EMPTY = memoryview(bytes(WAYS * 3 * 8)).cast("q")


def _key(name: str) -> int:
    digest = blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1 | 1


def _bucket(key: int) -> int:
    return (key >> 32) % _BUCKETS
