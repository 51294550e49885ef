"""The beats of a stream's frames as runs: a stream of any length is described by a few of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias, overload

import numpy as np

from llmsim.core.plan import Indices

BeatRun: TypeAlias = tuple[Sequence[int], int]
"""Frames in a row, ``(numbers, offset)``: frame i of them has beat ``numbers[i] + offset``.
``END``, ``START`` and ``FIRST`` stand in runs of their own, with offset 0."""


class BeatRuns:
    """Runs of beats, one after another: the :class:`~llmsim.core.plan.Beats` of a stream."""

    __slots__ = ("_length", "_runs", "_starts")

    def __init__(self, runs: Sequence[BeatRun]) -> None:
        self._runs = runs
        *starts, self._length = accumulate([len(numbers) for numbers, _ in runs], initial=0)
        self._starts = starts

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int, /) -> int: ...

    @overload
    def __getitem__(self, index: slice, /) -> Indices: ...

    def __getitem__(self, index: int | slice, /) -> int | Indices:
        if isinstance(index, slice):
            start, stop, _ = index.indices(self._length)
            return self._stretch(start, stop)
        if index < 0:
            index += self._length
        if not 0 <= index < self._length:
            raise IndexError(index)
        place = bisect_right(self._starts, index) - 1
        numbers, offset = self._runs[place]
        return numbers[index - self._starts[place]] + offset

    def row(self, start: int, stop: int) -> int | None:
        """The first beat of frames ``start`` to ``stop`` (exclusive), if they are a row."""
        place = bisect_right(self._starts, start) - 1
        (numbers, offset), began = self._runs[place], self._starts[place]
        if type(numbers) is range and stop - began <= len(numbers):
            return numbers.start + start - began + offset
        return None

    def _stretch(self, start: int, stop: int) -> Indices:
        made: list[Indices] = []
        place = bisect_right(self._starts, start) - 1
        while start < stop:
            (numbers, offset), began = self._runs[place], self._starts[place]
            part = numbers[start - began : stop - began]
            if isinstance(part, range):
                made.append(np.arange(part.start + offset, part.stop + offset))
            else:
                made.append(np.array(part, np.int64) + offset)
            start += len(part)
            place += 1
        return made[0] if len(made) == 1 else np.concatenate(made or [np.zeros(0, np.int64)])


def later(runs: Sequence[BeatRun], offset: int) -> list[BeatRun]:
    """The same runs for a choice whose first token is number ``offset`` of all choices'."""
    if not offset:
        return list(runs)
    return [
        (numbers, before + offset if numbers and numbers[0] >= 0 else before)
        for numbers, before in runs
    ]
