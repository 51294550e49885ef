"""What a fault knows of the answer it is applied to, beside its plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from llmsim.core import END, FIRST, START, Beats, Frames, Plan, Seconds
from llmsim.core.errors import Failure, FailureKind
from llmsim.core.faults import FaultPoint

BROKEN = Failure(FailureKind.SERVER_ERROR, "", injected=True)
"""How an answer that is broken on purpose is counted."""


class FaultContext(Struct, frozen=True, gc=False):
    """``reached[i]`` is how many tokens the client has once frame i has left; frames that wait for
    the end have one more than there are ``tokens``. ``error_event`` gives the codec's event for a
    failure after so many frames. A ``polled`` answer is sent to nobody: what may go wrong is that
    it fails."""

    tokens: int
    reached: Beats
    error_event: Callable[[Failure, int], bytes]
    polled: bool = False

    def frame(self, after: FaultPoint) -> int:
        """The first frame with more than the tokens before that place; at the latest the
        last one, or the fault would change nothing."""
        place = int(np.searchsorted(self.reached, after.tokens(self.tokens), side="right"))
        return min(place, len(self.reached) - 1)

    def part(self, after: FaultPoint, length: int) -> int:
        """The same place in the body of a plain answer, in bytes."""
        share = after.tokens(self.tokens) / max(self.tokens, 1)
        if after.after_fraction is not None:
            share = after.after_fraction
        return int(min(share, 1.0) * length)


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

    def reorder(self, order: Beats) -> Frames:
        return FrameList([self._frames[index] for index in order.tolist()])


def frame_list(plan: Plan) -> list[bytes]:
    """The plan's frames, one by one."""
    return [plan.frames[index] for index in range(len(plan.due))]


def tokens_reached(beats: Beats, clock: Seconds) -> Beats:
    """How many tokens, of all choices in the order of time, have left with each frame.

    ``clock`` is when each beat falls. In the order of the plan, so it never decreases.
    """
    count = len(clock)
    rank = np.empty(count + 3, np.int64)
    rank[np.argsort(clock, kind="stable")] = np.arange(1, count + 1)
    rank[FIRST], rank[START], rank[END] = 1, 0, count + 1
    reached: Beats = np.sort(rank[beats])
    return reached
