"""JSON texts that were cut short: what a reader makes of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

_CLOSE = {"{": "}", "[": "]"}


def whole(text: str) -> Any:
    """The value of a JSON object's text, or of as much of it as is certain if it breaks off.

    What is not complete is left out, as incremental readers do: ``{"a": 1, "b": "no`` is
    ``{"a": 1}``.
    """
    for candidate in _candidates(text):
        try:
            return orjson.loads(candidate)
        except orjson.JSONDecodeError:
            continue
    return {}


def _candidates(text: str) -> Iterator[str]:
    """The text; with all that is open closed; and only up to the last member that is whole."""
    yield text
    opened: list[str] = []
    sure = ""
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
                sure = text[: place + 1] + _closing(opened)
            case "}" | "]":
                opened.pop()
                sure = text[: place + 1] + _closing(opened)
            case ",":
                sure = text[:place] + _closing(opened)
    yield text + _closing(opened)
    yield sure


def _closing(opened: Sequence[str]) -> str:
    return "".join(reversed(opened))
