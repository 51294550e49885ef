"""Answers that are fed or re-timed while they are sent: an upstream, a recording, load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, overload

import numpy as np

from llmsim.core import ConnectionEnd, Due, Frames, Numbering, Plan, Seconds, Usage
from llmsim.core.errors import Failure
from llmsim.core.plan import Chunk
from llmsim.transport.abort import AbortingStream
from llmsim.transport.port import Stream
from llmsim.transport.scheduler import Scheduler, StreamEnded


class FedFrames:
    """The frames of a plan, rendered when they are sent, and those that are added one by one, which
    are forgotten once they have left."""

    def __init__(self, frames: Frames) -> None:
        self._planned: Frames | None = frames
        self._count = len(frames)
        self._added: list[bytes] = []

    def __len__(self) -> int:
        return self._count + len(self._added)

    def __getitem__(self, index: int, /) -> bytes:
        if index >= self._count:
            return self._added[index - self._count]
        return b"" if self._planned is None else self._planned[index]

    def add(self, frame: bytes) -> None:
        """One more frame, after all others."""
        self._added.append(frame)

    def drop(self, start: int) -> None:
        """Forget the frames from ``start`` on."""
        del self._added[max(start - self._count, 0) :]
        self._count = min(self._count, start)

    def join(self, start: int, stop: int) -> Chunk:
        """Frames ``start`` to ``stop`` (exclusive) as one chunk; they are asked for once."""
        count = self._count
        planned: Chunk = b""
        if start < count and self._planned is not None:
            planned = self._planned.join(start, min(stop, count))
        if stop >= count:
            self._planned = None
        if stop <= count:
            return planned
        first, last = max(start - count, 0), stop - count
        chunk = b"".join(self._added[first:last])
        self._added[first:last] = [b""] * (last - first)
        return bytes(planned) + chunk

    def reorder(self, order: Numbering) -> Frames:
        """Fed frames have one order only."""
        raise TypeError("frames that are added one by one keep their order")


class FedDue:
    """The due times of a plan, those that are added one by one, and those that take the place of
    others. What has left is not asked for again."""

    def __init__(self, due: Due) -> None:
        self._planned: Due | Seconds = due
        self._begins = 0
        self._ends = len(due)
        self._added: list[float] = []

    def __len__(self) -> int:
        return self._ends + len(self._added)

    @overload
    def __getitem__(self, index: int, /) -> float: ...

    @overload
    def __getitem__(self, index: slice, /) -> Seconds: ...

    def __getitem__(self, index: int | slice, /) -> float | Seconds:
        if not isinstance(index, slice):
            if index < self._ends:
                return self._planned[index - self._begins]
            return self._added[index - self._ends]
        start, stop, _ = index.indices(len(self))
        if start >= self._ends:
            return np.array(self._added[start - self._ends : stop - self._ends])
        return self._planned[start - self._begins : min(stop, self._ends) - self._begins]

    def add(self, due: float) -> None:
        """One more, not before the last one."""
        pending = len(self) > self._begins
        self._added.append(max(due, self[len(self) - 1]) if pending else due)

    def drop(self, start: int) -> None:
        """Forget those from frame ``start`` on."""
        del self._added[max(start - self._ends, 0) :]
        self._ends = min(self._ends, start)

    def replace(self, start: int, due: Sequence[float]) -> None:
        """Other times for the frames from ``start`` on, which are all that are asked for."""
        self._planned = np.array(due)
        self._begins, self._ends = start, start + len(due)
        self._added = []


class Watch(Protocol):
    """Looks on while a stream is sent: gives what it is handed, but watched."""

    def plan(self, plan: Plan, /) -> Plan: ...

    def frames(self, frames: Frames, /) -> Frames: ...

    def due(self, due: Due, /) -> Due: ...


class StreamPlayback:
    """A deferred plan on its way to a client.

    ``amend`` is told what is to be counted, where the plan did not know; ``unread`` says how much
    of what was sent waits; ``series`` is where gaps between its tokens are counted, and ``watch``
    looks on.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        plan: Plan,
        start: int,
        stream: Stream,
        ended: StreamEnded,
        amend: Callable[[Usage | None, Failure | None], None],
        unread: Callable[[], int] = lambda: 0,
        series: int = 0,
        watch: Watch | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._stream = stream
        self._start = start
        self._amend = amend
        self._unread = unread
        self._frames = FedFrames(plan.frames)
        self._due = FedDue(plan.due)
        frames: Frames = self._frames
        self._playing: Due = self._due
        if watch is not None:
            plan = watch.plan(plan)
            frames, self._playing = watch.frames(self._frames), watch.due(self._due)
        self._active = scheduler.send(plan, start, stream, ended, series)
        self._active.frames, self._active.due = frames, self._playing

    @property
    def pending(self) -> int:
        """How many frames have not left yet."""
        return 0 if self._active.stream is None else len(self._due) - self._active.next

    @property
    def elapsed(self) -> float:
        """How many seconds ago the request arrived."""
        return (self._scheduler.clock() - self._start) / 1e6

    @property
    def unread(self) -> int:
        """How many bytes of those that have left the client has not read, at least."""
        return self._unread()

    def abandon(self) -> None:
        """The client has gone: end the response."""
        self._scheduler.abandon(self._active)

    def add(self, frame: bytes, due: float) -> bool:
        """Send one more frame ``due`` seconds after arrival; False if the client has gone."""
        active = self._active
        if active.stream is None:
            return False
        self._frames.add(frame)
        self._due.add(due)
        self._scheduler.resume(active)
        return active.stream is not None

    def cut(self, frame: bytes, due: float) -> bool:
        """Send this frame in place of all that are pending; False if nothing is."""
        active = self._active
        if active.stream is None or not self.pending:
            return False
        self._due.drop(active.next)
        self._frames.drop(active.next)
        self._frames.add(frame)
        self._due.add(due)
        self._active = self._scheduler.replaced(active, self._playing)
        return True

    def retime(self, due: Sequence[float]) -> None:
        """Give all pending frames other times: seconds after arrival, non-decreasing."""
        if len(due) != self.pending:
            raise ValueError(f"{self.pending} frames are pending, not {len(due)}")
        if self._active.stream is None or not due:
            return
        self._due.replace(self._active.next, due)
        self._active = self._scheduler.replaced(self._active, self._playing)

    def end(
        self,
        ending: ConnectionEnd = ConnectionEnd.WHOLE,
        usage: Usage | None = None,
        failure: Failure | None = None,
    ) -> None:
        """Nothing more is added: end the response once all has left."""
        self._amend(usage, failure)
        if ending is not ConnectionEnd.WHOLE and isinstance(self._stream, AbortingStream):
            self._stream.arm(reset=ending is not ConnectionEnd.CUT)
        self._active.complete = True
        self._scheduler.resume(self._active)
