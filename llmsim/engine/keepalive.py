"""Streams that say something in long silences: Anthropic's service sends a ``ping`` then.

A stream is silent before its first token, while it thinks unseen, and where a fault stalls it. A
frame that is due more than :data:`EVERY` seconds after the one before has keep-alive frames in
between, so far apart.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

import numpy as np
from msgspec import structs

from llmsim.core import Due, Frames, Numbering, Plan, Reached, Seconds
from llmsim.engine.due import DueView
from llmsim.engine.faults.fault_context import FrameList

EVERY: Final = 15.0
"""Seconds; Anthropic documents no number, and about this many are seen."""


def kept_alive(plan: Plan, frame: bytes, longest: float) -> Plan:
    """The plan of a stream with ``frame`` in its silences. ``longest`` is the longest gap between
    two of its tokens; where that is short, only the time before the first token is looked at."""
    due = plan.due
    count = len(due)
    if not count or due[count - 1] - due[0] <= EVERY:
        return plan
    if longest > EVERY:
        times = due[:]
        ends = np.flatnonzero(np.diff(times) > EVERY) + 1
    else:
        first = bisect_left(due, plan.ttft)
        ends = np.array([first] if 0 < first < count else [], np.int64)
    places: list[int] = []
    said: list[float] = []
    for end in ends.tolist():
        begin = due[end - 1]
        more = int(np.ceil((due[end] - begin) / EVERY)) - 1
        said += [begin + EVERY * (number + 1) for number in range(more)]
        places += range(end + len(places), end + len(places) + more)
    if not places:
        return plan
    frames = InterspersedFrames(plan.frames, count, frame, places)
    reached = None if plan.reached is None else InterspersedReached(plan.reached, places)
    due = InterspersedTimes(due, places, said)
    return structs.replace(plan, frames=frames, due=due, reached=reached)


class InterspersedFrames:
    """``count`` frames, with ``frame`` at these ``places`` between them."""

    __slots__ = ("_count", "_frame", "_frames", "_places")

    def __init__(self, frames: Frames, count: int, frame: bytes, places: list[int]) -> None:
        self._frames = frames
        self._count = count
        self._frame = frame
        self._places = places

    def __len__(self) -> int:
        return self._count + len(self._places)

    def __getitem__(self, index: int, /) -> bytes:
        before = bisect_left(self._places, index)
        if before < len(self._places) and self._places[before] == index:
            return self._frame
        return self._frames[index - before]

    def join(self, start: int, stop: int) -> bytes:
        before, end = bisect_left(self._places, start), bisect_left(self._places, stop)
        chunks = []
        for place in range(before, end):
            chunks.append(self._stretch(start, self._places[place], place))
            chunks.append(self._frame)
            start = self._places[place] + 1
        return b"".join((*chunks, self._stretch(start, stop, end)))

    def _stretch(self, start: int, stop: int, before: int) -> bytes:
        return bytes(self._frames.join(start - before, stop - before)) if start < stop else b""

    def reorder(self, order: Numbering) -> Frames:
        return FrameList([self[index] for index in order[:].tolist()])


class InterspersedTimes(DueView):
    """Their times: ``said`` is when each of the frames at ``places`` is due."""

    __slots__ = ("_due", "_places", "_said")

    def __init__(self, due: Due, places: list[int], said: list[float]) -> None:
        self._due = due
        self._places = places
        self._said = said

    def __len__(self) -> int:
        return len(self._due) + len(self._places)

    def _stretch(self, start: int, stop: int) -> Seconds:
        before, end = bisect_left(self._places, start), bisect_left(self._places, stop)
        if before == end:
            return self._due[start - before : stop - before]
        inserted = np.zeros(stop - start, np.bool_)
        inserted[np.array(self._places[before:end]) - start] = True
        times = np.empty(stop - start)
        times[inserted] = self._said[before:end]
        times[~inserted] = self._due[start - before : stop - end]
        return times


class InterspersedReached:
    """How many tokens the client has with each of them."""

    __slots__ = ("_places", "_reached")

    def __init__(self, reached: Reached, places: list[int]) -> None:
        self._reached = reached
        self._places = places

    def __len__(self) -> int:
        return len(self._reached) + len(self._places)

    def __getitem__(self, index: int) -> int:
        own = index - bisect_right(self._places, index)
        return self._reached[own] if own >= 0 else 0
