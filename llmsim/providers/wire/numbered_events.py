"""Streams whose events all have a name and a number, as those of OpenAI's Responses."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import SupportsBytes

from llmsim.core import Frames, Numbering
from llmsim.core.plan import PIECE, Chunk, LargeChunk
from llmsim.core.value import Value
from llmsim.providers.wire import sse


class Events(Value, frozen=True, gc=False):
    """Some events with those names. ``write(i)`` gives the members of event i after type and
    number, and the closing brace, in parts; it is called when the event is sent, so that an open
    stream holds none."""

    names: tuple[bytes, ...]
    write: Callable[[int], Sequence[SupportsBytes]]

    def __len__(self) -> int:
        return len(self.names)


class Deltas(Value, frozen=True, gc=False):
    """Events that differ only in their ends: the members of event i are ``before + tails[i]``."""

    name: bytes
    before: bytes
    tails: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.tails)


class NumberedEvents:
    """Runs of events, one after another, numbered from 0 without a gap.

    Frame i is event number i, rendered when it is sent.
    """

    __slots__ = ("_length", "_runs", "_starts")

    def __init__(self, runs: Sequence[Events | Deltas]) -> None:
        self._runs = runs
        *starts, self._length = accumulate(map(len, runs), initial=0)
        self._starts = starts

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int, /) -> bytes:
        if not 0 <= index < self._length:
            raise IndexError(index)
        place = bisect_right(self._starts, index) - 1
        run = self._runs[place]
        if isinstance(run, Events):
            return b"".join(self._parts(place, index, run))
        return self._delta(place, index, run)

    def join(self, start: int, stop: int) -> Chunk:
        stop = min(stop, self._length)
        if stop == start + 1:
            place = bisect_right(self._starts, start) - 1
            run = self._runs[place]
            if isinstance(run, Deltas):  # as nearly always
                return self._delta(place, start, run)
        parts: list[bytes] = []
        size = 0
        for index in range(start, stop):
            place = bisect_right(self._starts, index) - 1
            run = self._runs[place]
            if isinstance(run, Events):
                event = self._parts(place, index, run)
                size += sum(map(len, event))
                parts += event
            else:
                parts.append(self._delta(place, index, run))
        return LargeChunk(parts) if size > PIECE else b"".join(parts)

    def _delta(self, place: int, index: int, run: Deltas) -> bytes:
        tail = run.tails[index - self._starts[place]]
        return b"%b%d,%b%b\n\n" % (_head(run.name), index, run.before, tail)

    def _parts(self, place: int, index: int, events: Events) -> list[bytes]:
        """The bytes of an event, in parts."""
        within = index - self._starts[place]
        head = b"%b%d," % (_head(events.names[within]), index)
        return [head, *map(bytes, events.write(within)), b"\n\n"]

    def reorder(self, order: Numbering) -> Frames:
        return Reordered(self, order)


class Reordered:
    """Frames in another order; ``order[i]`` is the old index of frame i."""

    __slots__ = ("_frames", "_order")

    def __init__(self, frames: Frames, order: Numbering) -> None:
        self._frames = frames
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int, /) -> bytes:
        return self._frames[int(self._order[index])]

    def join(self, start: int, stop: int) -> Chunk:
        order = self._order[start:stop].tolist()
        if order and order == list(range(order[0], order[0] + len(order))):
            return self._frames.join(order[0], order[-1] + 1)
        return b"".join([self._frames[index] for index in order])

    def reorder(self, order: Numbering) -> Frames:
        return Reordered(self._frames, self._order[:][order[:]])


@lru_cache(maxsize=64)
def _head(name: bytes) -> bytes:
    """The beginning of events of that name, up to their number."""
    return b'event: %b\n%b{"type":"%b","sequence_number":' % (name, sse.HEAD, name)
