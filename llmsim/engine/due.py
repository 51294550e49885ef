"""When the frames of a plan are due, as views: computed as they are asked for, at a cost and in
memory that do not depend on the length of the answer. Each is a :class:`~llmsim.core.plan.Due`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import accumulate
from typing import overload

import numpy as np

from llmsim.core import END, FIRST, START, Beats, Due, Indices, Seconds
from llmsim.engine.timing import TokenClock

SPAN = 256
"""Frames that are put in order at a time, about."""
KEPT = 64
"""Frames that are remembered before those last asked for in order."""


class DueView(ABC):
    """Times of which a stretch is computed when it is asked for."""

    __slots__ = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def _stretch(self, start: int, stop: int) -> Seconds:
        """The times of frames ``start`` to ``stop`` (exclusive), which exist."""

    @overload
    def __getitem__(self, index: int, /) -> float: ...

    @overload
    def __getitem__(self, index: slice, /) -> Seconds: ...

    def __getitem__(self, index: int | slice, /) -> float | Seconds:
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return self._stretch(start, max(start, stop))
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._time(index)

    def _time(self, index: int) -> float:
        """The time of one frame, which exists."""
        return float(self._stretch(index, index + 1)[0])


class BeatTimes(DueView):
    """When the beats of frames fall, in the frames' own order."""

    __slots__ = ("_beats", "_clock")

    def __init__(self, beats: Beats, clock: TokenClock) -> None:
        self._beats = beats
        self._clock = clock

    def __len__(self) -> int:
        return len(self._beats)

    def _stretch(self, start: int, stop: int) -> Seconds:
        clock = self._clock
        first = self._beats.row(start, stop)
        if first is not None:
            return clock.row(first, first + stop - start)
        if start == 0 < stop - 1 and (first := self._beats.row(1, stop)) is not None:
            # Most streams begin with a frame of their own, and a look ahead from there.
            return np.concatenate(((self._time(0),), clock.row(first, first + stop - 1)))
        beats = self._beats[start:stop]
        others = beats < 0
        if not others.any():
            return clock.at(beats)
        times = clock.at(np.maximum(beats, 0))
        for beat, time in ((END, clock.last), (START, clock.accept), (FIRST, clock.first)):
            times[beats == beat] = time
        return times

    def _time(self, index: int) -> float:
        beat, clock = self._beats[index], self._clock
        if beat >= 0:
            return float(clock.row(beat, beat + 1)[0])
        return clock.accept if beat == START else clock.last if beat == END else clock.first


