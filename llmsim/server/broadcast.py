"""One message a second to everyone who watches: what open dashboards live on.

The message is made once a tick however many watch, and not at all while nobody does. A watcher
costs no task: it is an open response body in a set, dropped when it turns out that its client has
gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from llmsim.transport.port import Stream

TICK = 1.0
"""Seconds between two messages."""

LONGEST = 600
"""Messages after which a response is ended. A client that has stopped reading without closing its
connection piles up what it is sent, so that has to have an end; one that reads comes back."""

log = logging.getLogger("llmsim")


class Timer(Protocol):
    """What is set for later and may be called off."""

    def cancel(self) -> None: ...


def later(seconds: float, callback: Callable[[], None]) -> Timer:
    """Call back on the running loop."""
    return asyncio.get_running_loop().call_later(seconds, callback)


class Broadcast:
    """Sends what ``tell`` gives to every watcher, now and then each tick.

    ``wait`` calls back after so many seconds.
    """

    def __init__(
        self,
        tell: Callable[[], bytes],
        wait: Callable[[float, Callable[[], None]], Timer] = later,
    ) -> None:
        self._tell = tell
        self._wait = wait
        self._watchers: dict[Stream, int] = {}
        self._latest = b""
        self._timer: Timer | None = None
        self._over = False

    def join(self, stream: Stream, greeting: bytes = b"") -> None:
        """Send ``greeting`` and the latest message, and then each new one. Owns the stream."""
        if self._over:
            stream.close()
            return
        if self._timer is None:
            self._latest = self._tell()
            self._timer = self._wait(TICK, self._tick)
        if stream.send(greeting + self._latest):
            self._watchers[stream] = LONGEST
        else:
            stream.close()

    def end(self) -> None:
        """End every response, and each that joins later at once: the server is about to stop."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for stream in self._watchers:
            stream.close()
        self._watchers.clear()

    def __len__(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def _tick(self) -> None:
        self._timer = None
        if not self._watchers:
            return
        try:
            self._latest = self._tell()
        except Exception:  # a number that cannot be told must not end the telling
            log.exception("statistics could not be told")
        self._timer = self._wait(TICK, self._tick)
        for stream, left in list(self._watchers.items()):
            if left and stream.send(self._latest):
                self._watchers[stream] = left - 1
            else:
                del self._watchers[stream]
                stream.close()
