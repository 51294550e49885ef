"""JSON texts that were cut short: the value of their complete part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

_CLOSE = {"{": "}", "[": "]"}


def complete_value(text: str) -> Any:
    """The value of a JSON object's text, or of the complete part of one that was cut short.

    Incomplete members are left out, as incremental parsers do: ``{"a": 1, "b": "no`` is
    ``{"a": 1}``.
    """
    for candidate in _candidates(text):
        try:
            return orjson.loads(candidate)
        except orjson.JSONDecodeError:
            continue
    return {}


def _candidates(text: str) -> Iterator[str]:
    """The text; the text with its open brackets closed; and only the text up to the last complete
    member."""
    yield text
    opened: list[str] = []
    complete = ""
    inside = escaped = False
    for place, character in enumerate(text):
        if inside:
            inside = escaped or character != '"'
            escaped = character == "\\" and not escaped
            continue
        match character:
            case '"':
                inside = True
            case "{" | "[":
                opened.append(_CLOSE[character])
                complete = text[: place + 1] + _closing(opened)
            case "}" | "]":
                opened.pop()
                complete = text[: place + 1] + _closing(opened)
            case ",":
                complete = text[:place] + _closing(opened)
    yield text + _closing(opened)
    yield complete


def _closing(opened: Sequence[str]) -> str:
    return "".join(reversed(opened))
