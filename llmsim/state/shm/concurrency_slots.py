"""How many requests are being answered and how many wait for that, exact over all workers.

In int64: the latest ticket, then for each worker slot the concurrency slots its worker holds, how
many of its requests wait, and the ticket of the first of them (0 for none). A request that waits
has a ticket, and the lowest is next, whichever worker it waits in. One lock guards all of it; the
cells of a dead worker are emptied when its worker slot is taken over or a worker finds it dead.
"""

from __future__ import annotations

from typing import Final

from llmsim.state.shm.segment import PAGE, Lock, Segment

LOCK: Final = Lock.BUCKETS


class ConcurrencySlots:
    """The slots of all workers, to be used on the event loop only. ``slot`` is the worker's own."""

    def __init__(self, segment: Segment) -> None:
        slots = segment.shape.slots
        self._segment = segment
        cells = segment.buckets().cast("q")
        self._cells = cells
        self._held = cells[1 : 1 + slots]
        self._waiting = cells[1 + slots : 1 + 2 * slots]
        self._first = cells[1 + 2 * slots : 1 + 3 * slots]
        self.slot = -1

    @property
    def held(self) -> int:
        """Requests that are being answered."""
        return sum(self._held.tolist())

    @property
    def waiting(self) -> int:
        """Requests that wait for a concurrency slot."""
        return sum(self._waiting.tolist())

    def arrive(self, most: int, room: int) -> int | None:
        """Take one of ``most`` slots if no request waits for one: 0. Else a ticket to wait with, if
        fewer than ``room`` wait, and if so many do, None."""
        with self._segment.locked(LOCK):
            waiting = self.waiting
            if not waiting and self.held < most:
                self._held[self.slot] += 1
                return 0
            if waiting >= room:
                return None
            self._cells[0] = ticket = self._cells[0] + 1
            self._waiting[self.slot] += 1
            if not self._first[self.slot]:
                self._first[self.slot] = ticket
            return ticket

    def admit(self, ticket: int, following: int, most: int) -> bool:
        """Take one of ``most`` slots for the first that waits in this worker, if there is one
        and none waits with a lower ticket. ``following`` is the next ticket here, or 0."""
        with self._segment.locked(LOCK):
            lowest = min(first for first in (*self._first.tolist(), ticket) if first)
            if lowest < ticket or self.held >= most:
                return False
            self._first[self.slot] = following
            self._waiting[self.slot] -= 1
            self._held[self.slot] += 1
            return True

    def leave(self, first: int) -> None:
        """One that waited here gives up; ``first`` is the first ticket here after that, or 0."""
        with self._segment.locked(LOCK):
            self._first[self.slot] = first
            self._waiting[self.slot] -= 1

    def release(self) -> None:
        """Give a slot back."""
        if self._held[self.slot] > 0:
            self._held[self.slot] -= 1

    def busy(self) -> list[int]:
        """The worker slots, but for this one, that hold concurrency slots or wait for them."""
        cells = zip(self._held.tolist(), self._waiting.tolist(), strict=True)
        return [slot for slot, one in enumerate(cells) if any(one) and slot != self.slot]

    def release_slot(self, slot: int) -> None:
        """Empty the cells of a dead worker; for the process that has claimed its slot."""
        self._held[slot] = self._waiting[slot] = self._first[slot] = 0


def size(slots: int) -> int:
    """The bytes for that many slots, a multiple of a page."""
    return -(-8 * (1 + 3 * slots) // PAGE) * PAGE
