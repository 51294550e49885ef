"""The shared memory as one worker holds it: its own slot to write, every slot to read."""

from __future__ import annotations

import heapq
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from llmsim.config import Config
from llmsim.state.shm import (
    history_ring,
    journal,
    labels,
    layout,
    named_counters,
    prompt_prefixes,
    rate_limit_buckets,
    step_clocks,
)
from llmsim.state.shm.concurrency_slots import ConcurrencySlots
from llmsim.state.shm.journal import Journal, JournalEntry, number_of, slot_of
from llmsim.state.shm.key_table import KeyTable
from llmsim.state.shm.labels import Labels
from llmsim.state.shm.layout import GENERATION
from llmsim.state.shm.named_counters import NamedCounters
from llmsim.state.shm.prompt_prefixes import ExpiringPrefixes, PrefixTable
from llmsim.state.shm.rate_limit_buckets import RateLimitBuckets
from llmsim.state.shm.request_order import SegmentOrder
from llmsim.state.shm.segment import Cursor, Lock, Segment, Shape
from llmsim.state.shm.step_clocks import SharedStepClocks
from llmsim.state.shm.worker_counters import WorkerCounters

# While workers are replaced, old and new ones live side by side.
SPARE_SLOTS = 2


def new_segment(config: Config) -> Segment:
    """The shared memory for a server of that configuration."""
    ring = journal.size(config.server.journal_mb << 20)
    slots = 2 * config.server.workers + SPARE_SLOTS
    keys = config.server.max_keys
    counters, limits = named_counters.size(keys), rate_limit_buckets.size(slots, keys)
    shape = Shape(
        *(slots, layout.SIZE, ring, prompt_prefixes.SIZE, counters, limits, keys, step_clocks.SIZE),
        labels.SIZE,
        history_ring.SIZE,
    )
    segment = Segment.create(shape)
    restart_timetable(segment)
    return segment


def key_tables(segment: Segment) -> dict[str, KeyTable]:
    """The tables that ``server.max_keys`` bounds, for who only looks at them."""
    return {
        "rate_limits": RateLimitBuckets(segment).table,
        "counters": NamedCounters(segment).table,
    }


def counters_of(segment: Segment) -> list[WorkerCounters]:
    """The counters of every slot."""
    shared = Labels(segment.labels(), partial(segment.locked, Lock.LABELS))
    return [WorkerCounters(segment.counters(slot), shared) for slot in range(segment.shape.slots)]


