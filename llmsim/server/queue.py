"""Requests that wait for one of the places in which they are answered.

The first to come is the first to be let in, over all workers. A place that becomes free in a
worker is given away there at once if that worker's first request is the next of all; else the
worker it waits in finds it within :data:`PERIOD`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.rate_limits import Concurrency
from llmsim.core.state import Caller
from llmsim.state.shared_state import SharedState
from llmsim.transport.port import Gone

PERIOD = 0.002
"""Seconds between two looks for a free place while requests wait."""
REAPED = 0.05
"""Seconds between two looks for workers that died with places."""
FULL = "That model is currently overloaded with other requests. You can retry your request."
LATE = "The request waited too long for other requests to be answered. You can retry your request."


class Waiting:
    """One request that waits."""

    __slots__ = ("admitted", "ticket")

    def __init__(self, ticket: int, admitted: asyncio.Future[None]) -> None:
        self.ticket = ticket
        self.admitted = admitted


class Queue:
    """One worker's part of the queue. Outlives the configurations that say how long it may be."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self._concurrency = shared.concurrency
        self._line: deque[Waiting] = deque()
        self._most = 0
        self._timer: asyncio.TimerHandle | None = None
        self._reaped = 0.0

    async def enter(self, concurrency: Concurrency, caller: Caller | None) -> float:
        """Wait for a place and take it: how long that took, in seconds.

        Raises BadRequest where too many wait already or it takes too long, and Gone if the client
        leaves meanwhile. A place that was taken is given back with :meth:`leave`.
        """
        assert concurrency.max_concurrency is not None
        self._most = concurrency.max_concurrency
        ticket = self._concurrency.arrive(self._most, concurrency.queue_limit)
        if ticket is None and self._shared.reap(self._concurrency.busy()):
            ticket = self._concurrency.arrive(self._most, concurrency.queue_limit)
        if ticket is None:
            raise BadRequest(Failure(FailureKind.OVERLOADED, FULL))
        if ticket == 0:
            self._shared.counters.queued(0.0)
            return 0.0
        start = time.monotonic()
        loop = asyncio.get_running_loop()
        waiting = Waiting(ticket, loop.create_future())
        self._line.append(waiting)
        self._look_soon(loop)
        await self._let_in(waiting, concurrency.queue_timeout, caller)
        waited = time.monotonic() - start
        self._shared.counters.queued(waited)
        return waited

    def leave(self) -> None:
        """Give a place back, to the next of all if it waits here."""
        self._concurrency.release()
        if self._line:
            self._admit()

    async def _let_in(self, waiting: Waiting, patience: float, caller: Caller | None) -> None:
        """Return once the request has a place. However else this ends, it does not wait on."""
        admitted = waiting.admitted
        late = asyncio.get_running_loop().call_later(patience, _give_up, admitted, _late())
        leaving = None
        if caller is not None:
            leaving = asyncio.ensure_future(caller.left())
            leaving.add_done_callback(lambda _: _give_up(admitted, Gone()))
        try:
            await admitted
        except BaseException:
            self._remove(waiting)
            raise
        finally:
            late.cancel()
            if leaving is not None:
                leaving.cancel()

    def _remove(self, waiting: Waiting) -> None:
        """Take one out of the line that leaves without a place, or has got one too late."""
        try:
            self._line.remove(waiting)
        except ValueError:
            self.leave()
            return
        self._concurrency.leave(self._line[0].ticket if self._line else 0)
        self._admit()

    def _admit(self) -> None:
        """Let in as many as there are places for."""
        line = self._line
        while line:
            following = line[1].ticket if len(line) > 1 else 0
            if not self._concurrency.admit(line[0].ticket, following, self._most):
                return
            admitted = line.popleft().admitted
            # One that gives up at this moment hands its place on when it runs.
            if not admitted.done():
                admitted.set_result(None)

    def _look_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is None:
            self._timer = loop.call_later(PERIOD, self._look)

    def _look(self) -> None:
        self._timer = None
        self._admit()
        if not self._line:
            return
        now = time.monotonic()
        if now - self._reaped > REAPED:
            self._reaped = now
            if self._shared.reap(self._concurrency.busy()):
                self._admit()
        self._look_soon(asyncio.get_running_loop())


def _give_up(admitted: asyncio.Future[None], error: Exception) -> None:
    if not admitted.done():
        admitted.set_exception(error)


def _late() -> BadRequest:
    return BadRequest(Failure(FailureKind.TIMEOUT, LATE))
