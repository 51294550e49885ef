"""Chat completions that were kept: the answers are in the journal, where any worker finds them,
what changed since is in the store."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping, Sequence

import msgspec
import orjson
from msgspec import Struct

from llmsim.providers.openai import lists
from llmsim.providers.openai.chat import stored
from llmsim.providers.openai.lists import Object, Paging, not_found
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import JournalEntry
from llmsim.state.sqlite import MOST, Store

ENDPOINT = "/v1/chat/completions"
KIND = "chat completion"

# On its way, and sent whole: what broke off was not kept.
KEPT = (0, 200)


class Change(Struct, frozen=True):
    """What became of a completion: deleted, or given other metadata."""

    deleted: bool = False
    metadata: dict[str, str] | None = None


_change = msgspec.json.Decoder(Change)
UNCHANGED = Change()


class StoredCompletions:
    """What all workers know of chat completions. Unknown ids raise BadRequest."""

    def __init__(self, shared: SharedState, store: Store) -> None:
        self._shared = shared
        self._store = store

    async def get(self, name: str) -> bytes:
        """A completion."""
        entry, change = await self._find(name)
        return orjson.dumps(_told(entry, change))

    async def update(self, name: str, metadata: dict[str, str]) -> bytes:
        """Put other metadata in place of what there is; gives the completion."""
        entry, _ = await self._find(name)
        change = Change(metadata=metadata)
        await self._store.put(KIND, name, msgspec.json.encode(change))
        return orjson.dumps(_told(entry, change))

    async def delete(self, name: str) -> bytes:
        """Forget a completion."""
        await self._find(name)
        await self._store.put(KIND, name, msgspec.json.encode(Change(deleted=True)))
        return stored.deleted(name)

    async def messages(self, name: str, paging: Paging) -> bytes:
        """A page of the messages a completion answered."""
        entry, _ = await self._find(name)
        return lists.page(stored.messages(entry.body, name), paging)

    async def page(self, query: Mapping[str, Sequence[str]], paging: Paging) -> bytes:
        """A page of those the query asks for.

        The journal forgets the oldest, so nothing comes after one that it does not have.
        """
        changes = {
            name: _change.decode(value) for name, value in await self._store.list(KIND, limit=MOST)
        }
        return await to_thread(self._page, query, paging, changes)

    def _page(
        self, query: Mapping[str, Sequence[str]], paging: Paging, changes: Mapping[str, Change]
    ) -> bytes:
        every = [entry for entry in self._shared.each() if _kept(entry)]
        every.sort(key=lambda entry: (entry.arrived, entry.mark), reverse=paging.newest_first)
        if paging.after is not None:
            names = [stored.completion_id(entry.mark) for entry in every]
            start = names.index(paging.after) + 1 if paging.after in names else len(every)
            every = every[start:]
        listed: list[Object] = []
        for entry in every:
            change = changes.get(stored.completion_id(entry.mark), UNCHANGED)
            if change.deleted:
                continue
            told = _told(entry, change)
            if stored.matches(told, query):
                listed.append(told)
            if len(listed) > paging.limit:
                break
        return lists.envelope(listed, paging.limit)

    async def _find(self, name: str) -> tuple[JournalEntry, Change]:
        entry = self._shared.entry(name)
        if entry is None or not _kept(entry) or stored.completion_id(entry.mark) != name:
            raise not_found("Chat completion", name)
        value = await self._store.get(KIND, name)
        change = UNCHANGED if value is None else _change.decode(value)
        if change.deleted:
            raise not_found("Chat completion", name)
        return entry, change


def _kept(entry: JournalEntry) -> bool:
    return entry.endpoint == ENDPOINT and bool(entry.answer) and entry.status in KEPT


def _told(entry: JournalEntry, change: Change) -> Object:
    return stored.completion(entry.body, entry.answer, change.metadata)
