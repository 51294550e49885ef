"""An answer of another service, bent while it passes: nobody knows yet what of it is to come.

A fault strikes at the same places as in an answer made here. A share of the answer is a share of
its length in bytes where that is known, else of the tokens it is expected to have. What a place
beyond the end would break is broken at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from llmsim.core import ConnectionEnd
from llmsim.core.errors import Failure, FailureKind
from llmsim.core.faults import (
    Cut,
    ErrorEvent,
    Fault,
    FaultPoint,
    Malformed,
    Reset,
    Stall,
    Trickle,
    Unterminated,
)
from llmsim.engine.faults.fault_context import BROKEN
from llmsim.engine.faults.injection import failure
from llmsim.engine.faults.malformed import spoiled
from llmsim.engine.timing import TokenClock

HALF = 0.5
EVENT_END = b"\n\n"

Sent = Iterable[tuple[bytes, float]]


@dataclass(frozen=True, slots=True)
class PassingChanges:
    """What is to be done to one answer.

    ``pace`` and ``delay`` are factors on the gaps between frames and on the time to the first.
    ``clock`` says before which times tokens do not leave. ``tokens`` is how many the answer is
    expected to have, ``length`` how many bytes its body has, if that is known. ``error_event``
    gives the provider's event for a failure after so many frames.
    """

    stream: bool
    fault: Fault | None = None
    pace: float = 1.0
    delay: float = 1.0
    clock: TokenClock | None = None
    tokens: int = 0
    length: int | None = None
    error_event: Callable[[Failure, int], bytes] = lambda failed, sent: b""

    @property
    def needed(self) -> bool:
        """Whether anything is changed."""
        return self.fault is not None or self.clock is not None or (self.pace, self.delay) != (1, 1)

    @property
    def keeps_length(self) -> bool:
        """Whether the body still has the length that its head says."""
        return not isinstance(self.fault, Malformed | Unterminated)


class PassingAnswer:
    """Bends one answer: a :class:`~llmsim.core.upstream.FrameShaper`. ``count`` gives the tokens of
    each frame, in their order."""

    def __init__(self, changes: PassingChanges, count: Callable[[bytes], int]) -> None:
        self.over = False
        self.ending: ConnectionEnd | None = None
        self.failure: Failure | None = None
        self._changes = changes
        self._count = count
        self._done = False
        self._frames = self._tokens = self._bytes = 0
        self._first: tuple[float, float] | None = None
        self._shift = self._last = 0.0
        self._held = b""

    def shaped(self, frame: bytes, at: float) -> Sent:
        """What leaves of a frame that came ``at``, with the times it is due."""
        if self.over or not frame:
            return ()
        changes = self._changes
        before = self._bytes
        self._bytes += len(frame)
        if changes.stream:
            self._tokens += self._count(frame)
        due = self._due(at)
        sent = self._with_fault(changes.fault, frame, before, due)
        self._frames += 1
        return sent

    def rest(self, at: float) -> Sent:
        """What leaves when the answer has come to its end ``at``."""
        fault = self._changes.fault
        if self.over or not self._bytes:
            return ()
        if isinstance(fault, Cut | Reset):
            self._broken(fault)
        elif isinstance(fault, Unterminated):
            self.failure = BROKEN
            held, self._held = self._held, b""
            kept, end, _ = held.rstrip(b"\r\n").rpartition(EVENT_END)
            return [(kept + end, self._due(at))] if kept and self._changes.stream else ()
        return ()

    def _with_fault(self, fault: Fault | None, frame: bytes, before: int, due: float) -> Sent:
        match fault:
            case Cut() | Reset():
                return self._until(fault, frame, before, due)
            case Stall():
                return self._stalled(fault, frame, before, due)
            case Trickle():
                return self._trickled(fault, frame, due)
            case Malformed():
                if self._strikes(fault.after, before) and b"{" in frame:
                    self._done, self.failure = True, BROKEN
                    return [(spoiled(frame), due)]
            case Unterminated():
                keep = len(frame) if self._changes.stream else 1
                whole = self._held + frame
                self._held = whole[-keep:]
                return [(whole[:-keep], due)] if len(whole) > keep else ()
            case ErrorEvent():
                event = self._event(fault, before)
                frame = event or frame
        return [(frame, due)]

    def _until(self, fault: Cut | Reset, frame: bytes, before: int, due: float) -> Sent:
        if not self._strikes(fault.after, before):
            return [(frame, due)]
        self._broken(fault)
        part = b"" if self._changes.stream else frame[: self._place(fault.after) - before]
        return [(part, due)] if part else ()

    def _broken(self, fault: Cut | Reset) -> None:
        self.over, self.failure = True, BROKEN
        self.ending = ConnectionEnd.CUT if isinstance(fault, Cut) else ConnectionEnd.RESET

    def _stalled(self, fault: Stall, frame: bytes, before: int, due: float) -> Sent:
        if not self._strikes(fault.after, before):
            return [(frame, due)]
        self._done = True
        self._shift += fault.lasts
        self._last = due + fault.lasts
        if self._changes.stream:
            return [(frame, self._last)]
        place = self._place(fault.after) - before
        parts = ((frame[:place], due), (frame[place:], self._last))
        return [(part, when) for part, when in parts if part]

    def _trickled(self, fault: Trickle, frame: bytes, due: float) -> Sent:
        if fault.bytes is None:
            return [(frame, due)]
        sent = []
        for start in range(0, len(frame), fault.bytes):
            sent.append((frame[start : start + fault.bytes], due))
            self._last = due
            due += fault.every
        return sent

    def _event(self, fault: ErrorEvent, before: int) -> bytes:
        """The error event, if it is to come now; a plain answer has no place for one."""
        if not self._changes.stream or not self._strikes(fault.after, before):
            return b""
        failed = failure(FailureKind(fault.kind))
        event = self._changes.error_event(failed, self._frames)
        if event:
            self.over, self.failure = True, failed
        return event

    def _strikes(self, after: FaultPoint, before: int) -> bool:
        """Whether the fault's place is in the frame that has just come."""
        if self._done:
            return False
        if self._changes.stream:
            return self._tokens > after.share(HALF).tokens(self._changes.tokens)
        return before <= self._place(after) < self._bytes

    def _place(self, after: FaultPoint) -> int:
        """The place of a fault in the body of a plain answer, in bytes."""
        after = after.share(HALF)
        length = self._changes.length or self._bytes
        share = after.tokens(self._changes.tokens) / max(self._changes.tokens, 1)
        if after.after_fraction is not None:
            share = after.after_fraction
        return min(int(share * length), length - 1)

    def _due(self, at: float) -> float:
        """When a frame is due that came ``at``: not before that, and not before the last one."""
        changes, fault = self._changes, self._changes.fault
        pace = changes.pace * (fault.factor if isinstance(fault, Trickle) else 1.0)
        if not changes.stream:  # nobody knows what of it was the first token's time
            due = at * max(pace, changes.delay)
        else:
            if self._first is None:
                self._first = at, max(at, at * changes.delay)
            came, left = self._first
            due = left + (at - came) * pace
        if changes.clock is not None:
            token = self._tokens if changes.stream else changes.tokens
            due = max(due, _exists(changes.clock, token))
        self._last = max(due + self._shift, at, self._last)
        return self._last


def _exists(clock: TokenClock, tokens: int) -> float:
    """When so many tokens exist."""
    return float(clock.at(np.array([tokens - 1]))[0]) if tokens else clock.accept
