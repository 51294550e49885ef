"""Responses that break off on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llmsim.core import ConnectionEnd, Headers, Plan
from llmsim.core.plan import Chunk
from llmsim.transport.port import Peer, Port, Stream

LOOK = 0.005
"""Seconds between two looks at whether all has been written."""
FLUSHED = 0.02
"""Seconds after which it surely is, where nobody can tell."""
PATIENCE = 2.0
"""Seconds after which the connection breaks even if its client has not made room for the rest."""
HELD = 1.0
"""Seconds after which the server has surely found that a connection is reset."""
STATUS_LINE = len("HTTP/1.1 200 \r\n\r\n")


Later = Callable[[float, Callable[[], None]], object]


class AbortingStream:
    """A stream after whose last byte the connection breaks.

    What is sent waits in the server's queues before it is with the kernel. So before aborting, at
    least ``head`` bytes, which include all before this response, and the body must have been
    written. One that is not ``armed`` ends in good order, unless it is armed meanwhile.
    """

    def __init__(
        self,
        stream: Stream,
        peer: Peer,
        reset: bool,
        head: int,
        chunked: bool,
        later: Later,
        armed: bool = True,
    ) -> None:
        self._later = later
        self._stream = stream
        self._peer = peer
        self._reset = reset
        self._chunked = chunked
        self._wanted = head
        self._left = PATIENCE
        self._armed = armed

    def arm(self, reset: bool) -> None:
        """Break the connection at the end after all; with ``reset``, by a reset."""
        self._armed, self._reset = True, reset

    def send(self, data: Chunk) -> bool:
        if not data:
            return True
        self._wanted += len(data)
        if self._chunked:
            self._wanted += len(f"{len(data):x}\r\n\r\n")
        return self._stream.send(data)

    def close(self) -> None:
        # A stream that is closed is whole, so it stays open until it is none.
        if self._armed:
            self._look()
        else:
            self._stream.close()

    def _look(self) -> None:
        written = self._peer.written()
        self._left -= LOOK
        if written is None or written >= self._wanted or self._left <= 0:
            self._later(FLUSHED, self._break)
        else:
            self._later(LOOK, self._look)

    def _break(self) -> None:
        self._peer.hang_up(self._reset)
        if self._reset:
            # The server has yet to find out; until then it would still write the end.
            self._later(HELD, self._stream.close)
        else:
            self._stream.close()


def opened(port: Port, planned: Plan, head: Headers) -> Stream:
    """The response of a plan with its head sent, ready for its frames."""
    if planned.length is not None:
        head.append(("content-length", str(planned.length)))
    armed = planned.ending is not ConnectionEnd.WHOLE
    if not armed and planned.deferred is None:
        return port.open(planned.status, head)
    peer = port.peer()
    wanted = (peer.written() or 0) + STATUS_LINE
    wanted += sum(len(name) + len(value) + len(": \r\n") for name, value in head)
    stream = port.open(planned.status, head)
    reset, chunked = planned.ending is ConnectionEnd.RESET, planned.length is None
    later = asyncio.get_running_loop().call_later
    return AbortingStream(stream, peer, reset, wanted, chunked, later, armed)
