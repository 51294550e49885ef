"""A table of records by key that all workers share: exact for as many keys as it was made for.

In bytes:

    0       header, one page of int64: records in use, keys forgotten, bytes of labels in use; from
            16 on the number of keys in each region
    4096    index: for each region a hash table of int32, the numbers of records, 0 where there
            is none
    …       records, by their numbers from 1 on: ``width`` int64 each, first the key (0: being made)

A key is 63 bits of a hash and never 0. Its upper half's remainder by the number of regions says
which region it is in, and that region's lock is held while its record is found, made or changed.
In the region's hash table it is sought from the place its lower half says, one after the other. Up
to a good half of the places are taken, so that is one place or two.

Records are handed out in their order and never given back, so whoever lists them or clears them
reads those in use and no more; memory that was never touched costs nothing. Once as many keys are
there as the table is for, a new one takes the record of another of its region: of :data:`SAMPLE`
that are looked at, the one that costs least, as the table's owner says.

What a worker that is killed leaves behind: a record that was handed out and is nowhere in the
index, or one in the index without a key. The first is lost, the second used for the next new key
that comes past it. An index that is closed up after a key was forgotten has a number twice rather
than not at all: it is still found where it was. None of this lets a key be counted twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Final

import numpy as np

from llmsim.core.value import Value
from llmsim.state.shm.segment import PAGE, Segment

SAMPLE: Final = 64
SLICE: Final = 4096
"""Records that are cleared in one go, which takes about a millisecond."""

_USED, _FORGOTTEN, LABELS_END = range(3)
_KEYS: Final = 16


class TableShape(Value, frozen=True, gc=False):
    """How large a table is: for how many keys, in how many regions, of how many int64 a record."""

    keys: int
    regions: int
    width: int

    @property
    def places(self) -> int:
        """Places in the index of a region, a power of two: three quarters of them are for as many
        keys as no region has by chance."""
        mean = self.keys / self.regions
        most = mean + 8 * math.sqrt(mean) + 16
        return 1 << math.ceil(math.log2(most * 4 / 3))

    @property
    def records(self) -> int:
        """Records, the unused one of number 0 among them; the last ones are for regions that have
        no key yet when the others are used up."""
        return 1 + self.keys + self.regions

    @property
    def records_at(self) -> int:
        """Where the records begin, in bytes."""
        return PAGE + 4 * self.places * self.regions

    @property
    def size(self) -> int:
        """Bytes, a multiple of a page."""
        return pages(self.records_at + 8 * self.width * self.records)


class KeyTable:
    """The table in ``memory``, whose regions have the locks from ``first_lock`` on, the table
    itself has ``own_lock``.

    ``cost`` says what is lost with the record that begins at a cell: whether anything is, and then
    the lesser of two is forgotten.
    """

    def __init__(
        self,
        segment: Segment,
        memory: memoryview,
        shape: TableShape,
        locks: tuple[int, int],
        cost: Callable[[int], tuple[int, int]],
    ) -> None:
        self._segment = segment
        self.shape = shape
        self.first_lock, self._own_lock = locks
        self._cost = cost
        self._width = shape.width
        self._regions = shape.regions
        self._mask = shape.places - 1
        self._most = shape.places * 7 // 8
        self.header = memory[:PAGE].cast("q")
        self._index = memory[PAGE : shape.records_at].cast("i")
        records = memory[shape.records_at : shape.records_at + 8 * shape.width * shape.records]
        self.cells = records.cast("q")
        self.counts = records.cast("i")
        self._rows = np.frombuffer(records, np.int64).reshape(shape.records, shape.width)

    @property
    def used(self) -> int:
        """Records in use: those of the numbers from 1 to it."""
        return self.header[_USED]

    @property
    def forgotten(self) -> int:
        """Keys that were forgotten although something was remembered of them."""
        return self.header[_FORGOTTEN]

    def lock_of(self, key: int) -> int:
        """The lock of the key's region."""
        return self.first_lock + (key >> 32) % self._regions

    def find(self, key: int) -> int:
        """The first cell of the key's record; 0 if it has none. Without the region's lock a record
        may be missed while others are forgotten."""
        index, cells, width, mask = self._index, self.cells, self._width, self._mask
        start = (key >> 32) % self._regions * (mask + 1)
        place = key >> 1 & mask
        while number := index[start + place]:
            at = number * width
            if cells[at] == key:
                return at
            place = place + 1 & mask
        return 0

    def new(self, key: int) -> int:
        """The first cell of a record for a key that has none; the region's lock is held. It is as
        it was left: the caller fills it, and writes the key when all else is written."""
        region = (key >> 32) % self._regions
        keys = _KEYS + region
        place, at = self._free(region, key)
        if at:
            return at
        number = 0
        if self.header[keys] < self._most:
            number = self._handed_out(self.header[keys] > 0)
        if not number:
            number = self._forget(region, key)
            place, _ = self._free(region, key)
        self.header[keys] += 1
        self._index[place] = number
        return number * self._width

    def _free(self, region: int, key: int) -> tuple[int, int]:
        """The first place for the key where there is no number, and 0; or one of a record that
        was never finished, and where that is."""
        start = region * (self._mask + 1)
        place = key >> 1 & self._mask
        while number := self._index[start + place]:
            if not self.cells[number * self._width]:
                return start + place, number * self._width
            place = place + 1 & self._mask
        return start + place, 0

    def _handed_out(self, bounded: bool) -> int:
        """The next record's number, 0 if there is none."""
        with self._segment.locked(self._own_lock):
            used = self.header[_USED]
            if used >= (self.shape.keys if bounded else self.shape.records - 1):
                return 0
            self.header[_USED] = used + 1
        return used + 1

    def reserve(self, end: int, size: int, limit: int) -> int:
        """Where the next so many bytes of something are that is handed out in order from 1 on, up
        to ``limit``; its end is in cell ``end`` of the header. 0 if there are not as many."""
        with self._segment.locked(self._own_lock):
            at = self.header[end] or 1
            if at + size > limit:
                return 0
            self.header[end] = at + size
        return at

    def _forget(self, region: int, key: int) -> int:
        """Forget a key of the region: the number of its record."""
        start, mask = region * (self._mask + 1), self._mask
        best: tuple[tuple[int, int], int] | None = None
        seen = 0
        for step in range(mask + 1):
            place = (key >> 16) + step & mask
            number = self._index[start + place]
            if not number or not self.cells[number * self._width]:
                continue
            one = self._cost(number * self._width), place
            best = one if best is None or one < best else best
            seen += 1
            if seen == SAMPLE or not best[0][0]:
                break
        assert best is not None, "a region without keys has a record left"
        number = self._index[start + best[1]]
        self.cells[number * self._width] = 0
        self._close_up(start, best[1])
        self.header[_KEYS + region] -= 1
        if best[0][0]:
            with self._segment.locked(self._own_lock):
                self.header[_FORGOTTEN] += 1
        return number

    def _close_up(self, start: int, hole: int) -> None:
        """Empty a place of the index; what comes after it, and is sought from before it, moves."""
        index, mask = self._index, self._mask
        place = hole
        while number := index[start + (place := place + 1 & mask)]:
            key = self.cells[number * self._width]
            if key and (place - (key >> 1) & mask) >= (place - hole & mask):
                index[start + hole] = number
                hole = place
        index[start + hole] = 0

    def cleared(self, columns: slice) -> Iterator[None]:
        """Write zeros to these cells of every record there is, under its lock; in slices that
        leave time for others in between."""
        for begin in range(1, self.used + 1, SLICE):
            rows = self._rows[begin : min(begin + SLICE, self.used + 1)]
            regions = (rows[:, 0] >> 32) % self._regions
            order = np.argsort(regions, kind="stable")
            numbers, starts = np.unique(regions[order], return_index=True)
            for region, those in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
                with self._segment.locked(self.first_lock + region):
                    rows[those, columns] = 0
            yield

    def clear_counts(self, column: int) -> None:
        """Write zeros to that int32 of every record there is; for who alone writes them."""
        counts = self._rows[: self.used + 1].view(np.int32)[:, column]
        counts[np.flatnonzero(counts)] = 0


def pages(size: int) -> int:
    """So many bytes, rounded up to whole pages."""
    return -(-size // PAGE) * PAGE


def hashed(name: str) -> int:
    """A name as 63 bits that are never 0."""
    digest = blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1 | 1
