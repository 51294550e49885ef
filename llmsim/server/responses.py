"""What the server remembers of responses: the answers it sent, and what became of them since.

An answer is in the journal, where any worker finds it by its id; it never changes. That it was
deleted or cancelled is a mark in the store. How far one in the background has come follows from
its plan and the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec
import orjson
from msgspec import Struct

from llmsim.dialects import (
    openai_responses_ask,
    openai_responses_input,
    openai_responses_object,
    openai_responses_request,
    openai_responses_stored,
)
from llmsim.dialects.openai_lists import not_found
from llmsim.dialects.openai_responses import OpenAIResponses
from llmsim.dialects.openai_responses_input import Item
from llmsim.dialects.openai_responses_request import ResponsesRequest, Wire
from llmsim.errors import BadRequest, Failure, Kind, invalid
from llmsim.exchange import Ask, Stamp
from llmsim.server.books import Books
from llmsim.server.conversations import Conversations
from llmsim.server.store import Store
from llmsim.shared.journal import Entry
from llmsim.shared.segment import Cursor

ENDPOINT = "/v1/responses"
KIND = "response"
MOST_TURNS = 1000
"""How many responses a chain of ``previous_response_id`` may have."""

Status: TypeAlias = Literal["queued", "in_progress", "cancelled", "finished"]


class Mark(Struct, frozen=True):
    """What became of a response: deleted, or cancelled so many seconds after it was asked for."""

    deleted: bool = False
    cancelled: float | None = None


class Kept(Struct, frozen=True):
    """A response as it stands."""

    entry: Entry
    given: ResponsesRequest
    status: Status
    elapsed: float
    mark: Mark

    @property
    def told(self) -> bytes:
        """The response object."""
        if self.status == "finished":
            return self.entry.answer
        return openai_responses_stored.unfinished(self.entry.answer, self.status)


class Responses:
    """The memory behind ``/v1/responses``, as one worker holds it."""

    def __init__(
        self,
        dialect: OpenAIResponses,
        books: Books,
        store: Store,
        conversations: Conversations,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dialect = dialect
        self._books = books
        self._store = store
        self._conversations = conversations
        self._clock = clock

    # --- what requests build on -------------------------------------------------------------

    async def recall(self, ask: Ask, unstored: str | None = None) -> Ask:
        """The request with all it builds on.

        ``unstored`` is the id of a response that is not stored but may be continued here. Raises
        BadRequest for what is not remembered.
        """
        wire: Wire = ask.wire
        if not wire.continues:
            return ask
        given = wire.given
        earlier: list[Item] = []
        if given.previous_response_id is not None:
            name = given.previous_response_id
            if (await self._mark(name)).deleted:
                raise _not_continued(name)
            earlier = self._chain(name, unstored)
        elif (conversation := given.conversation_id) is not None:
            earlier = await self._conversations.items(conversation)
        own = self._resolved(openai_responses_input.items(given.input))
        return openai_responses_ask.continued(ask, [*earlier, *own])

    async def keep(self, ask: Ask, body: bytes, answer: bytes, stamp: Stamp) -> bytes | None:
        """Add request and answer to their conversation, if they belong to one. Gives what to
        answer at once if the client comes back for the answer itself."""
        given: ResponsesRequest = ask.wire.given
        if (conversation := given.conversation_id) is not None:
            heard = openai_responses_stored.input_items(body, stamp.mark)
            said = orjson.loads(answer)["output"]
            await self._conversations.add(conversation, [*heard, *said])
        if given.background and not ask.stream:
            return self._dialect.queued(ask, stamp)
        return None

    def _chain(self, name: str, unstored: str | None) -> list[Item]:
        """All items of a response and of those before it, oldest first."""
        turns: list[list[Item]] = []
        following: str | None = name
        private = name == unstored
        while following is not None:
            entry = self._entry(following)
            if entry is None or len(turns) == MOST_TURNS:
                raise _not_continued(following)
            given = openai_responses_request.parsed(entry.body)
            if given.store is False and not private:
                raise _not_continued(following)
            said = openai_responses_stored.output(entry.answer)
            turns.append([*self._resolved(openai_responses_input.items(given.input)), *said])
            following = given.previous_response_id
        return [item for turn in reversed(turns) for item in turn]

    def _resolved(self, items: Sequence[Item]) -> list[Item]:
        """The items, references replaced by what they refer to."""
        return [
            self._referred(item.id or "") if item.kind == "item_reference" else item
            for item in items
        ]

    def _referred(self, name: str) -> Item:
        entry = self._books.entry(name)
        if entry is not None and entry.endpoint == ENDPOINT and entry.answer:
            for item in openai_responses_stored.output(entry.answer):
                if item.id == name:
                    return item
            given = openai_responses_request.parsed(entry.body)
            heard = openai_responses_input.items(given.input)
            listed = openai_responses_stored.input_items(entry.body, entry.mark)
            for item, told in zip(heard, listed, strict=True):
                if told["id"] == name:
                    return item
        message = (
            f"Item with id '{name}' not found. Items are not persisted when `store` is set to "
            "false. Try again with `store` set to true, or remove this item from your input."
        )
        raise BadRequest(Failure(Kind.NOT_FOUND, message, "input"))

    def _entry(self, name: str) -> Entry | None:
        """The journal's entry of a response, stored or not."""
        entry = self._books.entry(name) if name.startswith("resp_") else None
        if entry is None or entry.endpoint != ENDPOINT or not entry.answer:
            return None
        return entry if openai_responses_object.response_id(entry.mark) == name else None

    # --- what is told of a response later ---------------------------------------------------

    async def find(self, name: str) -> Kept:
        """A stored response. Raises BadRequest for one that is not there."""
        entry = self._entry(name)
        if entry is None:
            raise not_found("Response", name)
        given = openai_responses_request.parsed(entry.body)
        mark = await self._mark(name)
        if given.store is False or mark.deleted:
            raise not_found("Response", name)
        elapsed = max(self._clock() - entry.arrived, 0.0)
        return Kept(entry, given, _status(entry, given, mark, elapsed), elapsed, mark)

    async def delete(self, name: str) -> bytes:
        """Forget a response."""
        await self.find(name)
        await self._put(name, Mark(deleted=True))
        return openai_responses_stored.deleted(name)

    async def cancel(self, name: str) -> bytes:
        """Stop a response in the background; one that has ended stays as it is."""
        kept = await self.find(name)
        if not kept.given.background:
            message = "Cannot cancel a synchronous response."
            raise invalid(message)
        if kept.status in ("queued", "in_progress"):
            await self._put(name, Mark(cancelled=kept.elapsed))
            return openai_responses_stored.unfinished(kept.entry.answer, "cancelled")
        return kept.told

    async def _mark(self, name: str) -> Mark:
        if not self._books.segment.reached(Cursor.RESPONSES_MARKED):
            return Mark()
        found = await self._store.get(KIND, name)
        return Mark() if found is None else msgspec.json.decode(found, type=Mark)

    async def _put(self, name: str, mark: Mark) -> None:
        await self._store.put(KIND, name, msgspec.json.encode(mark))
        self._books.segment.advance(Cursor.RESPONSES_MARKED)


def _status(entry: Entry, given: ResponsesRequest, mark: Mark, elapsed: float) -> Status:
    if mark.cancelled is not None:
        return "cancelled"
    if elapsed >= entry.planned_total:
        return "finished"
    return "queued" if given.background and elapsed < entry.planned_ttft else "in_progress"


def _not_continued(name: str) -> BadRequest:
    message = f"Previous response with id '{name}' not found."
    return invalid(message, "previous_response_id", "previous_response_not_found")
