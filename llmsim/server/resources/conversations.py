"""Conversations and their items, kept in the store."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from llmsim.providers.openai import conversations as openai_conversations
from llmsim.providers.openai import lists
from llmsim.providers.openai.lists import Object, Paging, not_found
from llmsim.providers.openai.responses import stored
from llmsim.providers.openai.responses.inputs import Item
from llmsim.providers.openai.responses.items import PREFIXES
from llmsim.state.sqlite import Store

KIND = "conversation"
ITEMS = "conversation item"
MOST = 10_000  # items of one conversation that requests get to see

_item = msgspec.json.Decoder(Item)


class Conversations:
    """What all workers know of conversations. Names that are unknown raise BadRequest."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, metadata: dict[str, str] | None, items: Sequence[Object]) -> bytes:
        """A new conversation."""
        name = f"conv_{secrets.token_hex(24)}"
        made = openai_conversations.conversation(name, int(time.time()), metadata)
        await self._store.put(KIND, name, orjson.dumps(made))
        await self.add(name, items)
        return orjson.dumps(made)

    async def get(self, name: str) -> bytes:
        """The conversation without its items."""
        found = await self._store.get(KIND, name)
        if found is None:
            raise not_found("Conversation", name)
        return found

    async def update(self, name: str, metadata: dict[str, str] | None) -> bytes:
        """Put other metadata in place of what there is."""

        def changed(value: bytes) -> bytes:
            return orjson.dumps({**orjson.loads(value), "metadata": metadata or {}})

        found = await self._store.update(KIND, name, changed)
        if found is None:
            raise not_found("Conversation", name)
        return found

    async def delete(self, name: str) -> bytes:
        """Forget a conversation and its items."""
        if not await self._store.delete(KIND, name):
            raise not_found("Conversation", name)
        await self._store.clear(ITEMS, name)
        return openai_conversations.deleted(name)

    async def add(self, name: str, items: Sequence[Object]) -> list[Object]:
        """Add items to the end, those without an id get one; gives what was added."""
        made = []
        for raw in items:
            prefix = PREFIXES.get(stored.kind(raw), "item")
            item = stored.item(raw, f"{prefix}_{secrets.token_hex(24)}")
            await self._store.put(ITEMS, _key(name, item["id"]), orjson.dumps(item), name)
            made.append(item)
        return made

    async def items(self, name: str) -> list[Item]:
        """All items, oldest first, as requests read them."""
        await self.get(name)
        listed = await self._store.list(ITEMS, name, limit=MOST, newest_first=False)
        return [_item.decode(value) for _, value in listed]

    async def page(self, name: str, wanted: Paging) -> bytes:
        """A page of the items."""
        await self.get(name)
        try:
            listed = await self._store.list(
                ITEMS,
                name,
                after=None if wanted.after is None else _key(name, wanted.after),
                limit=wanted.limit + 1,
                newest_first=wanted.newest_first,
            )
        except LookupError:
            raise not_found("Item", wanted.after or "") from None
        told: list[dict[str, Any]] = [orjson.loads(value) for _, value in listed]
        return lists.envelope(told, wanted.limit)

    async def item(self, name: str, item: str) -> bytes:
        """One item of a conversation."""
        await self.get(name)
        found = await self._store.get(ITEMS, _key(name, item))
        if found is None:
            raise not_found("Item", item)
        return found

    async def remove(self, name: str, item: str) -> bytes:
        """Forget one item; gives the conversation."""
        told = await self.get(name)
        if not await self._store.delete(ITEMS, _key(name, item)):
            raise not_found("Item", item)
        return told


def _key(conversation: str, item: str) -> str:
    """The store's name of an item: the same item may be in several conversations."""
    return f"{conversation}/{item}"
