"""A time by which the bodies of requests must have arrived.

Most bodies are there within a millisecond, so no request has a timer or looks at a clock. Time
goes in *periods*; what waits for a body is in the set of the period in which its request arrived,
and when that set is old enough, whatever is still in it is late.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.transport.bounds import Bounds

PERIODS: Final = 8
"""Periods in the time that a body has, so it may take an eighth longer."""


class BodyDeadline:
    """The bodies that one worker waits for. ``timeout`` is in seconds, 0 for none.

    Who waits for one adds the awaitable to the set that :attr:`waiting` is when the request
    arrives, and takes it out afterwards. One that is no longer in it was cancelled: it is
    :meth:`late`.
    """

    def __init__(self, timeout: float, bounds: Bounds) -> None:
        self._timeout = timeout
        self._bounds = bounds
        self.waiting: set[Any] = set()
        self._periods = deque(set[Any]() for _ in range(PERIODS))

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at the bodies from now on."""
        if self._timeout:
            loop.call_later(self._timeout / PERIODS, self._watch, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self.watch(loop)
        self.next_period()

    def next_period(self) -> None:
        """Begin a new period, and end the wait for the bodies of the oldest one."""
        self._periods.append(self.waiting)
        self.waiting = set()
        oldest = self._periods.popleft()
        late = list(oldest)
        oldest.clear()
        for reading in late:
            reading.cancel()

    def late(self) -> BadRequest:
        """The exception for a body that is late."""
        self._bounds.reached("body_timeout_ms", "a request whose body does not arrive is refused")
        message = f"The request's body did not arrive within {self._timeout:g} seconds."
        return BadRequest(Failure(FailureKind.TIMEOUT_CLIENT, message))
