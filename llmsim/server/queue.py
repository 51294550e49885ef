"""Requests that wait for a concurrency slot: one of the places in which requests are answered.

First come, first served, over all workers: who waits has a ticket, and whoever has the lowest of
all gets the next free slot. A slot that becomes free in a worker is handed on there at once if
that worker's first request is the next of all; else the worker it waits in finds the slot within
:data:`PERIOD`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from enum import Enum

from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.rate_limits import Concurrency
from llmsim.core.state import QUEUE_FULL, Caller
from llmsim.state.shared_state import SharedState
from llmsim.transport.port import Gone

PERIOD = 0.002
"""Seconds between two looks for a free slot while requests wait."""
REAP_PERIOD = 0.05
"""Seconds between two looks for workers that died with slots."""
LATE = "The request waited too long for other requests to be answered. You can retry your request."


class Outcome(Enum):
    """How a wait ends. No exception of the future's: with its traceback that would be a cycle,
    which holds the request until the garbage collector comes."""

    ADMITTED = "admitted"
    LATE = "late"
    GONE = "gone"


class Waiting:
    """One request that waits."""

    __slots__ = ("outcome", "ticket")

    def __init__(self, ticket: int, outcome: asyncio.Future[Outcome]) -> None:
        self.ticket = ticket
        self.outcome = outcome


class Queue:
    """One worker's part of the queue. Outlives the configurations that say how long it may be."""

    def __init__(self, shared: SharedState, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._slots = shared.concurrency
        self._clock = clock
        self._waiting: deque[Waiting] = deque()
        self._max_concurrency = 0
        self._timer: asyncio.TimerHandle | None = None
        self._reaped = 0.0

    async def enter(self, concurrency: Concurrency, caller: Caller | None) -> float:
        """Wait for a slot and take it: how long that took, in seconds.

        Raises BadRequest where too many wait already or it takes too long, and Gone if the client
        leaves meanwhile. A slot that was taken is given back with :meth:`leave`.
        """
        assert concurrency.max_concurrency is not None
        self._max_concurrency = concurrency.max_concurrency
        ticket = self._slots.arrive(self._max_concurrency, concurrency.queue_limit)
        if ticket is None and self._reap():
            ticket = self._slots.arrive(self._max_concurrency, concurrency.queue_limit)
        if ticket is None:
            raise BadRequest(Failure(FailureKind.OVERLOADED, QUEUE_FULL))
        if ticket == 0:
            self._shared.counters.queued(0.0)
            return 0.0
        start = self._clock()
        loop = asyncio.get_running_loop()
        waiting = Waiting(ticket, loop.create_future())
        self._waiting.append(waiting)
        self._look_soon(loop)
        await self._admitted(waiting, concurrency.queue_timeout, caller)
        waited = self._clock() - start
        self._shared.counters.queued(waited)
        return waited

    def leave(self) -> None:
        """Give a slot back; the next request of all gets it if it waits here."""
        self._slots.release()
        if self._waiting:
            self._admit()

    async def _admitted(self, waiting: Waiting, timeout: float, caller: Caller | None) -> None:
        """Return once the request has a slot. However else this ends, it no longer waits."""
        outcome = waiting.outcome
        timer = asyncio.get_running_loop().call_later(timeout, _end, outcome, Outcome.LATE)
        leaving = None
        if caller is not None:
            leaving = asyncio.ensure_future(caller.left())
            leaving.add_done_callback(lambda _: _end(outcome, Outcome.GONE))
        try:
            how = await outcome
        except BaseException:
            self._remove(waiting)
            raise
        finally:
            timer.cancel()
            if leaving is not None:
                leaving.cancel()
        if how is Outcome.ADMITTED:
            return
        self._remove(waiting)
        if how is Outcome.GONE:
            raise Gone
        raise BadRequest(Failure(FailureKind.TIMEOUT, LATE))

    def _remove(self, waiting: Waiting) -> None:
        """Take out one that gives up without a slot, or has got one too late."""
        try:
            self._waiting.remove(waiting)
        except ValueError:
            self.leave()
            return
        self._slots.leave(self._waiting[0].ticket if self._waiting else 0)
        self._admit()

    def _admit(self) -> None:
        """Let in as many as there are slots for."""
        waiting = self._waiting
        while waiting:
            following = waiting[1].ticket if len(waiting) > 1 else 0
            if not self._slots.admit(waiting[0].ticket, following, self._max_concurrency):
                return
            # One that gives up at this moment hands its slot on when it runs.
            _end(waiting.popleft().outcome, Outcome.ADMITTED)

    def _look_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is None:
            self._timer = loop.call_later(PERIOD, self._look)

    def _look(self) -> None:
        self._timer = None
        self._admit()
        if not self._waiting:
            return
        now = self._clock()
        if now - self._reaped > REAP_PERIOD:
            self._reaped = now
            if self._reap():
                self._admit()
        self._look_soon(asyncio.get_running_loop())

    def _reap(self) -> bool:
        """Free what dead workers hold: whether there was any."""
        return self._shared.reap(self._slots.busy(), self._slots.release_slot)


def _end(outcome: asyncio.Future[Outcome], how: Outcome) -> None:
    if not outcome.done():
        outcome.set_result(how)
