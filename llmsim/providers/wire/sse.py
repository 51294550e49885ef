"""Framing: the bytes around each message of a stream. The only place that writes ``data: ``.

Server-sent events as in the WHATWG HTML standard: fields, one a line, and an empty line after
each event. Lines end with LF, with CRLF in Google's APIs, which also stream one JSON array,
element by element, to clients that do not ask for events.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple, overload

import numpy as np

from llmsim.core import END, Frames, Indices, Numbering
from llmsim.providers.wire.beats import BeatRuns

CONTENT_TYPE = "text/event-stream; charset=utf-8"
HEAD = b"data: "
TAIL = b"\n\n"
DONE = b"data: [DONE]\n\n"
CACHED_TAILS = 65_536
AHEAD = 64
"""How many frames are looked up at a time."""


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


class PieceTails(Sequence[bytes]):
    """The bytes sent for each piece of a text from ``start`` to ``stop`` (exclusive), looked up
    when they are asked for: some ahead, for who asks for one after another."""

    __slots__ = ("_ahead", "_at", "_count", "_pieces", "_start", "_tails")

    def __init__(
        self, tails: Tails, pieces: Sequence[str], start: int = 0, stop: int | None = None
    ) -> None:
        self._tails = tails
        self._pieces = pieces
        self._start = start
        self._count = (len(pieces) if stop is None else stop) - start
        self._at = 0
        self._ahead: list[bytes] = []

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int, /) -> bytes: ...

    @overload
    def __getitem__(self, index: slice, /) -> list[bytes]: ...

    def __getitem__(self, index: int | slice, /) -> bytes | list[bytes]:
        if isinstance(index, slice):
            start, stop, _ = index.indices(self._count)
            return self._stretch(start, stop)
        place = index - self._at
        if 0 <= place < len(self._ahead):
            return self._ahead[place]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        self._at = index % self._count
        self._ahead = self._stretch(self._at, min(self._at + AHEAD, self._count))
        return self._ahead[0]

    def _stretch(self, start: int, stop: int) -> list[bytes]:
        pieces = self._pieces[self._start + start : self._start + stop]
        return list(map(self._tails.__getitem__, pieces))


class Chained(Sequence[bytes]):
    """Several sequences, one after another."""

    __slots__ = ("_length", "_parts", "_starts")

    def __init__(self, parts: Sequence[Sequence[bytes]]) -> None:
        self._parts = parts
        *starts, self._length = accumulate(map(len, parts), initial=0)
        self._starts = starts

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int, /) -> bytes: ...

    @overload
    def __getitem__(self, index: slice, /) -> list[bytes]: ...

    def __getitem__(self, index: int | slice, /) -> bytes | list[bytes]:
        if isinstance(index, slice):
            start, stop, _ = index.indices(self._length)
            return self._stretch(start, stop)
        if index < 0:
            index += self._length
        if not 0 <= index < self._length:
            raise IndexError(index)
        place = bisect_right(self._starts, index) - 1
        return self._parts[place][index - self._starts[place]]

    def _stretch(self, start: int, stop: int) -> list[bytes]:
        made: list[bytes] = []
        place = bisect_right(self._starts, start) - 1
        while start < stop:
            began = self._starts[place]
            part = self._parts[place][start - began : stop - began]
            made += part
            start += len(part)
            place += 1
        return made


class Permuted(Sequence[bytes]):
    """A sequence in another order: item i is ``items[order[i]]``."""

    __slots__ = ("_items", "_order")

    def __init__(self, items: Sequence[bytes], order: Numbering) -> None:
        self._items = items
        self._order = order

    def __len__(self) -> int:
        return min(len(self._items), len(self._order))

    @overload
    def __getitem__(self, index: int, /) -> bytes: ...

    @overload
    def __getitem__(self, index: slice, /) -> list[bytes]: ...

    def __getitem__(self, index: int | slice, /) -> bytes | list[bytes]:
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return self._stretch(self._order[start:stop])
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        place = index % len(self)
        # One by one an array gives numpy's integers, which compiled code takes for none.
        before: int = self._order[place : place + 1].tolist()[0]
        return self._items[before]

    def _stretch(self, places: Indices) -> list[bytes]:
        """The items at these places, which are a few rows mixed: looked up row by row."""
        rank = np.argsort(places)
        ordered = places[rank]
        ends = [*(np.flatnonzero(np.diff(ordered) != 1) + 1).tolist(), len(ordered)]
        made = [b""] * len(ordered)
        targets = iter(rank.tolist())
        start = 0
        for end in ends:
            first = int(ordered[start]) if start < end else 0
            for item in self._items[first : first + end - start]:
                made[next(targets)] = item
            start = end
        return made


class Spliced:
    """Frames with a common prefix, and a closing one without it.

    Frame i is ``prefix + tails[i]``, joined when it is sent: the tails are shared with other
    answers, and those that are computed are looked up a few at a time. ``opening`` comes before
    the first. The closing frame is the last one in any order.
    """

    __slots__ = ("_ahead", "_at", "_closing", "_count", "_opening", "_prefix", "_tails")

    def __init__(
        self, prefix: bytes, tails: Sequence[bytes], closing: bytes = b"", opening: bytes = b""
    ) -> None:
        self._prefix = prefix
        self._tails = tails
        self._count = len(tails)
        self._closing = closing
        self._opening = opening
        self._at = 0
        self._ahead: Sequence[bytes] = tails if type(tails) is list else ()

    def __len__(self) -> int:
        return self._count + bool(self._closing)

    def __getitem__(self, index: int, /) -> bytes:
        if index == self._count and self._closing:
            frame = self._closing
        else:
            frame = self._prefix + self._tails[index]
        return frame if index else self._opening + frame

    def join(self, start: int, stop: int) -> bytes:
        first = start - self._at
        if stop - start == 1 and 0 <= first < len(self._ahead):
            frame = self._prefix + self._ahead[first]
            return frame if start else self._opening + frame
        if start == 0 and stop == 1:  # who opens a stream looks no further
            return self[0]
        last = min(stop, self._count) - self._at
        if first >= 0 and last <= len(self._ahead):
            tails = self._ahead[first:last]
        elif stop - start > AHEAD:
            tails = self._tails[start:stop]
        else:
            self._at = start
            self._ahead = self._tails[start : start + AHEAD]
            tails = self._ahead[: stop - start]
        joined = self._prefix + self._prefix.join(tails) if tails else b""
        if stop > self._count:
            joined += self._closing
        return joined if start else self._opening + joined

    def reorder(self, order: Numbering) -> Frames:
        tails: Sequence[bytes] = Permuted(self._tails, order)
        if len(order) - bool(self._closing) != self._count:  # some of them only
            tails = [self._tails[index] for index in order[:].tolist() if index < self._count]
        return Spliced(self._prefix, tails, self._closing, self._opening)


def beats_of(ends: Sequence[int], count: int, before: int, after: int, end: int) -> BeatRuns:
    """The beats of a choice of ``count`` beats whose pieces end with the tokens ``ends``.

    ``before`` frames on its first beat, one a piece, ``after`` frames on its last beat, and
    ``end`` frames after all choices have ended.
    """
    return BeatRuns((((0,) * before, 0), (ends, 0), ((count - 1,) * after, 0), ((END,) * end, 0)))
