"""A request reduced to what its answer depends on: equal ones have equal keys.

What is kept of a JSON body are the fields of :data:`FIELDS`: the model, messages with the system's,
tools and the answer's format. Not kept are the stream flag, sampling parameters, seeds, users and
metadata. Then what says the same is written the same way:

- keys in their order, numbers as JSON writes them, absent in place of null
- text alone in a list of parts as that text; adjacent texts joined
- ids of tool calls by their place of first appearance, so that fresh ids match; ids of messages
  and items, signatures and encrypted reasoning left out
- arguments of tool calls, which are JSON in a text, as that JSON
- values that anonymising replaces as their kind, so that a recording which is anonymised matches
  the request in clear

A body that is no JSON object counts byte by byte.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Set
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

Canonical: TypeAlias = dict[str, Any]
"""A request's ``provider``, ``endpoint``, ``model`` and what is kept of its body."""

FIELDS: Final = frozenset(
    {
        "messages",  # Chat Completions, Anthropic
        "input",  # Responses, embeddings, speech
        "instructions",
        "previous_response_id",
        "conversation",
        "prompt",  # completions, images
        "suffix",
        "system",  # Anthropic
        "contents",  # Gemini
        "content",
        "requests",
        "systemInstruction",
        "tools",
        "tool_choice",
        "toolConfig",
        "functions",
        "function_call",
        "response_format",
        "text.format",
        "output_config.format",
        "generationConfig.responseMimeType",
        "generationConfig.responseSchema",
        "generationConfig.responseJsonSchema",
        "generationConfig.responseModalities",
        "modalities",
        "dimensions",
        "encoding_format",
        "size",
        "voice",
    }
)
"""What is kept of a body, dots for keys in keys."""

CALL_IDS: Final = frozenset({"tool_call_id", "call_id", "tool_use_id"})
LEFT_OUT: Final = frozenset(
    {"signature", "encrypted_content", "thoughtSignature", "thought_signature", "cache_control"}
)
TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})
CAMEL: Final = re.compile(r"_([a-z])")


class KeyFields(NamedTuple):
    """What is kept: :data:`FIELDS` with those of ``also`` and without those of ``never``."""

    also: Set[str] = frozenset()
    never: Set[str] = frozenset()

    @property
    def kept(self) -> Set[str]:
        """All fields that are kept."""
        return (FIELDS | self.also) - self.never


def unchanged(text: str) -> str:
    """The text where nothing is anonymised."""
    return text


def canonical(
    provider: str,
    endpoint: str,
    model: str,
    body: bytes,
    fields: KeyFields = KeyFields(),  # noqa: B008  immutable
    kinds: Callable[[str], str] = unchanged,
) -> Canonical:
    """What the answer to a request depends on. ``kinds`` writes the kind of value in the place of
    each that anonymising would replace in a text."""
    reduced: Canonical = {"provider": provider, "endpoint": endpoint, "model": model}
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        if body:
            reduced["body"] = hashlib.sha256(body).hexdigest()
        return reduced
    writer = _Writer(kinds)
    for name in sorted(fields.kept):
        value = _field(content, name)
        if value is not None:
            reduced[name] = writer.value(value, name)
    return reduced


def key(reduced: Canonical) -> str:
    """32 hex digits, equal for equal requests."""
    content = orjson.dumps(reduced, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:32]


def _field(content: Mapping[str, Any], name: str) -> Any:
    """A field's value; Gemini's fields are also taken as they are written in snake case."""
    value: Any = content
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part, _snake(value, part))
    return value


def _snake(value: Mapping[str, Any], part: str) -> Any:
    if part.islower():
        return None
    return next((one for name, one in value.items() if _camel(name) == part), None)


def _camel(name: str) -> str:
    return CAMEL.sub(lambda found: found[1].upper(), name)


class _Writer:
    """Writes the values of one request; tool calls are numbered through all of it."""

    def __init__(self, kinds: Callable[[str], str]) -> None:
        self._kinds = kinds
        self._calls: dict[str, str] = {}

    def value(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return self._list(value)
        if isinstance(value, str):
            return self._text(value, name)
        return value

    def _object(self, value: Mapping[str, Any]) -> Any:
        written = {}
        for name, one in value.items():
            if one is None or name in LEFT_OUT:
                continue
            if name in CALL_IDS and isinstance(one, str):
                written[name] = self._call(one)
            elif name == "id" and isinstance(one, str):
                # With a role or a call's id beside it, it is the item's own.
                if value.get("type") in ("function", "tool_use", "server_tool_use", "custom"):
                    written[name] = self._call(one)
            else:
                written[name] = self.value(one, name)
        return written

    def _list(self, values: list[Any]) -> Any:
        texts = [_only_text(one) for one in values]
        if values and None not in texts:
            return self._text("".join(text for text in texts if text is not None), "text")
        return [self.value(one) for one in values]

    def _text(self, text: str, name: str) -> Any:
        if name == "arguments":
            try:
                return {"json": self.value(orjson.loads(text))}
            except orjson.JSONDecodeError:
                pass
        if name in ("previous_response_id", "conversation"):
            return "an id"
        return self._kinds(text)

    def _call(self, name: str) -> str:
        return self._calls.setdefault(name, f"call {len(self._calls) + 1}")


def _only_text(part: Any) -> str | None:
    """The text of a part that is nothing else; None for any other part."""
    if not isinstance(part, dict):
        return None
    text = part.get("text")
    if not isinstance(text, str):
        return None
    rest = part.keys() - {"type", "text", "cache_control", "annotations", "logprobs"}
    return text if not rest and part.get("type", "text") in TEXT_PARTS else None
