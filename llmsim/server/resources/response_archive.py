"""The responses the server sent, and what was done to them since.

An answer is in the journal, where any worker finds it by its id; it never changes. That it was
deleted or cancelled is an update in the store. How far one in the background has come follows from
its plan and the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from llmsim.core.errors import invalid
from llmsim.core.state import ObjectStore
from llmsim.providers.azure import calls as azure
from llmsim.providers.openai import provider as openai
from llmsim.providers.openai.lists import not_found
from llmsim.providers.openai.responses import params, response_object, stored
from llmsim.providers.openai.responses.params import ResponsesRequest
from llmsim.server.pipeline_state import by_size
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import JournalEntry
from llmsim.state.shm.segment import Cursor

ENDPOINTS = (openai.RESPONSES, azure.RESPONSES)
"""What makes responses, by its names in the journal."""
KIND = "response"

Status: TypeAlias = Literal["queued", "in_progress", "cancelled", "finished"]


class ResponseUpdate(Struct, frozen=True):
    """What was done to a response after it was sent: deleted, or cancelled that many seconds
    after its request arrived."""

    deleted: bool = False
    cancelled: float | None = None


class StoredResponse(Struct, frozen=True):
    """A response as it is now, ``elapsed`` seconds after its request arrived."""

    entry: JournalEntry
    params: ResponsesRequest
    status: Status
    elapsed: float
    update: ResponseUpdate

    @property
    def body(self) -> bytes:
        """The response object."""
        if self.status == "finished":
            return self.entry.answer
        return stored.unfinished(self.entry.answer, self.status)


class ResponseArchive:
    """The responses of all workers, as one worker sees them."""

    def __init__(
        self, shared: SharedState, store: ObjectStore, clock: Callable[[], float] = time.time
    ) -> None:
        self._shared = shared
        self._store = store
        self._clock = clock

    def entry(self, name: str) -> JournalEntry | None:
        """The journal's entry of a response, stored or not; None if there is none."""
        entry = self._shared.entry(name) if name.startswith("resp_") else None
        if entry is None or entry.endpoint not in ENDPOINTS or not entry.answer:
            return None
        return entry if response_object.response_id(entry.mark) == name else None

    async def find(self, name: str) -> StoredResponse:
        """A stored response. Raises BadRequest for one that is not there."""
        entry = self.entry(name)
        if entry is None:
            raise not_found("Response", name)
        request = await by_size(len(entry.body), params.parsed, entry.body)
        update = await self.update(name)
        if request.store is False or update.deleted:
            raise not_found("Response", name)
        elapsed = max(self._clock() - entry.arrived, 0.0)
        status = _status(entry, request, update, elapsed)
        return StoredResponse(entry, request, status, elapsed, update)

    async def delete(self, name: str) -> bytes:
        """Delete a response."""
        await self.find(name)
        await self._put(name, ResponseUpdate(deleted=True))
        return stored.deleted(name)

    async def cancel(self, name: str) -> bytes:
        """Stop a background response; one that has ended stays as it is."""
        response = await self.find(name)
        if not response.params.background:
            message = "Cannot cancel a synchronous response."
            raise invalid(message)
        if response.status in ("queued", "in_progress"):
            await self._put(name, ResponseUpdate(cancelled=response.elapsed))
            return stored.unfinished(response.entry.answer, "cancelled")
        return response.body

    async def update(self, name: str) -> ResponseUpdate:
        """What was done to a response after it was sent."""
        if not self._shared.segment.reached(Cursor.RESPONSES_MARKED):
            return ResponseUpdate()
        value = await self._store.get(KIND, name)
        if value is None:
            return ResponseUpdate()
        return msgspec.json.decode(value, type=ResponseUpdate)

    async def _put(self, name: str, update: ResponseUpdate) -> None:
        await self._store.put(KIND, name, msgspec.json.encode(update))
        self._shared.segment.advance(Cursor.RESPONSES_MARKED)


def _status(
    entry: JournalEntry, request: ResponsesRequest, update: ResponseUpdate, elapsed: float
) -> Status:
    if update.cancelled is not None:
        return "cancelled"
    if elapsed >= entry.planned_total:
        return "finished"
    return "queued" if request.background and elapsed < entry.planned_ttft else "in_progress"
