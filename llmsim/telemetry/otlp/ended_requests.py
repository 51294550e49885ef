"""Which requests of a worker's journal have ended since somebody last looked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from llmsim.state.shm.journal import RECORDS, Journal, JournalEntry

_FLAGS: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{2})", re.ASCII)


class EndedRequests:
    """The requests of one journal, each once it has ended, from now on.

    Of all requests ``share`` (0 to 1) are looked at, evenly spread. A request that its client's own
    trace leaves out is none of them. ``dropped`` counts those that the journal forgot before they
    could be given.
    """

    def __init__(self, journal: Journal, share: float) -> None:
        self._journal = journal
        self._share = share
        self._next = journal.reserved
        self._due = 0.0
        self._pending: dict[int, bool] = {}
        """Numbers of requests that have not ended, in their order; whether they are planned."""
        self.dropped = 0

    def take(self, most: int) -> Iterator[JournalEntry]:
        """So many of those that have ended, at most; the others later."""
        self._look_ahead()
        oldest = self._journal.reserved - RECORDS
        count = 0
        for number in list(self._pending):
            if count == most:
                return
            state = self._journal.ended(number)
            if number < oldest or state is None:
                if number < oldest:  # one that was never planned has left no trace
                    self.dropped += self._pending.pop(number)
                continue
            if not state:
                self._pending[number] = True
                continue
            del self._pending[number]
            entry = self._journal.find(self._journal.mark(number))
            if entry is None:
                self.dropped += 1
            elif _kept(entry.traceparent):
                count += 1
                yield entry

    def _look_ahead(self) -> None:
        """Wait for those that have come since."""
        reserved = self._journal.reserved
        missed = max(reserved - RECORDS - self._next, 0)
        if missed:  # the journal has gone round without a look
            self.dropped += int(missed * self._share)
            self._next += missed
        for number in range(self._next, reserved):
            self._due += self._share
            if self._due >= 1.0:
                self._due -= 1.0
                self._pending[number] = False
        self._next = reserved


def _kept(traceparent: str) -> bool:
    """Whether somebody keeps the trace that a request is part of: not if it says so."""
    found = _FLAGS.fullmatch(traceparent)
    return found is None or bool(int(found[1], 16) & 1)
