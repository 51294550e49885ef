"""A body, and the frames it came in, with values replaced.

A body is JSON, server-sent events with JSON in them, lines of JSON, or any other text. In JSON only
texts (and long numbers) change, and each where it stands, so all other bytes stay as they were; a
text that is JSON itself stays valid. An answer that is streamed says its text in pieces: pieces of
the same part are looked at as one text, so that a value which is cut across them is found, and each
piece keeps its share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from llmsim.recordings.anonymise.anonymiser import Anonymiser, Edit, applied
from llmsim.recordings.anonymise.json_strings import Leaf, NotJsonError, encoded, leaves
from llmsim.recordings.anonymise.secrets import is_secret_name, secret_looking

OPAQUE: Final = frozenset(
    {
        "signature",
        "encrypted_content",
        "thoughtSignature",
        "thought_signature",
        "b64_json",
        "data",
        "embedding",
    }
)
"""What only its maker reads: signatures, encrypted reasoning, images, sound and vectors."""

DATA_URL: Final = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,")
EVENT: Final = re.compile(r"^data: ?(.*)$", re.MULTILINE)
LEAST_DIGITS: Final = 9
"""Digits of a JSON number from which it may be a card's, a phone's or an account's."""


class Piece(NamedTuple):
    """A leaf of the JSON document that begins at ``offset`` of the body."""

    offset: int
    leaf: Leaf


def look(anonymiser: Anonymiser, body: str, found: Sequence[Piece]) -> None:
    """Have the anonymiser learn which values a body with these pieces holds."""
    for text in _texts(body, found):
        anonymiser.look(text)
    for piece in found:
        if _is_named_secret(piece.leaf):
            anonymiser.learn(piece.leaf.value, "password")


def edits(anonymiser: Anonymiser, body: str, place: str, found: Sequence[Piece]) -> list[Edit]:
    """What to replace in a body with these pieces, in its order."""
    if not found:
        return anonymiser.edits(body, place)
    made: list[Edit] = []
    for group in _groups(found):
        if len(group) == 1:
            made += _in_leaf(anonymiser, group[0], body, place)
        else:
            made += _across(anonymiser, group, body, place)
    return sorted(made)


def frames(contents: Sequence[bytes], changes: Iterable[Edit], body: str) -> list[bytes]:
    """The frames of a body after these edits: as many, and each with what it had.

    A border within a value that is replaced falls at the same place of its fake.
    """
    whole = b"".join(contents)
    ends = list(accumulate(map(len, contents)))
    moved = list(ends)
    made: list[bytes] = []
    at = shift = 0
    offset = character = 0
    for one in changes:
        offset += len(_bytes(body[character : one.start]))
        start, old, new = offset, _bytes(body[one.start : one.stop]), _bytes(one.new)
        offset, character = start + len(old), one.stop
        made += [whole[at:start], new]
        at = offset
        for place, end in enumerate(ends):
            if start < end < offset:
                moved[place] = start + shift + min(end - start, len(new))
            elif end >= offset:
                moved[place] = end + shift + len(new) - len(old)
        shift += len(new) - len(old)
    changed = b"".join([*made, whole[at:]])
    return [changed[start:end] for start, end in zip([0, *moved], moved, strict=False)]


def text_of(body: bytes) -> str:
    """A body as text; bytes that are no UTF-8 come back by :func:`frames` as they were."""
    return body.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _texts(body: str, found: Sequence[Piece]) -> Iterator[str]:
    if not found:
        yield body
    for group in _groups(found):
        text = "".join(piece.leaf.value for piece in group)
        if len(group) == 1 and _is_json(text):
            yield from _texts(text, pieces(text))
        else:
            yield text


def pieces(body: str) -> list[Piece]:
    """The leaves of all documents of a body that may be replaced."""
    found = []
    for offset, document in _documents(body):
        try:
            every = leaves(document)
        except NotJsonError:
            continue
        found += [Piece(offset, leaf) for leaf in every if _may_change(leaf)]
    return found


def _documents(body: str) -> Iterator[tuple[int, str]]:
    """The JSON documents of a body, with where each begins."""
    bare = body.lstrip("\ufeff \t\r\n")
    if bare[:1] in ("{", "["):
        try:
            leaves(bare)
        except NotJsonError:
            at = 0
            for line in body.splitlines(keepends=True):
                yield at, line.rstrip("\r\n")
                at += len(line)
        else:
            yield len(body) - len(bare), bare
        return
    for event in EVENT.finditer(body):
        if event[1][:1] in ("{", "["):
            yield event.start(1), event[1].rstrip("\r")


