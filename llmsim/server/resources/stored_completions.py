"""Stored chat completions: the answers are in the journal, where any worker finds them; what
changed since is in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from llmsim.core.codec import dumps
from llmsim.core.state import ObjectStore
from llmsim.providers.openai import lists
from llmsim.providers.openai.chat import stored
from llmsim.providers.openai.lists import Object, Paging, not_found
from llmsim.server.pipeline_state import by_size, offload
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import JournalEntry
from llmsim.state.sqlite import MOST

ENDPOINT = "/v1/chat/completions"
KIND = "chat completion"
IDS = "chatcmpl-"
"""What ids of completions begin with."""

# Still being sent, and sent whole: what broke off is not stored.
STORED_STATUSES = (0, 200)


class CompletionUpdate(Struct, frozen=True):
    """What was done to a completion after it was sent: deleted, or its metadata replaced."""

    deleted: bool = False
    metadata: dict[str, str] | None = None


_update = msgspec.json.Decoder(CompletionUpdate)
NO_UPDATE = CompletionUpdate()


class StoredCompletions:
    """The stored chat completions of all workers. Unknown ids raise BadRequest."""

    def __init__(self, shared: SharedState, store: ObjectStore) -> None:
        self._shared = shared
        self._store = store

    async def get(self, name: str) -> bytes:
        """A completion."""
        return await _written(*await self._find(name))

    async def update(self, name: str, metadata: dict[str, str]) -> bytes:
        """Replace the metadata; gives the completion."""
        entry, _ = await self._find(name)
        update = CompletionUpdate(metadata=metadata)
        await self._store.put(KIND, name, msgspec.json.encode(update))
        return await _written(entry, update)

    async def delete(self, name: str) -> bytes:
        """Delete a completion."""
        await self._find(name)
        await self._store.put(KIND, name, msgspec.json.encode(CompletionUpdate(deleted=True)))
        return stored.deleted(name)

    async def messages(self, name: str, paging: Paging) -> bytes:
        """A page of the messages of a completion's request."""
        entry, _ = await self._find(name)

        def page() -> bytes:
            return lists.page(stored.messages(entry.body, name), paging)

        return await by_size(len(entry.body), page)

    async def page(self, query: Mapping[str, Sequence[str]], paging: Paging) -> bytes:
        """A page of the completions the query selects.

        The journal forgets the oldest, so nothing comes after or before one that it does not have
        any more. Raises BadRequest for an id that was never one.
        """
        listed = await self._store.list(KIND, limit=MOST)
        updates = {name: _update.decode(value) for name, value in listed}
        return await offload(self._page, query, paging, updates)

    def _page(
        self,
        query: Mapping[str, Sequence[str]],
        paging: Paging,
        updates: Mapping[str, CompletionUpdate],
    ) -> bytes:
        every = [entry for entry in self._shared.each() if _is_stored(entry)]
        reading = paging.reading()
        every.sort(key=lambda entry: (entry.arrived, entry.mark), reverse=reading.newest_first)
        every = _between(every, reading)
        listed: list[Object] = []
        for entry in every:
            update = updates.get(stored.completion_id(entry.mark), NO_UPDATE)
            if update.deleted:
                continue
            completion = _object(entry, update)
            if stored.matches(completion, query):
                listed.append(completion)
            if len(listed) > paging.limit:
                break
        return lists.envelope(paging.shown(listed), paging.limit)

    async def _find(self, name: str) -> tuple[JournalEntry, CompletionUpdate]:
        entry = self._shared.entry(name)
        if entry is None or not _is_stored(entry) or stored.completion_id(entry.mark) != name:
            raise not_found("Chat completion", name)
        value = await self._store.get(KIND, name)
        update = NO_UPDATE if value is None else _update.decode(value)
        if update.deleted:
            raise not_found("Chat completion", name)
        return entry, update


def _between(entries: list[JournalEntry], reading: Paging) -> list[JournalEntry]:
    """The entries between the cursors; none if one of these is forgotten."""
    cursors = [one for one in (reading.after, reading.before) if one is not None]
    if not cursors:
        return entries
    places = {stored.completion_id(entry.mark): place for place, entry in enumerate(entries)}
    for cursor in cursors:
        if cursor not in places:
            if cursor.startswith(IDS):
                return []
            raise not_found("Item", cursor)
    start = 0 if reading.after is None else places[reading.after] + 1
    stop = len(entries) if reading.before is None else places[reading.before]
    return entries[start:stop]


def _is_stored(entry: JournalEntry) -> bool:
    return entry.endpoint == ENDPOINT and bool(entry.answer) and entry.status in STORED_STATUSES


async def _written(entry: JournalEntry, update: CompletionUpdate) -> bytes:
    size = len(entry.body) + len(entry.answer)
    return await by_size(size, lambda: dumps(_object(entry, update)))


def _object(entry: JournalEntry, update: CompletionUpdate) -> Object:
    return stored.completion(entry.body, entry.answer, update.metadata)
