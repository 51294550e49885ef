"""When the frames of a stream were due, and when they left.

The scheduler asks a plan's due times for what comes next, and its frames for what leaves now. So
who stands between it and them knows both, at a cost to nobody else.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
from msgspec import structs

from llmsim.core import Due, Frames, Numbering, Plan, Seconds
from llmsim.core.plan import Chunk

MOST_FRAMES = 20_000
"""Frames of a stream whose times are kept."""
MOST_BYTES = 32_768
"""Bytes of a stream that are kept."""
_LONGEST = 2**32 - 1


class FrameTimes:
    """The times of one stream, in µs after ``start`` on ``clock``, and its first bytes."""

    def __init__(self, start: int, clock: Callable[[], int]) -> None:
        self._start = start
        self._clock = clock
        self._chunks: list[bytes] = []
        self._room = MOST_BYTES
        self.size = 0
        self.planned = array("I")
        self.left = array("I")

    @property
    def answer(self) -> bytes:
        """What was sent, as far as it is kept."""
        return b"".join(self._chunks)[:MOST_BYTES]

    def plan(self, plan: Plan) -> Plan:
        """The same plan, watched. Under load its due times are steps: :meth:`due_at` is told what
        they become."""
        due = plan.due if plan.sequence is not None else self.due(plan.due)
        return structs.replace(plan, frames=self.frames(plan.frames), due=due)

    def frames(self, frames: Frames) -> Frames:
        """The same frames, watched."""
        return WatchedFrames(frames, self)

    def due(self, due: Due) -> Due:
        """The same due times, watched."""
        return WatchedDue(due, self)

    def leaves(self, stop: int, chunk: Chunk) -> None:
        """All frames up to ``stop`` have left now, the last of them in this chunk."""
        if len(self.left) < 2 * MOST_FRAMES:
            at = self._clock() - self._start
            self.left.extend((stop, min(max(at, 0), _LONGEST)))
        self.size += len(chunk)
        if self._room > 0:
            for piece in (chunk,) if isinstance(chunk, bytes) else chunk.pieces():
                self._chunks.append(piece)
                self._room -= len(piece)
                if self._room <= 0:
                    break

    def plans(self, first: int, times: Seconds) -> None:
        """From frame ``first`` on, frames are due at these times (s after the start)."""
        if first > len(self.planned) or first + len(times) > MOST_FRAMES:
            return
        del self.planned[first:]
        micros = np.clip(np.asarray(times) * 1e6, 0, _LONGEST).astype(np.uint32)
        self.planned.frombytes(micros.tobytes())

    def due_at(self, first: int, times: Sequence[int]) -> None:
        """The same for times in µs after the start."""
        if first <= len(self.planned) and first + len(times) <= MOST_FRAMES:
            self.planned[first:] = array("I", [min(max(at, 0), _LONGEST) for at in times])


class WatchedFrames:
    """Frames that tell when they leave."""

    __slots__ = ("_frames", "_times")

    def __init__(self, frames: Frames, times: FrameTimes) -> None:
        self._frames = frames
        self._times = times

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int, /) -> bytes:
        return self._frames[index]

    def join(self, start: int, stop: int) -> Chunk:
        """Frames ``start`` to ``stop`` (exclusive) as one chunk, which leaves now."""
        chunk = self._frames.join(start, stop)
        self._times.leaves(stop, chunk)
        return chunk

    def reorder(self, order: Numbering) -> Frames:
        """The same frames in another order."""
        return WatchedFrames(self._frames.reorder(order), self._times)


class WatchedDue:
    """Due times that are noted when they are asked for."""

    __slots__ = ("_due", "_times")

    def __init__(self, due: Due, times: FrameTimes) -> None:
        self._due = due
        self._times = times

    def __len__(self) -> int:
        return len(self._due)

    @overload
    def __getitem__(self, index: int, /) -> float: ...

    @overload
    def __getitem__(self, index: slice, /) -> Seconds: ...

    def __getitem__(self, index: int | slice, /) -> float | Seconds:
        found = self._due[index]
        if isinstance(index, slice):
            assert isinstance(found, np.ndarray)
            self._times.plans(index.start or 0, found)
        return found
