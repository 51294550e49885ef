"""Rewrites what a request has that is newer than anthropic 2.12 into what that version knows.

For requests that are not validated strictly: a new block counts the tokens of its JSON, and a
new value of a field is as good as none. Only bodies that would be refused otherwise come here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, get_args

from llmsim.core.codec import dumps
from llmsim.providers.anthropic.messages.blocks import AnyBlock, Returned
from llmsim.providers.wire.decoding import json_values

Object: TypeAlias = dict[str, Any]


def _tags(blocks: object) -> frozenset[str]:
    return frozenset(block.__struct_config__.tag for block in get_args(blocks))


BLOCKS = _tags(AnyBlock)
RETURNED = _tags(Returned)
SOURCES = {
    "image": ("base64", "url", "file"),
    "document": ("base64", "url", "file", "text", "content"),
}

# Fields with a closed list of values; one with any other value is left out.
_FIELDS: Mapping[str, tuple[str, ...]] = {"service_tier": ("auto", "standard_only")}
_EFFORTS: Mapping[str, tuple[str, ...]] = {"effort": ("low", "medium", "high", "xhigh", "max")}
_DISPLAYS: Mapping[str, tuple[str, ...]] = {"display": ("summarized", "omitted")}
_TTLS: Mapping[str, tuple[str, ...]] = {"ttl": ("5m", "1h")}
# Fields that hold objects, with the types these may have; likewise.
_OBJECTS: Mapping[str, tuple[str, ...]] = {
    "cache_control": ("ephemeral",),
    "output_format": ("json_schema",),
    "thinking": ("enabled", "adaptive", "disabled", "between_tools"),
    "tool_choice": ("auto", "any", "tool", "none"),
}
_FORMATS: Mapping[str, tuple[str, ...]] = {"format": ("json_schema",)}


def known(body: bytes) -> bytes:
    """The body without what is not known. Raises MalformedBody."""
    wire = json_values(body)
    if not isinstance(wire, dict):
        return body
    _drop_types(wire, _OBJECTS)
    _drop_values(wire, _FIELDS)
    _drop_values(wire.get("thinking"), _DISPLAYS)
    config = wire.get("output_config")
    _drop_values(config, _EFFORTS)
    _drop_types(config, _FORMATS)
    _drop_values(wire.get("cache_control"), _TTLS)
    for tool in _objects(wire.get("tools")):
        _drop_cache_controls(tool)
    wire |= _rewritten(wire, "system", frozenset({"text"}))
    for message in _objects(wire.get("messages")):
        message.update(_rewritten(message, "content", BLOCKS))
    return dumps(wire)


def _objects(value: object) -> Iterator[Object]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def _drop_values(holder: object, fields: Mapping[str, tuple[str, ...]]) -> None:
    """Removes from ``holder`` the fields whose text is not one of those known."""
    if isinstance(holder, dict):
        for field, values in fields.items():
            if isinstance(holder.get(field), str) and holder[field] not in values:
                del holder[field]


def _drop_types(holder: object, fields: Mapping[str, tuple[str, ...]]) -> None:
    """Removes from ``holder`` the objects whose type is not one of those known."""
    if isinstance(holder, dict):
        for field, types in fields.items():
            value = holder.get(field)
            if isinstance(value, dict) and _new(value, types):
                del holder[field]


def _new(value: Object, types: tuple[str, ...] | frozenset[str]) -> bool:
    kind = value.get("type")
    return isinstance(kind, str) and kind not in types


def _drop_cache_controls(holder: Object) -> None:
    _drop_types(holder, {"cache_control": _OBJECTS["cache_control"]})
    _drop_values(holder.get("cache_control"), _TTLS)


def _rewritten(holder: Object, field: str, tags: frozenset[str]) -> Object:
    """The field with its blocks rewritten, where it has any."""
    blocks = holder.get(field)
    if not isinstance(blocks, list):
        return {}
    return {field: [_block(one, tags) if isinstance(one, dict) else one for one in blocks]}


def _block(block: Object, tags: frozenset[str]) -> Object:
    _drop_cache_controls(block)
    kind = block.get("type")
    if _new(block, tags):
        return _other(block) if tags is BLOCKS else {"type": "text", "text": _json(block)}
    if kind == "tool_result":
        return block | _rewritten(block, "content", RETURNED)
    source = block.get("source")
    if isinstance(source, dict):
        if isinstance(kind, str) and kind in SOURCES and _new(source, SOURCES[kind]):
            return block | {"source": {"type": "file", "file_id": _json(source)}}
        if kind == "document" and source.get("type") == "content":
            inner = _rewritten(source, "content", frozenset({"text", "image"}))
            return block | {"source": source | inner}
    return block


def _other(block: Object) -> Object:
    """A block that counts its tokens and adds no text to the message."""
    return {"type": "server_tool_use", "id": "", "name": "", "input": block}


def _json(value: Object) -> str:
    return dumps(value).decode()