def _may_change(leaf: Leaf) -> bool:
    if leaf.path and leaf.path[-1] in OPAQUE and not leaf.is_key and " " not in leaf.value:
        return False
    if not leaf.is_text:
        return sum(map(str.isdigit, leaf.value)) >= LEAST_DIGITS and leaf.value.isdigit()
    return not DATA_URL.match(leaf.value)


def _groups(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces that are one text: those of the same part under the same path in several documents,
    and the tokens of a list of log-probabilities."""
    groups: dict[object, list[Piece]] = {}
    for number, piece in enumerate(pieces):
        leaf = piece.leaf
        if leaf.is_key or not leaf.is_text or not _is_streamed(leaf):
            groups[number] = [piece]
        else:
            groups.setdefault((_without_places(leaf.path), leaf.part), []).append(piece)
    yield from groups.values()


STREAMED: Final = frozenset(
    {"delta", "partial_json", "thinking", "content", "text", "arguments", "refusal", "token",
     "reasoning_content", "reasoning", "input", "transcript"}
)  # fmt: skip
"""The fields in which streams say their texts piece by piece."""

WHOLE: Final = frozenset({"messages", "system", "input", "instructions", "output", "response"})
"""What has its texts whole, wherever it stands."""


def _is_streamed(leaf: Leaf) -> bool:
    return leaf.path[-1] in STREAMED and not WHOLE.intersection(leaf.path[:-1])


def _without_places(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path; where a token's place is in a list of them, without it."""
    if path[-1] == "token":
        return tuple(part for part in path if isinstance(part, str))
    return path


def _is_named_secret(leaf: Leaf) -> bool:
    names = leaf.path[-1:]
    return (
        leaf.is_text
        and not leaf.is_key
        and bool(names)
        and isinstance(names[0], str)
        and is_secret_name(names[0])
        and "logprobs" not in leaf.path
        and secret_looking(leaf.value)
    )


def _is_json(text: str) -> bool:
    return text[:1] in ("{", "[") and text[-1:] in ("}", "]")


def _in_leaf(anonymiser: Anonymiser, piece: Piece, body: str, place: str) -> Iterator[Edit]:
    """The edit of one text: all of it, as it stands in the document."""
    offset, leaf = piece
    start, stop = offset + leaf.start, offset + leaf.stop
    if _is_named_secret(leaf):
        new = anonymiser.whole(leaf.value, "password", place)
        yield Edit(start, stop, encoded(new, body[start:stop]), "password")
        return
    inner = None
    if _is_json(leaf.value):
        inner = edits(anonymiser, leaf.value, place, pieces(leaf.value))
    found = anonymiser.edits(leaf.value, place) if inner is None else inner
    if found:
        new = applied(leaf.value, found)
        as_json = encoded(new, body[start:stop]) if leaf.is_text else _number(new)
        yield Edit(start, stop, as_json, found[0].kind)


def _number(text: str) -> str:
    """Digits as a JSON number, which does not begin with 0."""
    return "1" + text[1:] if text.startswith("0") else text


def _across(
    anonymiser: Anonymiser, group: Sequence[Piece], body: str, place: str
) -> Iterator[Edit]:
    """The edits of texts that are one; each keeps the share of a fake that it had of the value."""
    texts = [piece.leaf.value for piece in group]
    joined = "".join(texts)
    found = anonymiser.edits(joined, place)
    if not found:
        return
    begin = 0
    for piece, text in zip(group, texts, strict=True):
        end = begin + len(text)
        new = "".join(_share(joined, found, begin, end))
        if new != text:
            start, stop = piece.offset + piece.leaf.start, piece.offset + piece.leaf.stop
            yield Edit(start, stop, encoded(new, body[start:stop]), found[0].kind)
        begin = end


def _share(text: str, changes: Sequence[Edit], begin: int, end: int) -> Iterator[str]:
    """What becomes of ``text[begin:end]``."""
    at = begin
    for one in changes:
        if one.stop <= begin or one.start >= end:
            continue
        if one.start > at:
            yield text[at : one.start]
        first = max(begin - one.start, 0)
        # The last piece of a value has what its fake is longer.
        last = end - one.start if end < one.stop else len(one.new)
        yield one.new[first:last]
        at = min(one.stop, end)
    yield text[at:end]
