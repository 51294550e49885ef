"""Streams whose events have a name and whose data has none, as those of OpenAI's assistants."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from llmsim.core import Frames, Numbering
from llmsim.core.value import Value
from llmsim.providers.wire.numbered_events import Reordered


class SingleEvent(Value, frozen=True, gc=False):
    """One event, framed."""

    frame: bytes

    def __len__(self) -> int:
        return 1


class SimilarEvents(Value, frozen=True, gc=False):
    """Events that differ only in their ends: event i is ``before + tails[i]``, framed."""

    before: bytes
    tails: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.tails)


class NamedEvents:
    """Runs of events, one after another. Frame i is event number i, joined when it is sent."""

    __slots__ = ("_length", "_runs", "_starts")

    def __init__(self, runs: Sequence[SingleEvent | SimilarEvents]) -> None:
        self._runs = runs
        ends = list(accumulate(map(len, runs)))
        self._starts = [0, *ends[:-1]]
        self._length = ends[-1]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int, /) -> bytes:
        if not 0 <= index < self._length:
            raise IndexError(index)
        place = bisect_right(self._starts, index) - 1
        run = self._runs[place]
        if isinstance(run, SimilarEvents):
            return run.before + run.tails[index - self._starts[place]]
        return run.frame

    def join(self, start: int, stop: int) -> bytes:
        if stop == start + 1 <= self._length:
            return self[start]
        return b"".join([self[index] for index in range(start, min(stop, self._length))])

    def reorder(self, order: Numbering) -> Frames:
        return Reordered(self, order)
