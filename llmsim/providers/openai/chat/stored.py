"""Stored chat completions: the objects they are listed and read as, and what may change
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
from llmsim.providers.wire.decoding import MalformedBody, decode, stored_json

Key = Annotated[str, Meta(max_length=64)]
Value = Annotated[str, Meta(max_length=512)]
Metadata = Annotated[dict[Key, Value], Meta(max_length=16)]

# The parameters of its request that a stored completion shows, and their defaults.
_SHOWN_PARAMS: dict[str, Any] = {
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
    """The id of the completion whose stamp has that mark."""
    return PREFIX + mark


def metadata_update(body: bytes) -> dict[str, str]:
    """The metadata of an update, which replaces the old one. Raises BadRequest."""
    try:
        return decode(_update, body).metadata or {}
    except MalformedBody as mistake:
        raise refuse(mistake) from None


def completion(body: bytes, answer: bytes, metadata: Mapping[str, str] | None) -> Object:
    """The stored completion; ``metadata`` None leaves that of its request."""
    params: Object = stored_json(body)
    stored: Object = orjson.loads(answer)
    for name, default in _SHOWN_PARAMS.items():
        value = params.get(name)
        stored[name] = default if value is None else value
    stored["input_user"] = params.get("user")
    stored["metadata"] = (params.get("metadata") or {}) if metadata is None else dict(metadata)
    return stored


def messages(body: bytes, name: str) -> list[Object]:
    """The messages of a completion's request, oldest first, as they are listed."""
    return [
        _message(message, f"{name}-{place}")
        for place, message in enumerate(stored_json(body)["messages"])
    ]


def _message(sent: Object, name: str) -> Object:
    content = sent.get("content")
    parts = content if isinstance(content, list) else None
    if parts is not None:
        content = "".join(part["text"] for part in parts if part.get("type") == "text")
    message = {"refusal": None, "name": None, **sent, "id": name}
    return message | {"content": content, "content_parts": parts}


def matches(stored: Object, query: Mapping[str, Sequence[str]]) -> bool:
    """Whether a stored completion has the model and the metadata that a query filters by."""
    if "model" in query and stored["model"] != query["model"][-1]:
        return False
    return all(
        stored["metadata"].get(name[len(_FILTER) : -1]) == values[-1]
        for name, values in query.items()
        if name.startswith(_FILTER) and name.endswith("]")
    )


def deleted(name: str) -> bytes:
    """The answer to deleting a completion."""
    return orjson.dumps({"id": name, "object": "chat.completion.deleted", "deleted": True})
