"""Answers that are fed or re-timed while they are sent: an upstream, a recording, load."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llmsim.core import Beats, ConnectionEnd, Frames, Plan, Usage
from llmsim.core.errors import Failure
from llmsim.transport.abort import AbortingStream
from llmsim.transport.port import Stream
from llmsim.transport.scheduler import Scheduler, StreamEnded


class FedFrames:
    """Frames that are added one by one. Each is forgotten once it has left."""

    def __init__(self, frames: Frames) -> None:
        self._frames: list[bytes] = [frames[index] for index in range(len(frames))]

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int, /) -> bytes:
        return self._frames[index]

    def add(self, frame: bytes) -> None:
        """One more frame, after all others."""
        self._frames.append(frame)

    def join(self, start: int, stop: int) -> bytes:
        """Frames ``start`` to ``stop`` (exclusive) as one chunk; they are asked for once."""
        chunk = b"".join(self._frames[start:stop])
        self._frames[start:stop] = [b""] * (stop - start)
        return chunk

    def reorder(self, order: Beats) -> Frames:
        """Fed frames have one order only."""
        raise TypeError("frames that are added one by one keep their order")


class StreamPlayback:
    """A deferred plan on its way to a client.

    ``amend`` is told what is to be counted, where the plan did not know.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        plan: Plan,
        start: int,
        stream: Stream,
        ended: StreamEnded,
        amend: Callable[[Usage | None, Failure | None], None],
    ) -> None:
        self._scheduler = scheduler
        self._stream = stream
        self._amend = amend
        self._frames = FedFrames(plan.frames)
        self._due = [round(due * 1e6) for due in plan.due.tolist()]
        self._active = scheduler.send(plan, start, stream, ended)
        self._active.frames, self._active.due = self._frames, self._due

    @property
    def pending(self) -> int:
        """How many frames have not left yet."""
        return 0 if self._active.stream is None else len(self._due) - self._active.next

    def add(self, frame: bytes, due: float) -> bool:
        """Send one more frame ``due`` seconds after arrival; False if the client has gone."""
        active = self._active
        if active.stream is None:
            return False
        latest = self._due[-1] if self._due else 0
        self._frames.add(frame)
        self._due.append(max(round(due * 1e6), latest))
        self._scheduler.resume(active)
        return active.stream is not None

    def retime(self, due: Sequence[float]) -> None:
        """Give all pending frames other times: seconds after arrival, non-decreasing."""
        if len(due) != self.pending:
            raise ValueError(f"{self.pending} frames are pending, not {len(due)}")
        if self._active.stream is None or not due:
            return
        self._due[self._active.next :] = [round(time * 1e6) for time in due]
        self._active = self._scheduler.replaced(self._active, self._due)

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
