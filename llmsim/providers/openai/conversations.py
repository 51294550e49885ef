"""Conversations (``types.conversations``): the items that several responses share."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
from msgspec import Struct

from llmsim.providers.openai.errors import refuse
from llmsim.providers.openai.lists import Object
from llmsim.providers.openai.responses import inputs
from llmsim.providers.openai.responses.inputs import Item
from llmsim.providers.wire.decoding import MalformedBody, decode, json_values

MOST_ITEMS = 20  # that one request may add


class CreateConversation(Struct):
    """``POST /v1/conversations``, and with metadata only its update."""

    items: list[Item] | None = None
    metadata: dict[str, str] | None = None


class AddItems(Struct):
    """``POST /v1/conversations/{id}/items``."""

    items: list[Item]


_create = msgspec.json.Decoder(CreateConversation)
_add = msgspec.json.Decoder(AddItems)


def conversation(name: str, created: int, metadata: dict[str, str] | None) -> Object:
    """The conversation object."""
    return {
        "id": name,
        "object": "conversation",
        "created_at": created,
        "metadata": metadata or {},
    }


def create_params(body: bytes) -> tuple[dict[str, str] | None, list[dict[str, Any]]]:
    """Metadata and items of a request to create a conversation, the items as they were sent. Raises
    BadRequest."""
    body = body or b"{}"
    try:
        params = decode(_create, body)
        sent = json_values(body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
    inputs.items(params.items)
    return params.metadata, sent.get("items") or []


def added_items(body: bytes) -> list[dict[str, Any]]:
    """The items of a request to add some, as they were sent. Raises BadRequest."""
    try:
        params = decode(_add, body)
        sent = json_values(body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
    inputs.items(params.items)
    items: list[dict[str, Any]] = sent["items"]
    return items


def deleted(name: str) -> bytes:
    """The answer to deleting a conversation."""
    return orjson.dumps({"id": name, "object": "conversation.deleted", "deleted": True})
