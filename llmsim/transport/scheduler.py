"""The player: the only place that waits for a time, and the only one that sends.

A calendar of one-millisecond ticks holds whatever is due next: streams by their next frame,
plain answers by their only one. One timer is set for the earliest tick; when it fires, all that
is due leaves, the due frames of one stream joined. No stream has a task or a timer of its own,
and due times are absolute, so being late once does not make the rest late.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from llmsim.core import Plan
from llmsim.state.shm.layout import CLOSED, OPENED
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.port import Stream
from llmsim.transport.timer import TimerFactory, precise_timer

TICK = 1000  # µs
NEVER = 1 << 62
PLAYING = -1  # no timer is set while a tick is played

log = logging.getLogger("llmsim")


class StreamEnded(Protocol):
    """Called once when a stream has ended.

    Gets whether it was played to its end, when its first and its last frame left (seconds after
    arrival), the worst lateness (seconds) and how many frames were sent.
    """

    def __call__(
        self, whole: bool, first: float, end: float, lateness: float, sent: int, /
    ) -> None: ...


def now_us() -> int:
    """The monotonic clock in microseconds; the loop's own is a whole millisecond coarse."""
    return time.monotonic_ns() // 1000


class ActiveStream:
    """A stream between two of its frames."""

    __slots__ = ("due", "ended", "first", "frames", "latest", "next", "sent", "start", "stream")

    def __init__(self, plan: Plan, start: int, stream: Stream, ended: StreamEnded) -> None:
        self.frames = plan.frames
        # Half an hour fits 32 bits; an open stream should cost little.
        width = np.int32 if plan.total < 2000 else np.int64
        self.due = (plan.due * 1e6).astype(width).data
        self.start = start
        self.stream: Stream | None = stream
        self.ended = ended
        self.next = 0
        self.first = -1
        self.sent = 0
        self.latest = 0


class Scheduler:
    """Sends what is due when it is due, for one event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        counters: WorkerCounters,
        clock: Callable[[], int] = now_us,
        alarm: TimerFactory = precise_timer,
    ) -> None:
        self._loop = loop
        self._counters = counters
        self._clock = clock
        self._calendar: dict[int, list[ActiveStream | asyncio.Future[None]]] = {}
        self._ticks: list[int] = []
        self._alarm = alarm(loop, self._tick)
        self._timer_tick = NEVER
        self.open = 0

    def reach(self, due: int) -> asyncio.Future[None]:
        """A future that is done at ``due`` (µs of the clock)."""
        reached: asyncio.Future[None] = self._loop.create_future()
        self._enter(reached, due)
        return reached

    def play(self, plan: Plan, start: int, stream: Stream, ended: StreamEnded) -> None:
        """Send the plan's frames on ``stream``, due times counted from ``start`` (µs), those
        already due at once. Owns the stream from here on."""
        self._counters.cells[OPENED] += 1
        self.open += 1
        playing = ActiveStream(plan, start, stream, ended)
        self._advance(playing, self._clock())

    def _enter(self, item: ActiveStream | asyncio.Future[None], due: int) -> None:
        tick = (due + TICK // 2) // TICK
        there = self._calendar.get(tick)
        if there is not None:
            there.append(item)
            return
        self._calendar[tick] = [item]
        heapq.heappush(self._ticks, tick)
        if tick < self._timer_tick:
            self._set_timer()

    def _set_timer(self) -> None:
        self._timer_tick = tick = self._ticks[0]
        self._alarm.set(max(tick * TICK - self._clock(), 0))

    def _tick(self) -> None:
        self._timer_tick = PLAYING
        ticks, calendar = self._ticks, self._calendar
        # All of a tick is due within half a tick of its beginning, so once it has begun nothing
        # can come back to it.
        limit = self._clock() // TICK
        while ticks and ticks[0] <= limit:
            for item in calendar.pop(heapq.heappop(ticks)):
                try:
                    if type(item) is ActiveStream:
                        self._advance(item, self._clock())
                    elif not item.done():  # type: ignore[union-attr]
                        item.set_result(None)  # type: ignore[union-attr]
                except Exception:  # the other streams go on
                    log.exception("a stream broke")
                    if type(item) is ActiveStream and item.stream is not None:
                        self._end(item, self._clock(), False)
        self._timer_tick = NEVER
        if ticks:
            self._set_timer()

    def _advance(self, playing: ActiveStream, now: int) -> None:
        """Send every frame that is due at ``now`` and come back for the next."""
        due, start = playing.due, playing.start
        first = stop = playing.next
        horizon = now - start + TICK // 2
        count = len(due)
        late = self._counters.late
        while stop < count and (at := due[stop]) <= horizon:
            run = stop
            stop += 1
            while stop < count and due[stop] == at:
                stop += 1
            late(now - start - at, stop - run)
        if stop > first:
            latest = now - start - due[first]
            if latest > playing.latest:  # noqa: PLR1730  max() takes three times as long
                playing.latest = latest
            if playing.first < 0:
                playing.first = now - start
            else:
                self._counters.apart(now - playing.sent)
            playing.sent = now
            if not playing.stream.send(playing.frames.join(first, stop)):  # type: ignore[union-attr]
                self._end(playing, now, False)
                return
            playing.next = stop
        if stop == count:
            self._end(playing, now, True)
        else:
            self._enter(playing, start + due[stop])

    def _end(self, playing: ActiveStream, now: int, whole: bool) -> None:
        stream, playing.stream = playing.stream, None
        self._counters.cells[CLOSED] += 1
        self.open -= 1
        end = (now - playing.start) / 1e6
        # Counted before the client can see the end: a worker killed in between has told no one.
        try:
            playing.ended(whole, playing.first / 1e6, end, playing.latest / 1e6, playing.next)
        finally:
            stream.close()  # type: ignore[union-attr]
