"""The texts of a JSON document, each with its place: what is replaced there leaves every other
byte of the document as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

TOKEN: Final = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<mark>[{}\[\],:])|(?P<scalar>[^\s{}\[\],:"]+))',
    re.DOTALL,
)
PLACES: Final = frozenset({"index", "output_index", "content_index", "item_id", "summary_index"})
"""Fields that say which part of an answer an event belongs to."""

DEEPEST: Final = 512


class Leaf(NamedTuple):
    """A text (``value``, decoded) or a number at ``document[start:stop]``, quotes included.

    ``path`` is where it is; a key of an object has the path of what is under it. ``part`` is
    what the objects around it say of which part of an answer they are.
    """

    path: Path
    start: int
    stop: int
    value: str
    is_key: bool
    is_text: bool
    part: tuple[tuple[str, str], ...]


class NotJsonError(ValueError):
    """The text is no JSON object or array."""


def leaves(document: str) -> list[Leaf]:
    """All texts and numbers of a JSON object or array, in its order. Raises NotJsonError."""
    try:
        return list(_Scanner(document).container((), (), document.find(document.lstrip()[:1])))
    except (ValueError, IndexError, RecursionError) as error:
        raise NotJsonError(str(error)) from None


def encoded(value: str, like: str) -> str:
    """A text as JSON, quotes included; not ASCII only where ``like`` is not."""
    return json.dumps(value, ensure_ascii=like.isascii() and "\\u" in like)


class _Scanner:
    """Walks a document once."""

    def __init__(self, document: str) -> None:
        self._document = document
        self.at = 0

    def container(self, path: Path, part: tuple[tuple[str, str], ...], at: int) -> Iterator[Leaf]:
        """The leaves of the object or array that begins at ``at``; ``self.at`` is then its end."""
        if len(path) > DEEPEST:
            raise ValueError("too deep")
        self.at = at + 1
        if self._document[at] == "{":
            yield from self._members(path, part)
        elif self._document[at] == "[":
            yield from self._elements(path, part)
        else:
            raise ValueError(f"no object or array at {at}")

    def _members(self, path: Path, part: tuple[tuple[str, str], ...]) -> Iterator[Leaf]:
        found: list[Leaf] = []
        own = list(part)
        while True:
            kind, start, stop = self._next()
            if kind == "}":
                break
            if kind == ",":
                continue
            if kind != "string":
                raise ValueError(f"no key at {start}")
            name = self._text(start, stop)
            below = (*path, name)
            found.append(Leaf(below, start, stop, name, True, True, part))
            if self._next()[0] != ":":
                raise ValueError(f"no colon after {stop}")
            first = len(found)
            found += self._value(below, part)
            if name in PLACES and len(found) == first + 1:
                own.append((name, found[-1].value))
        # What says the part may come after what is in it.
        whole = tuple(own)
        if len(whole) > len(part):
            found = [one._replace(part=whole + one.part[len(part) :]) for one in found]
        yield from found

    def _elements(self, path: Path, part: tuple[tuple[str, str], ...]) -> Iterator[Leaf]:
        place = 0
        while True:
            before = self.at
            kind, _, _ = self._next()
            if kind == "]":
                return
            if kind == ",":
                place += 1
                continue
            self.at = before
            yield from self._value((*path, place), part)

    def _value(self, path: Path, part: tuple[tuple[str, str], ...]) -> Iterator[Leaf]:
        kind, start, stop = self._next()
        if kind in ("{", "["):
            yield from self.container(path, part, start)
        elif kind == "string":
            yield Leaf(path, start, stop, self._text(start, stop), False, True, part)
        elif kind == "scalar":
            yield Leaf(path, start, stop, self._document[start:stop], False, False, part)
        else:
            raise ValueError(f"no value at {start}")

    def _text(self, start: int, stop: int) -> str:
        quoted = self._document[start:stop]
        if "\\" in quoted or not quoted.isprintable():
            text: str = json.loads(quoted)
            return text
        return quoted[1:-1]

    def _next(self) -> tuple[str, int, int]:
        found = TOKEN.match(self._document, self.at)
        if found is None:
            raise ValueError(f"no JSON at {self.at}")
        self.at = found.end()
        kind = found.lastgroup or ""
        start, stop = found.span(kind)
        return (found[kind] if kind == "mark" else kind), start, stop
