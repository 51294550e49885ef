"""The responses the server sent, and what became of them since.

An answer is in the journal, where any worker finds it by its id; it never changes. That it was
deleted or cancelled is a mark in the store. How far one in the background has come follows from
its plan and the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from llmsim.core.errors import invalid
from llmsim.providers.openai.lists import not_found
from llmsim.providers.openai.responses import params, response_object
from llmsim.providers.openai.responses import stored as responses_stored
from llmsim.providers.openai.responses.params import ResponsesRequest
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import JournalEntry
from llmsim.state.shm.segment import Cursor
from llmsim.state.sqlite import Store

ENDPOINT = "/v1/responses"
KIND = "response"

Status: TypeAlias = Literal["queued", "in_progress", "cancelled", "finished"]


class Mark(Struct, frozen=True):
    """What became of a response: deleted, or cancelled so many seconds after it was asked for."""

    deleted: bool = False
    cancelled: float | None = None


class Kept(Struct, frozen=True):
    """A response as it stands."""

    entry: JournalEntry
    given: ResponsesRequest
    status: Status
    elapsed: float
    mark: Mark

    @property
    def told(self) -> bytes:
        """The response object."""
        if self.status == "finished":
            return self.entry.answer
        return responses_stored.unfinished(self.entry.answer, self.status)


class Archive:
    """All workers' responses, as one worker sees them."""

    def __init__(
        self, shared: SharedState, store: Store, clock: Callable[[], float] = time.time
    ) -> None:
        self._shared = shared
        self._store = store
        self._clock = clock

    def entry(self, name: str) -> JournalEntry | None:
        """What the journal has of a response, stored or not; None if it has nothing."""
        entry = self._shared.entry(name) if name.startswith("resp_") else None
        if entry is None or entry.endpoint != ENDPOINT or not entry.answer:
            return None
        return entry if response_object.response_id(entry.mark) == name else None

    async def find(self, name: str) -> Kept:
        """A stored response. Raises BadRequest for one that is not there."""
        entry = self.entry(name)
        if entry is None:
            raise not_found("Response", name)
        given = params.parsed(entry.body)
        mark = await self.mark(name)
        if given.store is False or mark.deleted:
            raise not_found("Response", name)
        elapsed = max(self._clock() - entry.arrived, 0.0)
        return Kept(entry, given, _status(entry, given, mark, elapsed), elapsed, mark)

    async def delete(self, name: str) -> bytes:
        """Forget a response."""
        await self.find(name)
        await self._put(name, Mark(deleted=True))
        return responses_stored.deleted(name)

    async def cancel(self, name: str) -> bytes:
        """Stop a response in the background; one that has ended stays as it is."""
        kept = await self.find(name)
        if not kept.given.background:
            message = "Cannot cancel a synchronous response."
            raise invalid(message)
        if kept.status in ("queued", "in_progress"):
            await self._put(name, Mark(cancelled=kept.elapsed))
            return responses_stored.unfinished(kept.entry.answer, "cancelled")
        return kept.told

    async def mark(self, name: str) -> Mark:
        """What became of a response."""
        if not self._shared.segment.reached(Cursor.RESPONSES_MARKED):
            return Mark()
        found = await self._store.get(KIND, name)
        return Mark() if found is None else msgspec.json.decode(found, type=Mark)

    async def _put(self, name: str, mark: Mark) -> None:
        await self._store.put(KIND, name, msgspec.json.encode(mark))
        self._shared.segment.advance(Cursor.RESPONSES_MARKED)


def _status(entry: JournalEntry, given: ResponsesRequest, mark: Mark, elapsed: float) -> Status:
    if mark.cancelled is not None:
        return "cancelled"
    if elapsed >= entry.planned_total:
        return "finished"
    return "queued" if given.background and elapsed < entry.planned_ttft else "in_progress"
