"""Responses that break off on purpose."""

from __future__ import annotations

import asyncio

from llmsim.exchange import Ending, Headers, Plan
from llmsim.server.ports import Port, Stream

FLUSHED = 0.02
"""Seconds after which what was sent is with the kernel: until then it may still be queued."""


class Breaking:
    """A stream after whose last byte the connection breaks."""

    def __init__(self, stream: Stream, port: Port, ending: Ending) -> None:
        self._stream = stream
        self._port = port
        self._reset = ending is Ending.RESET

    def send(self, data: bytes) -> bool:
        return self._stream.send(data) if data else True

    def close(self) -> None:
        # A stream that is closed is whole, so it stays open until it is none.
        asyncio.get_running_loop().call_later(FLUSHED, self._broken)

    def _broken(self) -> None:
        self._port.abort(self._reset)
        self._stream.close()


def opened(port: Port, planned: Plan, head: Headers) -> Stream:
    """The response of a plan with its head sent, ready for its frames."""
    if planned.length is not None:
        head.append(("content-length", str(planned.length)))
    stream = port.open(planned.status, head)
    if planned.ending is Ending.WHOLE:
        return stream
    return Breaking(stream, port, planned.ending)
