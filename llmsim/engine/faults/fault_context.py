"""What a fault knows of the answer it is applied to, beside its plan."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import structs

from llmsim.core import (
    END,
    FIRST,
    START,
    Beats,
    Frames,
    Indices,
    Numbering,
    Plan,
    Reached,
    Seconds,
)
from llmsim.core.errors import Failure, FailureKind
from llmsim.core.faults import FaultPoint
from llmsim.core.plan import Chunk
from llmsim.core.value import Value
from llmsim.engine.due import FirstTimes
from llmsim.engine.timing import TokenClock

BROKEN = Failure(FailureKind.SERVER_ERROR, "", injected=True)
"""How an answer that is broken on purpose is counted."""
NO_OTHERS: Final[Mapping[int, bytes]] = {}


class FaultContext(Value, frozen=True, gc=False):
    """``reached[i]`` is how many tokens the client has once frame i has left; frames that wait for
    the end have one more than there are ``tokens``. ``error_event`` gives the codec's event for a
    failure after so many frames. A ``polled`` answer is sent to nobody: what may go wrong is that
    it fails."""

    tokens: int
    reached: Reached
    error_event: Callable[[Failure, int], bytes]
    polled: bool = False

    def frame(self, after: FaultPoint) -> int:
        """The first frame with more than the tokens before that place; at the latest the
        last one, or the fault would change nothing."""
        place = bisect_right(self.reached, after.tokens(self.tokens))
        return min(place, len(self.reached) - 1)

    def part(self, after: FaultPoint, length: int) -> int:
        """The same place in the body of a plain answer, in bytes."""
        share = after.tokens(self.tokens) / max(self.tokens, 1)
        if after.after_fraction is not None:
            share = after.after_fraction
        return int(min(share, 1.0) * length)


class ReachedTokens:
    """How many of one choice's tokens have left with each frame, as a view. ``count`` is how many
    beats the choice has."""

    __slots__ = ("_beats", "_count")

    def __init__(self, beats: Beats, count: int) -> None:
        self._beats = beats
        self._count = count

    def __len__(self) -> int:
        return len(self._beats)

    def __getitem__(self, index: int) -> int:
        beat = self._beats[index]
        return beat + 1 if beat >= 0 else {FIRST: 1, START: 0, END: self._count + 1}[beat]


class ReachedOfChoices:
    """The same for several choices: in the order of time, found when it is asked for."""

    __slots__ = ("_beats", "_clock", "_count", "_found")

    def __init__(self, beats: Beats, clock: TokenClock, count: int) -> None:
        self._beats = beats
        self._clock = clock
        self._count = count
        self._found: Indices | None = None

    def __len__(self) -> int:
        return len(self._beats)

    def __getitem__(self, index: int) -> int:
        if self._found is None:
            self._found = tokens_reached(self._beats[:], self._clock.at(np.arange(self._count)))
        return int(self._found[index])


class ReachedWithout:
    """The same where the frames at these ``places`` hold no token."""

    __slots__ = ("_places", "_reached")

    def __init__(self, reached: Reached, places: Container[int]) -> None:
        self._reached = reached
        self._places = places

    def __len__(self) -> int:
        return len(self._reached)

    def __getitem__(self, index: int) -> int:
        while index >= 0 and index in self._places:
            index -= 1
        return self._reached[index] if index >= 0 else 0


class FrameList:
    """Frames that are all there."""

    __slots__ = ("_frames",)

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int, /) -> bytes:
        return self._frames[index]

    def join(self, start: int, stop: int) -> bytes:
        return b"".join(self._frames[start:stop])

    def reorder(self, order: Numbering) -> Frames:
        return FrameList([self._frames[index] for index in order[:].tolist()])


class EditedFrames:
    """The first ``stop`` frames of an answer, with those in ``others`` in place of its own."""

    __slots__ = ("_frames", "_length", "_others")

    def __init__(self, frames: Frames, stop: int, others: Mapping[int, bytes]) -> None:
        self._frames = frames
        self._length = stop
        self._others = others

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int, /) -> bytes:
        if not 0 <= index < self._length:
            raise IndexError(index)
        other = self._others.get(index)
        return self._frames[index] if other is None else other

    def join(self, start: int, stop: int) -> Chunk:
        stop = min(stop, self._length)
        if not any(start <= place < stop for place in self._others):
            return self._frames.join(start, stop) if start < stop else b""
        return b"".join([self[index] for index in range(start, stop)])

    def reorder(self, order: Numbering) -> Frames:
        return FrameList([self[index] for index in order[:].tolist()])


def edited(plan: Plan, stop: int, others: Mapping[int, bytes] = NO_OTHERS) -> Plan:
    """The plan of no more than the first ``stop`` frames, with ``others`` in place of its own, by
    their places."""
    frames = EditedFrames(plan.frames, stop, others)
    reached = plan.reached
    if reached is not None and others:
        reached = ReachedWithout(reached, others)
    return structs.replace(plan, frames=frames, due=FirstTimes(plan.due, stop), reached=reached)


def frame_list(plan: Plan) -> list[bytes]:
    """The plan's frames, one by one."""
    return [plan.frames[index] for index in range(len(plan.due))]


def tokens_reached(beats: Indices, clock: Seconds) -> Indices:
    """How many tokens, of all choices in the order of time, have left with each frame.

    ``clock`` is when each beat falls. In the order of the plan, so it never decreases.
    """
    count = len(clock)
    rank = np.empty(count + 3, np.int64)
    rank[np.argsort(clock, kind="stable")] = np.arange(1, count + 1)
    rank[FIRST], rank[START], rank[END] = 1, 0, count + 1
    reached: Indices = np.sort(rank[beats])
    return reached
