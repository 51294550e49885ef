"""One message per second to every open dashboard.

The message is made once per tick however many clients watch, and not at all while none does. A
client costs no task: it is an open response body, dropped when sending shows that it has gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from llmsim.transport.port import Stream

TICK = 1.0
"""Seconds between two messages."""

MAX_MESSAGES = 600
"""Messages after which a response ends. What is sent to a client that no longer reads, but has not
closed its connection, piles up; one that does read reconnects."""

log = logging.getLogger("llmsim")


class ScheduledCall(Protocol):
    """A call that is due later."""

    def cancel(self) -> None: ...


def call_later(seconds: float, callback: Callable[[], None]) -> ScheduledCall:
    """Schedule a call on the running loop."""
    return asyncio.get_running_loop().call_later(seconds, callback)


class Broadcast:
    """Sends what ``make_message`` gives to every client, when it joins and then each tick."""

    def __init__(
        self,
        make_message: Callable[[], bytes],
        schedule: Callable[[float, Callable[[], None]], ScheduledCall] = call_later,
    ) -> None:
        self._make_message = make_message
        self._schedule = schedule
        self._clients: dict[Stream, int] = {}
        self._latest = b""
        self._next: ScheduledCall | None = None
        self._ended = False

    def join(self, stream: Stream, greeting: bytes = b"") -> None:
        """Send ``greeting`` and the latest message, and then each new one. Owns the stream."""
        if self._ended:
            stream.close()
            return
        if self._next is None:
            self._latest = self._make_message()
            self._next = self._schedule(TICK, self._tick)
        if stream.send(greeting + self._latest):
            self._clients[stream] = MAX_MESSAGES
        else:
            stream.close()

    def end(self) -> None:
        """End every response, and each that joins later at once: the server is about to stop."""
        self._ended = True
        if self._next is not None:
            self._next.cancel()
            self._next = None
        for stream in self._clients:
            stream.close()
        self._clients.clear()

    def __len__(self) -> int:
        """How many clients watch."""
        return len(self._clients)

    def _tick(self) -> None:
        self._next = None
        if not self._clients:
            return
        try:
            self._latest = self._make_message()
        except Exception:  # one failed message must not end the events
            log.exception("could not make the statistics for the dashboard")
        self._next = self._schedule(TICK, self._tick)
        for stream, left in list(self._clients.items()):
            if left and stream.send(self._latest):
                self._clients[stream] = left - 1
            else:
                del self._clients[stream]
                stream.close()
