"""How long a frame takes from the scheduler to the kernel, and how late it then is, of some frames.

What is sent is queued for the HTTP server's thread, which writes it to the socket when it gets a
processor. In overload that takes long, and nothing in the process knows. The kernel does: it says
how many bytes of a connection were written. So some streams count their bytes, and now and then a
frame of one of them is followed until the kernel has it: by looking at once, and then each
millisecond, off the way of all other frames.

    due ──▶ left ──▶ kernel        output lag: left to kernel
    └── delivery lateness ─┘       hand-over and output lag of the same frame

Which frames are followed must not depend on how late they are. Of all that leave when a loop that
was held up goes on, the first is the latest; so it is not the first after a :data:`PERIOD` that is
followed, but one of as many as left in it, each as often as any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from llmsim.core import Headers
from llmsim.core.plan import Chunk
from llmsim.transport.arrival import Written
from llmsim.transport.port import Port, Stream

COUNTED = 32
"""About so many of the open streams count their bytes."""
PERIOD = 10_000
"""µs between two frames that are followed."""
FOLLOWED = 64
"""Frames that are followed at a time."""
ON_THE_WAY = 4
"""Of these, how many are seen to be on their way in one look: they arrive in the order in which
they left, but for clients that do not read."""
GOLDEN = 0.6180339887
"""Multiples of this, their whole parts left out, are spread evenly from 0 to 1."""
BUSY = 300
"""µs for which is looked again at once."""
PAUSE = 0.001
"""Seconds between two looks after that."""
PATIENCE = 10_000_000
"""µs after which a client does not read, which says nothing about llmsim."""
STATUS_LINE = len("HTTP/1.1 200 \r\n\r\n")


class Outputs(Protocol):
    """Says what was written to connections."""

    def written(self, client: str, server: str) -> Written | None:
        """Of the connection of ``client`` to ``server``; None if nobody knows."""
        ...


class Answered(Protocol):
    """Whose answer it is."""

    def output(self, lag: float, late: float, /) -> None:
        """The kernel had a frame of the answer ``lag`` seconds after it had left, ``late`` after it
        was due."""
        ...


class Sender(Protocol):
    """Sends an answer's frames."""

    def leaving(self, now: int, /) -> list[int]:
        """When those frames were due, on the same clock, that leave at ``now`` (µs)."""
        ...


class Before(NamedTuple):
    """A connection before a response: its client and server, and what was written to it."""

    address: tuple[str, str]
    written: int


class CountedStream:
    """A chunked response over HTTP/1 that counts its bytes. ``written`` were before its body, which
    may be a few less than there were: a frame that is written whole makes up for that. Who sends on
    it is to be set as its ``sender``."""

    __slots__ = ("_follow", "_stream", "address", "answered", "sender", "written")

    def __init__(
        self,
        stream: Stream,
        address: tuple[str, str],
        written: int,
        follow: Callable[[CountedStream], None],
        answered: Answered,
    ) -> None:
        self._stream = stream
        self._follow = follow
        self.address = address
        self.written = written
        self.answered = answered
        self.sender: Sender | None = None

    def send(self, data: Chunk) -> bool:
        self.written += len(data) + len(f"{len(data):x}\r\n\r\n")
        alive = self._stream.send(data)
        self._follow(self)
        return alive

    def close(self) -> None:
        self.sender = None
        self._stream.close()


class FollowedFrames(NamedTuple):
    """Frames on their way, which left together: the kernel has them once so many bytes are written.
    ``due`` says when they were to leave."""

    stream: CountedStream
    written: int
    left: int
    due: list[int]


class OutputLag:
    """Follows frames of one worker. ``count`` gets each output lag in µs, ``count_late`` by how
    much each frame was late, ``open_streams`` says how many there are; without ``outputs`` nothing
    is followed."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        outputs: Outputs | None,
        count: Callable[[int], None],
        count_late: Callable[[int], None],
        open_streams: Callable[[], int],
        clock: Callable[[], int],
    ) -> None:
        self._loop = loop
        self._outputs = outputs
        self._count = count
        self._count_late = count_late
        self._open_streams = open_streams
        self._clock = clock
        self._skip = 0
        self._next = 0
        self._passed = 0
        self._passing = 0
        self._share = 0.0
        self._followed: list[FollowedFrames] = []

    def before(self, port: Port) -> Before | None:
        """To be asked before a streamed response is opened on ``port``: what was written until
        then, if its bytes are to be counted."""
        self._skip -= 1
        if self._skip >= 0 or self._outputs is None:
            return None
        self._skip = self._open_streams() // COUNTED
        address = port.connection()
        if address is None:
            return None
        found = self._outputs.written(*address)
        return None if found is None else Before(address, found.bytes)

    def counted(
        self, stream: Stream, before: Before, head: Headers, answered: Answered
    ) -> CountedStream:
        """The response to ``answered``, which begins with ``head``, with its bytes counted."""
        size = STATUS_LINE + sum(len(name) + len(value) + len(": \r\n") for name, value in head)
        written = before.written + size
        return CountedStream(stream, before.address, written, self._follow, answered)

    def _follow(self, stream: CountedStream) -> None:
        now = self._clock()
        self._passed += 1
        if now < self._next:
            self._passing = int(self._passed * self._share)
            return
        if self._passing > 0:
            self._passing -= 1
            return
        if len(self._followed) >= FOLLOWED:
            return
        self._next, self._passed = now + PERIOD, 0
        self._share = (self._share + GOLDEN) % 1
        due = [] if stream.sender is None else stream.sender.leaving(now)
        self._followed.append(FollowedFrames(stream, stream.written, now, due))
        if len(self._followed) == 1:
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        now, waiting, still = self._clock(), iter(self._followed), []
        for frames in waiting:
            if not self._over(frames, now):
                still.append(frames)
                if len(still) == ON_THE_WAY:
                    break
        self._followed = [*still, *waiting]
        if self._followed:
            if now - self._followed[-1].left < BUSY:
                self._loop.call_soon(self._look)
            else:
                self._loop.call_later(PAUSE, self._look)

    def _over(self, frames: FollowedFrames, now: int) -> bool:
        assert self._outputs is not None
        found = self._outputs.written(*frames.stream.address)
        if found is None or now - frames.left > PATIENCE:
            return True
        if found.bytes < frames.written:
            return False
        at = max(frames.left, min(now, found.sent.latest))
        lag = at - frames.left
        self._count(lag)
        late = [max(0, at - due) for due in frames.due]
        for each in late:
            self._count_late(each)
        frames.stream.answered.output(lag / 1e6, max(late, default=-1e6) / 1e6)
        return True