class InterleavedTimes(DueView):
    """Several stretches of frames, each in the order of time, as one in the order of time. Frames
    that are due together keep their order.

    Walks through all stretches at once, some frames ahead of what is asked for, and remembers the
    frames whose order was not asked for yet, and a few before: who sends looks ahead at times, the
    further the later it is, and then asks for frames. To go back further is to begin again.
    """

    __slots__ = (
        "_at",
        "_due",
        "_ends",
        "_heads",
        "_order",
        "_ordered",
        "_span",
        "_starts",
        "_times",
    )

    def __init__(self, due: Due, parts: Sequence[int]) -> None:
        self._due = due
        self._ends = list(accumulate(parts))
        self._starts = np.array([0, *self._ends[:-1]])
        self._span = max(4, SPAN // len(parts))
        self._times = np.zeros(0)
        self._order = np.zeros(0, np.int64)
        self._begin()

    def __len__(self) -> int:
        return self._ends[-1]

    @property
    def order(self) -> InterleavedOrder:
        """Where each frame was before."""
        return InterleavedOrder(self)

    def _stretch(self, start: int, stop: int) -> Seconds:
        return self.stretch(start, stop)[0]

    def stretch(self, start: int, stop: int) -> tuple[Seconds, Indices]:
        """The times of frames ``start`` to ``stop`` (exclusive), and where they were before."""
        if start < self._at:
            self._begin()
        known = self._at + len(self._times)
        if known < stop:
            times, order = [self._times], [self._order]
            while known < stop:
                more, places = self._next()
                times.append(more)
                order.append(places)
                known += len(more)
            past = max(0, min(start, self._ordered) - KEPT - self._at)
            self._at += past
            self._times = np.concatenate(times)[past:].copy()
            self._order = np.concatenate(order)[past:].copy()
        wanted = slice(start - self._at, stop - self._at)
        return self._times[wanted], self._order[wanted]

    def ordered(self, start: int, stop: int) -> Indices:
        """Where frames ``start`` to ``stop`` (exclusive) were before."""
        self._ordered = start
        return self.stretch(start, stop)[1]

    def _begin(self) -> None:
        self._at = self._ordered = 0
        self._heads = self._starts.copy()
        self._times = np.zeros(0)
        self._order = np.zeros(0, np.int64)

    def _next(self) -> tuple[Seconds, Indices]:
        """The next frames in order: of each stretch a span, up to where a frame beyond the spans
        may come first."""
        spans: list[Indices] = []
        seen: list[Seconds] = []
        bound: tuple[float, int] | None = None
        for head, end in zip(self._heads.tolist(), self._ends, strict=True):
            stop = min(head + self._span, end)
            if head == stop:
                continue
            spans.append(np.arange(head, stop))
            seen.append(self._due[head:stop])
            if stop < end:
                last = (float(seen[-1][-1]), stop)
                bound = last if bound is None else min(bound, last)
        times, order = np.concatenate(seen), np.concatenate(spans)
        rank = np.argsort(times, kind="stable")
        times, order = times[rank], order[rank]
        if bound is not None:
            time, stop = bound
            first, last_place = np.searchsorted(times, time), np.searchsorted(times, time, "right")
            sure = first + np.searchsorted(order[first:last_place], stop)
            times, order = times[:sure], order[:sure]
        parts = np.searchsorted(self._starts, order, "right") - 1
        self._heads += np.bincount(parts, minlength=len(self._heads))
        return times, order


class InterleavedOrder:
    """Where the frames of :class:`InterleavedTimes` were before."""

    __slots__ = ("_times",)

    def __init__(self, times: InterleavedTimes) -> None:
        self._times = times

    def __len__(self) -> int:
        return len(self._times)

    @overload
    def __getitem__(self, index: int, /) -> int: ...

    @overload
    def __getitem__(self, index: slice, /) -> Indices: ...

    def __getitem__(self, index: int | slice, /) -> int | Indices:
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return self._times.ordered(start, max(start, stop))
        return int(self._times.ordered(index, index + 1)[0])


class FirstTimes(DueView):
    """Those of the first ``count`` frames."""

    __slots__ = ("_count", "_due")

    def __init__(self, due: Due, count: int) -> None:
        self._due = due
        self._count = count

    def __len__(self) -> int:
        return self._count

    def _stretch(self, start: int, stop: int) -> Seconds:
        return self._due[start:stop]


class StalledTimes(DueView):
    """``lasts`` seconds later from frame ``start`` on."""

    __slots__ = ("_due", "_lasts", "_start")

    def __init__(self, due: Due, start: int, lasts: float) -> None:
        self._due = due
        self._start = start
        self._lasts = lasts

    def __len__(self) -> int:
        return len(self._due)

    def _stretch(self, start: int, stop: int) -> Seconds:
        times = self._due[start:stop].copy()
        times[max(self._start - start, 0) :] += self._lasts
        return times


class StretchedTimes(DueView):
    """What is due after ``since`` seconds takes ``factor`` times as long from there."""

    __slots__ = ("_due", "_factor", "_since")

    def __init__(self, due: Due, since: float, factor: float) -> None:
        self._due = due
        self._since = since
        self._factor = factor

    def __len__(self) -> int:
        return len(self._due)

    def _stretch(self, start: int, stop: int) -> Seconds:
        times, since = self._due[start:stop], self._since
        return np.where(times > since, since + (times - since) * self._factor, times)
