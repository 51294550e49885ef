"""Chat completions that were kept: what is told of them later, and what may change
(``types.chat.chat_completion``, ``types.chat.chat_completion_store_message``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta, Struct

from llmsim.providers.openai.chat.codec import PREFIX
from llmsim.providers.openai.errors import refuse
from llmsim.providers.openai.lists import Object
from llmsim.providers.wire.decoding import MalformedBody, decode, remembered

Key = Annotated[str, Meta(max_length=64)]
Value = Annotated[str, Meta(max_length=512)]
Metadata = Annotated[dict[Key, Value], Meta(max_length=16)]

# What a kept completion tells of its request, and what that was where the request did not say.
_ASKED: dict[str, Any] = {
    "tool_choice": None,
    "tools": None,
    "response_format": None,
    "seed": None,
    "temperature": 1.0,
    "top_p": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
_FILTER = "metadata["


class Update(Struct):
    """``POST /v1/chat/completions/{id}``."""

    metadata: Metadata | None


_update = msgspec.json.Decoder(Update)


def completion_id(mark: str) -> str:
    """The id of the completion with that mark."""
    return PREFIX + mark


def metadata_update(body: bytes) -> dict[str, str]:
    """The metadata that takes the place of the old one. Raises BadRequest."""
    try:
        return decode(_update, body).metadata or {}
    except MalformedBody as mistake:
        raise refuse(mistake) from None


def completion(body: bytes, answer: bytes, metadata: Mapping[str, str] | None) -> Object:
    """The completion; ``metadata`` None leaves it as it was asked for."""
    asked: Object = remembered(body)
    told: Object = orjson.loads(answer)
    for name, default in _ASKED.items():
        given = asked.get(name)
        told[name] = default if given is None else given
    told["input_user"] = asked.get("user")
    told["metadata"] = (asked.get("metadata") or {}) if metadata is None else dict(metadata)
    return told


def messages(body: bytes, name: str) -> list[Object]:
    """The messages of a completion's request, oldest first, as they are listed."""
    return [
        _message(message, f"{name}-{place}")
        for place, message in enumerate(remembered(body)["messages"])
    ]


def _message(given: Object, name: str) -> Object:
    content = given.get("content")
    parts = content if isinstance(content, list) else None
    if parts is not None:
        content = "".join(part["text"] for part in parts if part.get("type") == "text")
    told = {"refusal": None, "name": None, **given, "id": name}
    return told | {"content": content, "content_parts": parts}


def matches(told: Object, query: Mapping[str, Sequence[str]]) -> bool:
    """Whether a completion is one of those the query's model and metadata ask for."""
    if "model" in query and told["model"] != query["model"][-1]:
        return False
    return all(
        told["metadata"].get(name[len(_FILTER) : -1]) == values[-1]
        for name, values in query.items()
        if name.startswith(_FILTER) and name.endswith("]")
    )


def deleted(name: str) -> bytes:
    """What deleting a completion is answered with."""
    return orjson.dumps({"id": name, "object": "chat.completion.deleted", "deleted": True})
