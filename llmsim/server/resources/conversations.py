"""Conversations and their items, all of them in the store."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

import msgspec
import orjson

from llmsim.core.codec import dumps
from llmsim.core.state import ObjectStore
from llmsim.providers.openai import conversations as openai_conversations
from llmsim.providers.openai import lists
from llmsim.providers.openai.lists import Object, Paging, not_found
from llmsim.providers.openai.responses import stored
from llmsim.providers.openai.responses.inputs import Item
from llmsim.providers.openai.responses.items import PREFIXES
from llmsim.server.pipeline_state import by_size

KIND = "conversation"
ITEMS = "conversation item"
MOST = 10_000  # items of a conversation that a request continues

_item = msgspec.json.Decoder(Item)


class Conversations:
    """The conversations of all workers. Unknown ids raise BadRequest."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def create(self, metadata: dict[str, str] | None, items: Sequence[Object]) -> bytes:
        """A new conversation."""
        name = f"conv_{secrets.token_hex(24)}"
        body = dumps(openai_conversations.conversation(name, int(time.time()), metadata))
        await self._store.put(KIND, name, body)
        await self.add(name, items)
        return body

    async def get(self, name: str) -> bytes:
        """The conversation without its items."""
        found = await self._store.get(KIND, name)
        if found is None:
            raise not_found("Conversation", name)
        return found

    async def update(self, name: str, metadata: dict[str, str] | None) -> bytes:
        """Replace the metadata; gives the conversation."""

        def updated(value: bytes) -> bytes:
            return dumps({**orjson.loads(value), "metadata": metadata or {}})

        found = await self._store.update(KIND, name, updated)
        if found is None:
            raise not_found("Conversation", name)
        return found

    async def delete(self, name: str) -> bytes:
        """Delete a conversation and its items."""
        if not await self._store.delete(KIND, name):
            raise not_found("Conversation", name)
        await self._store.clear(ITEMS, name)
        return openai_conversations.deleted(name)

    async def add(self, name: str, items: Sequence[Object]) -> list[Object]:
        """Append items, those without an id get one; gives the items as they were added."""
        added = []
        for raw in items:
            prefix = PREFIXES.get(stored.kind(raw), "item")
            item = stored.item(raw, f"{prefix}_{secrets.token_hex(24)}")
            await self._store.put(ITEMS, _key(name, item["id"]), dumps(item), name)
            added.append(item)
        return added

    async def add_written(self, name: str, items: Sequence[tuple[str, bytes]]) -> None:
        """Append items that have all that listed ones have, each after its id."""
        for item, written in items:
            await self._store.put(ITEMS, _key(name, item), written, name)

    async def items(self, name: str) -> list[Item]:
        """All items, oldest first, as a request continues them."""
        await self.get(name)
        listed = await self._store.list(ITEMS, name, limit=MOST, newest_first=False)
        size = sum(len(value) for _, value in listed)
        return await by_size(size, lambda: [_item.decode(value) for _, value in listed])

    async def page(self, name: str, paging: Paging) -> bytes:
        """A page of the items."""
        await self.get(name)
        reading = paging.reading()
        prefix = len(_key(name, ""))
        try:
            listed = await self._store.list(
                ITEMS,
                name,
                after=None if reading.after is None else _key(name, reading.after),
                before=None if reading.before is None else _key(name, reading.before),
                limit=paging.limit + 1,
                newest_first=reading.newest_first,
            )
        except LookupError as missing:
            raise not_found("Item", str(missing.args[0])[prefix:]) from None
        items = paging.shown([(key[prefix:], value) for key, value in listed])
        size = sum(len(value) for _, value in items)
        return await by_size(size, lists.written_envelope, items, paging.limit)

    async def item(self, name: str, item: str) -> bytes:
        """One item of a conversation."""
        await self.get(name)
        found = await self._store.get(ITEMS, _key(name, item))
        if found is None:
            raise not_found("Item", item)
        return found

    async def remove(self, name: str, item: str) -> bytes:
        """Delete one item; gives the conversation."""
        conversation = await self.get(name)
        if not await self._store.delete(ITEMS, _key(name, item)):
            raise not_found("Item", item)
        return conversation


def _key(conversation: str, item: str) -> str:
    """The store's key of an item: the same item may be in several conversations."""
    return f"{conversation}/{item}"
