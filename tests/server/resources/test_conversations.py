"""Conversations: items that requests share, on every worker."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any, TypeVar

import orjson
import pytest
from openai._models import validate_type
from openai.types.conversations import Conversation, ConversationItem

from llmsim.core.errors import BadRequest, FailureKind
from llmsim.providers.openai.lists import Paging
from llmsim.server.resources.conversations import Conversations
from llmsim.state.sqlite import Store, new_store

T = TypeVar("T")
ITEMS = [{"role": "user", "content": text} for text in "abc"]
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def living(scene: Callable[[Conversations], Awaitable[T]]) -> T:
    async def run() -> T:
        with new_store() as path, closing(Store(path)) as store:
            return await scene(Conversations(store))

    return asyncio.run(run())


async def made(
    conversations: Conversations, metadata: dict[str, str] | None = None, items: Any = ()
) -> str:
    told = orjson.loads(await conversations.create(metadata, items))
    name: str = validate_type(type_=Conversation, value=told).id
    return name


def texts(page: bytes) -> str:
    return "".join(item["content"][0]["text"] for item in orjson.loads(page)["data"])


def test_from_its_making_to_its_end() -> None:
    async def scene(conversations: Conversations) -> None:
        name = await made(conversations, {"a": "b"}, ITEMS)
        told = orjson.loads(await conversations.get(name))
        assert told["metadata"] == {"a": "b"}
        changed = orjson.loads(await conversations.update(name, {"c": "d"}))
        assert changed == {**told, "metadata": {"c": "d"}}
        assert orjson.loads(await conversations.get(name)) == changed
        assert orjson.loads(await conversations.delete(name)) == {
            "id": name,
            "object": "conversation.deleted",
            "deleted": True,
        }
        for call in (conversations.get, conversations.delete, conversations.items):
            with pytest.raises(BadRequest) as caught:
                await call(name)  # type: ignore[operator]
            assert caught.value.failure.kind is FailureKind.NOT_FOUND

    living(scene)


@pytest.mark.parametrize(
    ("wanted", "listed", "more"),
    [
        (Paging(), "cba", False),
        (Paging(newest_first=False), "abc", False),
        (Paging(limit=2), "cb", True),
        (Paging(limit=3), "cba", False),
    ],
)
def test_pages(wanted: Paging, listed: str, more: bool) -> None:
    async def scene(conversations: Conversations) -> None:
        name = await made(conversations, items=ITEMS)
        await made(conversations, items=[{"role": "user", "content": "z"}])
        page = await conversations.page(name, wanted)
        assert (texts(page), orjson.loads(page)["has_more"]) == (listed, more)
        last = Paging(100, orjson.loads(page)["last_id"], wanted.newest_first)
        rest = [text for text in ("cba" if wanted.newest_first else "abc") if text not in listed]
        assert texts(await conversations.page(name, last)) == "".join(rest)

    living(scene)


def test_items_one_by_one() -> None:
    async def scene(conversations: Conversations) -> None:
        name = await made(conversations)
        added = await conversations.add(name, [*ITEMS, CALL, {**CALL, "id": "fc_mine"}])
        assert len({item["id"] for item in added}) == 5
        assert added[-1]["id"] == "fc_mine"
        for item in added:
            assert orjson.loads(await conversations.item(name, item["id"])) == item
            validate_type(type_=ConversationItem, value=item)  # type: ignore[arg-type]
        left = orjson.loads(await conversations.remove(name, added[1]["id"]))
        assert left["id"] == name
        kinds = [(item.kind, item.role) for item in await conversations.items(name)]
        assert kinds == [("message", "user")] * 2 + [("function_call", None)] * 2
        for call in (conversations.item, conversations.remove):
            with pytest.raises(BadRequest, match="Item with id"):
                await call(name, added[1]["id"])

    living(scene)


def test_the_same_item_in_two_conversations() -> None:
    async def scene(conversations: Conversations) -> None:
        one, two = await made(conversations), await made(conversations)
        mine = {"id": "msg_1", **ITEMS[0]}
        await conversations.add(one, [mine])
        await conversations.add(two, [mine])
        await conversations.remove(one, "msg_1")
        assert await conversations.items(one) == []
        assert len(await conversations.items(two)) == 1

    living(scene)


def test_a_page_between_items() -> None:
    async def scene(conversations: Conversations) -> None:
        name = await made(conversations, items=ITEMS)
        oldest_first = orjson.loads(await conversations.page(name, Paging(newest_first=False)))
        a, b, c = [one["id"] for one in oldest_first["data"]]
        for wanted, listed, more in (
            (Paging(9, None, False, c), "ab", False),
            (Paging(1, None, False, c), "b", True),
            (Paging(1, None, True, a), "b", True),
            (Paging(9, a, False, c), "b", False),
            (Paging(9, b, False, b), "", False),
        ):
            page = await conversations.page(name, wanted)
            assert (texts(page), orjson.loads(page)["has_more"]) == (listed, more)

    living(scene)


def test_a_page_beside_nothing() -> None:
    async def scene(conversations: Conversations) -> None:
        name = await made(conversations, items=ITEMS)
        for wanted in (Paging(after="msg_x"), Paging(before="msg_x")):
            with pytest.raises(BadRequest, match="Item with id 'msg_x' not found"):
                await conversations.page(name, wanted)
        with pytest.raises(BadRequest, match="conv_x"):
            await conversations.page("conv_x", Paging())

    living(scene)