def restart_timetable(segment: Segment) -> None:
    """Begin the timetable again, for all workers."""
    segment.put(Cursor.TIMETABLE, time.monotonic_ns() // 1000)


class SharedState:
    """Claims a free slot for this process and repairs those that dead workers left.

    ``all_counters`` are those of every slot, this worker's own among them. ``limits`` gives the
    buckets of the rate limits as ``/llmsim/stats`` shows them, of the accounts from a number on and
    at most so many: each with its rule, key, model, what it counts, limit, remaining and
    ``reset_s``.
    """

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        slots = range(segment.shape.slots)
        self.all_counters = counters_of(segment)
        self._journals = [Journal(segment.journal(slot), slot, segment.secret) for slot in slots]
        self.buckets = RateLimitBuckets(segment)
        self.concurrency = ConcurrencySlots(segment)
        self.step_clocks = SharedStepClocks(segment)
        self.slot = self.buckets.slot = self.concurrency.slot = self._claimed()
        self.step_clocks.slot = self.slot
        self.counters = self.all_counters[self.slot]
        self.journal = self._journals[self.slot]
        self.named_counters = NamedCounters(segment)
        self.order = SegmentOrder(segment)
        self.prefixes = ExpiringPrefixes(PrefixTable(segment.prefixes()))
        self.key_tables = {
            "rate_limits": self.buckets.table,
            "counters": self.named_counters.table,
        }
        self.buckets.reap = self.reap
        self.counters.take_over(os.getpid())
        self.limits: Callable[[int, int], list[dict[str, Any]]] = _no_limits

    def _claimed(self) -> int:
        mine = None
        for slot, one in enumerate(self.all_counters):
            # Slots nobody left behind are not even tried: another worker may be after them.
            if (mine is not None and not one.pid) or not self.segment.claim(slot):
                continue
            self._close(slot)
            if mine is None:
                mine = slot
            else:
                one.owner_died()
                self.segment.release(slot)
        if mine is None:
            raise RuntimeError("every slot of the shared memory has a living owner")
        return mine

    def reap(self, slots: Iterable[int], close: Callable[[int], None]) -> bool:
        """Close what the dead among the owners of those slots left open of something: whether
        there was one. ``close`` does so for a slot.

        All else they left, and their counters, are for who takes their slots over.
        """
        found = False
        for slot in slots:
            if slot != self.slot and self.segment.claim(slot):
                close(slot)
                self.segment.release(slot)
                found = True
        return found

    def _close(self, slot: int) -> None:
        self.buckets.release_slot(slot)
        self.concurrency.release_slot(slot)
        self.step_clocks.release_slot(slot, time.monotonic())

    def resign(self) -> None:
        """This worker ends as it should."""
        self._close(self.slot)
        self.counters.resign()

    def elapsed(self) -> float:
        """How long the timetable has been going on, in seconds."""
        return time.monotonic_ns() / 1e9 - self.segment.reached(Cursor.TIMETABLE) / 1e6

    def restart_timetable(self) -> None:
        """The timetable begins now."""
        restart_timetable(self.segment)

    def reset(self) -> Iterator[None]:
        """Count from nothing again whatever decides about requests. Statistics go on. In slices,
        with time for others between."""
        yield from self.reset_counters()
        yield from self.buckets.reset()

    def reset_counters(self) -> Iterator[None]:
        """The same, rate limits apart."""
        self.order.reset()
        yield from self.named_counters.reset()

    def behind(self, generation: int) -> bool:
        """Whether a worker that serves goes by an older configuration than that."""
        return any(
            one.pid and 0 < one.cells[GENERATION] <= generation and _alive(one.pid)
            for one in self.all_counters
        )

    def entry(self, name: str) -> JournalEntry | None:
        """The remembered request of that id, whichever worker answered it."""
        found = slot_of(name)
        if found is None or found[0] >= len(self._journals):
            return None
        slot, mark = found
        return self._journals[slot].find(mark)

    def each(self) -> Iterator[JournalEntry]:
        """Every remembered request of every worker, in no order."""
        for one in self._journals:
            yield from one.latest(journal.RECORDS)

    def shown(self, name: str) -> JournalEntry | None:
        """The same, unless the journal was cleared since."""
        entry = self.entry(name)
        if entry is None:
            return None
        cleared = self._journals[int(entry.mark[:3], 16)].cleared
        return entry if number_of(entry.mark) >= cleared else None

    def newest(
        self, contents: bool, before: Mapping[int, int] | None = None
    ) -> Iterator[JournalEntry]:
        """The remembered requests of all workers, about newest first; without body, answer and
        details if ``contents`` is false. Of each slot those that are numbered below what
        ``before`` says, if it does."""
        each = (
            one.latest(journal.RECORDS, contents, (before or {}).get(slot), one.cleared)
            for slot, one in enumerate(self._journals)
        )
        return heapq.merge(*each, key=lambda entry: -entry.arrived)

    def latest(self, limit: int, contents: bool = True) -> list[JournalEntry]:
        """The newest remembered requests of all workers, newest first; without body and answer if
        ``contents`` is false."""
        found = [
            entry
            for one in self._journals
            for entry in one.latest(limit, contents, None, one.cleared)
        ]
        found.sort(key=lambda entry: entry.arrived, reverse=True)
        return found[:limit]

    def clear_journal(self) -> None:
        """Show none of the requests any more that are remembered now."""
        for one in self._journals:
            one.clear()


def _no_limits(first: int, most: int) -> list[dict[str, Any]]:
    """Stands in for who knows the rules."""
    return []


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
