"""The prompt cache: which prefixes of prompts were seen lately, by any worker.

A table of :data:`ENTRIES` int64, in buckets of :data:`WAYS`. An entry is one word, 0 if it was
never used: the upper half is the upper half of a prefix's key, the lower half the second of the
monotonic clock at which the prefix is forgotten. The key's remainder by the number of buckets says
which bucket it is in.

One word is read and written at once, so there is no lock and nothing is ever half written. Where
two workers take the same entry for different prefixes at the same moment, one of them is lost: a
cache may forget.
"""

from __future__ import annotations

import time
from collections.abc import Callable

WAYS = 8
ENTRIES = 1 << 16
SIZE = 8 * ENTRIES

_BUCKETS = ENTRIES // WAYS
_SECONDS = 0xFFFFFFFF


class PrefixTable:
    """The table in the memory that all workers share. Keys are 64 bits, times whole seconds."""

    def __init__(self, memory: memoryview) -> None:
        self._entries = memory.cast("Q")

    def holds(self, key: int, now: int) -> bool:
        """Whether the prefix is in the cache."""
        start = key % _BUCKETS * WAYS
        tag = key >> 32
        for entry in self._entries[start : start + WAYS]:
            if entry >> 32 == tag:
                return entry & _SECONDS > now
        return False

    def keep(self, key: int, until: int) -> None:
        """Keep the prefix, which may be there already, at least until then.

        It replaces the one in its bucket that would be forgotten first.
        """
        start = key % _BUCKETS * WAYS
        tag = key >> 32
        entries = self._entries[start : start + WAYS].tolist()
        tags = [entry >> 32 for entry in entries]
        if tag in tags:
            index = tags.index(tag)
            until = max(until, entries[index] & _SECONDS)
        else:
            ends = [entry & _SECONDS for entry in entries]
            index = ends.index(min(ends))
        self._entries[start + index] = tag << 32 | until


class ExpiringPrefixes:
    """The table as the pipeline knows it: prefixes are kept for so many seconds of ``clock``."""

    def __init__(self, table: PrefixTable, clock: Callable[[], float] = time.monotonic) -> None:
        self._table = table
        self._clock = clock

    def holds(self, key: int) -> bool:
        """Whether the prefix is in the cache."""
        return self._table.holds(key, int(self._clock()))

    def keep(self, key: int, ttl: int) -> None:
        """Keep the prefix, which may be there already, for at least ``ttl`` seconds."""
        self._table.keep(key, int(self._clock()) + ttl)
