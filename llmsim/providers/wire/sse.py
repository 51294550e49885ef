"""Framing: the bytes around each message of a stream. The only place that writes ``data: ``.

Server-sent events as in the WHATWG HTML standard: fields, one a line, and an empty line after
each event. Lines end with LF, with CRLF in Google's APIs, which also stream one JSON array,
element by element, to clients that do not ask for events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from llmsim.core import END, Beats, Frames

CONTENT_TYPE = "text/event-stream; charset=utf-8"
HEAD = b"data: "
TAIL = b"\n\n"
DONE = b"data: [DONE]\n\n"
CACHED_TAILS = 65_536


class Framing(NamedTuple):
    """The bytes around messages: before the first one, before and after each, after the last."""

    opening: bytes
    before: bytes
    after: bytes
    last: bytes


CRLF_EVENTS: Final = Framing(b"", b"data: ", b"\r\n\r\n", b"\r\n\r\n")
JSON_ARRAY: Final = Framing(b"[", b"", b"\n,\r\n", b"\n]")


def event(data: bytes, name: bytes | None = None) -> bytes:
    """One event, with its name if it has one. ``data`` must be a single line."""
    if name is None:
        return b"data: " + data + b"\n\n"
    return b"event: " + name + b"\ndata: " + data + b"\n\n"


def messages(chunk: bytes) -> list[bytes]:
    """The data of each event in a chunk of whole events."""
    return [found[2] for event in chunk.split(TAIL) if (found := event.partition(HEAD))[1]]


class Tails(dict[str, bytes]):
    """The bytes sent for each piece of text: serialized once, and shared by all answers."""

    __slots__ = ("_serialize",)

    def __init__(self, serialize: Callable[[str], bytes]) -> None:
        super().__init__()
        self._serialize = serialize

    def __missing__(self, piece: str) -> bytes:
        if len(self) >= CACHED_TAILS:
            self.clear()
        self[piece] = made = self._serialize(piece)
        return made


class Spliced:
    """Frames with a common prefix, and a closing one without it.

    Frame i is ``prefix + tails[i]``, joined when it is sent: the tails are shared with other
    answers, so an open stream costs one pointer a frame. ``opening`` comes before the first.
    """

    __slots__ = ("_closing", "_opening", "_prefix", "_tails")

    def __init__(
        self, prefix: bytes, tails: Sequence[bytes], closing: bytes = b"", opening: bytes = b""
    ) -> None:
        self._prefix = prefix
        self._tails = tails
        self._closing = closing
        self._opening = opening

    def __len__(self) -> int:
        return len(self._tails) + bool(self._closing)

    def __getitem__(self, index: int, /) -> bytes:
        if index == len(self._tails) and self._closing:
            frame = self._closing
        else:
            frame = self._prefix + self._tails[index]
        return frame if index else self._opening + frame

    def join(self, start: int, stop: int) -> bytes:
        tails = self._tails[start:stop]
        joined = self._prefix + self._prefix.join(tails) if tails else b""
        if stop > len(self._tails):
            joined += self._closing
        return joined if start else self._opening + joined

    def reorder(self, order: Beats) -> Frames:
        last = len(self._tails)
        tails = [self._tails[index] for index in order.tolist() if index < last]
        return Spliced(self._prefix, tails, self._closing, self._opening)


@lru_cache(maxsize=512)
def beats(tokens: int, before: int, after: int, end: int) -> Beats:
    """The beats of one choice whose every token is a frame. Read-only and shared.

    ``before`` frames on its first beat, one a token, ``after`` frames on its last beat, and
    ``end`` frames after all choices have ended.
    """
    return beats_of(range(tokens), max(1, tokens), before, after, end)


def beats_of(ends: Sequence[int], count: int, before: int, after: int, end: int) -> Beats:
    """The same for frames of any number of tokens: frame i is sent with token ``ends[i]``."""
    made = np.array(
        [*[0] * before, *ends, *[count - 1] * after, *[END] * end],
        np.int64,
    )
    made.flags.writeable = False
    return made
