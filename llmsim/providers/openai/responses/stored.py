"""Stored responses: the objects they are read and listed as, and what later requests read back
from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import orjson
from msgspec import Raw, Struct

from llmsim.core import Stamp, Usage
from llmsim.core.codec import dumps
from llmsim.providers.openai.lists import Object
from llmsim.providers.openai.responses import response_object
from llmsim.providers.openai.responses.encrypted_content import encrypted
from llmsim.providers.openai.responses.inputs import Item
from llmsim.providers.openai.responses.items import INPUT, item_id
from llmsim.providers.wire.decoding import stored_json

Status: TypeAlias = Literal["queued", "in_progress", "cancelled"]

# Types of items that have a status, beside messages.
_WITH_STATUS = {
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
}


# What parts of messages have that are shown, where the client left it out.
_PARTS: dict[str | None, Object] = {
    "input_image": {"detail": "auto"},
    "output_text": {"annotations": [], "logprobs": []},
}


class StoredOutput(Struct):
    """The part of a stored response that later requests build on."""

    output: list[Item]


class _WrittenOutput(Struct):
    output: list[Raw]


class _Identified(Struct):
    id: str


_output = msgspec.json.Decoder(StoredOutput)
_written_output = msgspec.json.Decoder(_WrittenOutput)
_identified = msgspec.json.Decoder(_Identified)


def output_items(answer: bytes) -> list[Item]:
    """The output items of a response."""
    return _output.decode(answer).output


def written_items(answer: bytes) -> list[tuple[str, bytes]]:
    """The output items of a response as they were written, each after its id."""
    items = [bytes(item) for item in _written_output.decode(answer).output]
    return [(_identified.decode(item).id, item) for item in items]


def unfinished(answer: bytes, status: Status) -> bytes:
    """The response while it is being generated, or cancelled: without any output."""
    response = orjson.loads(answer)
    response |= {"status": status, "completed_at": None, "incomplete_details": None}
    response |= {"output": [], "usage": None}
    return dumps(response)


def input_items(body: bytes, mark: str) -> list[Object]:
    """The items of a request's input, as they are listed."""
    sent = stored_json(body).get("input")
    if isinstance(sent, str):
        sent = [{"role": "user", "content": sent}]
    return [
        item(
            raw,
            item_id(kind(raw), INPUT + place, mark),
        )
        for place, raw in enumerate(sent or ())
    ]


def kind(raw: Mapping[str, Any]) -> str:
    """The type of an item as it was sent."""
    return raw.get("type") or ("message" if "role" in raw else "item_reference")


def item(raw: Mapping[str, Any], name: str) -> Object:
    """An item as it is listed: with type, status and an id, ``name`` if it has none."""
    made = {**raw, "id": raw.get("id") or name, "type": kind(raw)}
    if made["type"] == "message":
        made |= {"status": raw.get("status") or "completed", "content": _content(raw)}
    elif made["type"] in _WITH_STATUS:
        made["status"] = raw.get("status") or "completed"
    return made


def _content(raw: Mapping[str, Any]) -> Sequence[Object]:
    content = raw.get("content")
    if not isinstance(content, str):
        return [_PARTS.get(part.get("type"), {}) | part for part in content or ()]
    if raw.get("role") == "assistant":
        return [{"type": "output_text", "text": content, "annotations": [], "logprobs": []}]
    return [{"type": "input_text", "text": content}]


def deleted(name: str) -> bytes:
    """The answer to deleting a response."""
    return dumps({"id": name, "object": "response", "deleted": True})


def input_tokens(tokens: int) -> bytes:
    """The answer of ``POST /v1/responses/input_tokens``."""
    return dumps({"object": "response.input_tokens", "input_tokens": tokens})


def compaction(text: str, usage: Usage, stamp: Stamp) -> bytes:
    """The answer of ``POST /v1/responses/compact``: a conversation in one item."""
    item = {
        "id": item_id("compaction", 0, stamp.mark),
        "type": "compaction",
        "encrypted_content": encrypted(text),
    }
    return dumps(
        {
            "id": response_object.response_id(stamp.mark),
            "object": "response.compaction",
            "created_at": stamp.created,
            "output": [item],
            "usage": orjson.Fragment(response_object.usage_object(usage)),
        }
    )
