"""The scheduler: the only place that waits for a time, and the only one that sends.

Due times are absolute: those of a plan count from the moment its request arrived, and each frame
is compared with the clock, never with the frame before it, so being late once does not make the
rest late. No stream has a task or a timer of its own: a calendar of one-millisecond ticks holds
each stream once, by its next frame, and each plain answer as a future, and one timer is set for
the earliest tick.

    due, µs of the clock   … 40,499 │ 40,500 ─────── 41,499 │ 41,500 …
    tick                       40   │          41           │   42        (due + 500) // 1,000
                                               ▲
                  the timer fires at 41,000: all of tick 41 leaves, at most 500 µs early

*Joining.* When a stream's tick comes, all its frames that are due by then, half a tick ahead
included, leave in one send, :data:`MOST_FRAMES` at most, and the stream is entered again under its
next frame. That one is due later than half a tick from now, or waits for the next tick, so its tick
is none that has begun: no tick is visited twice.

*Lateness* is now minus due for each frame, counted as 0 for those that leave early. A loop that
is late finds several ticks begun and works through them in order, so overload shows as fewer,
larger sends and as lateness, which is measured, and never as a queue of frames that grows.

*Giving way.* A tick that takes longer than a millisecond is cut: the loop looks after what has come
meanwhile, new requests above all, and the tick goes on from where it was, for as long as that took
but a millisecond at least. So neither keeps the other waiting for longer than it waits itself.

*Back-pressure.* A send queues bytes and returns at once; it says only whether the client is still
there. What a client does not read is held in memory, so it has bounds elsewhere: the tokens of an
answer, the open streams, and :mod:`llmsim.transport.slow_clients`, which cuts those that stall.

A stream's states:

    state    calendar  next
    waiting  once      its tick comes: sending
    sending  no        frames left: waiting; none, but more to come: idle; all sent, the client
                       gone or an error: ended
    idle     no        a deferred plan has got more frames, or its end: sending
    ended    no        nothing. It is counted first and its response closed after that, so what a
                       client has seen end is counted, also if the worker is killed in between
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, MutableSequence
from copy import copy
from typing import Any, Protocol

import numpy as np

from llmsim.core import Due, Plan
from llmsim.state.shm.layout import CLOSED, LOOP_LAG, OPENED
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.port import Stream
from llmsim.transport.timer import TimerFactory, precise_timer

TICK = 1000  # µs
NEVER = 1 << 62
WINDOW = 64
"""Frames whose times a stream looks ahead at once."""
MOST_FRAMES = 256
"""Frames of a stream that are sent at once: a millisecond's work, log probabilities in them or not.
The rest of what is due leaves in the ticks that follow, so that other streams have their turn."""
TURN = 1000
"""µs after which a tick gives way to what else the loop has to do."""
SENDING = -1  # in place of a timer's tick while ticks are sent: none is set then

log = logging.getLogger("llmsim")


class StreamEnded(Protocol):
    """Called once when a stream has ended.

    Gets whether it was sent to its end, when its first token and its last frame left (seconds
    after arrival; the former is negative if there was none), the worst lateness (seconds) and how
    many frames were sent.
    """

    def __call__(
        self, whole: bool, first: float, end: float, lateness: float, sent: int, /
    ) -> None: ...


class Elsewhere(Protocol):
    """Holds streams until their next frame is due, where the scheduler's calendar cannot."""

    def enter(self, active: Any, due: int, /) -> None:
        """Hold a stream of which no frame is due; ``due`` is the next one in its window."""
        ...


def now_us() -> int:
    """The monotonic clock in microseconds; the loop's own is a whole millisecond coarse."""
    return time.monotonic_ns() // 1000


class ActiveStream:
    """A stream between two of its frames.

    Of its due times it holds those of the next few frames: ``window``, in µs after ``start``,
    from frame ``offset`` on.
    """

    __slots__ = (
        "complete",
        "due",
        "elsewhere",
        "ended",
        "first",
        "frames",
        "idle",
        "latest",
        "next",
        "offset",
        "sent",
        "series",
        "start",
        "stream",
        "ttft",
        "window",
    )

    def __init__(
        self, plan: Plan, start: int, stream: Stream, ended: StreamEnded, series: int
    ) -> None:
        self.frames = plan.frames
        self.due = plan.due
        self.window: MutableSequence[int] = array("q")
        self.offset = 0
        self.start = start
        self.stream: Stream | None = stream
        self.ended = ended
        self.series = series
        self.ttft = int(plan.ttft * 1e6)
        self.next = 0
        self.first = -1
        self.sent = 0
        self.latest = 0
        # A deferred plan may get more frames; it is idle, in no tick, while it has none to send.
        self.complete = plan.deferred is None
        self.idle = False
        # Who knows when it goes on, where that is not in this calendar.
        self.elsewhere: Elsewhere | None = None

    def look_ahead(self, frame: int, count: int) -> MutableSequence[int]:
        """When the next frames are due, from ``frame`` on: at most ``count``, none after the last
        one."""
        self.offset = frame
        self.window = array("q")
        if frame < len(self.due):
            times = self.due[frame : frame + count] * 1e6
            # A list would take four times the memory.
            self.window = array("q", times.astype(np.int64).tobytes())
        return self.window

    def leaving(self, now: int) -> list[int]:
        """When those frames were due (µs of the clock) that leave at ``now``."""
        start, latest = self.start, now + TICK // 2
        times = (self.due[self.next : self.next + MOST_FRAMES] * 1e6).astype(np.int64) + start
        return [due for due in times.tolist() if due <= latest]


class Scheduler:
    """Sends what is due when it is due, for one event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        counters: WorkerCounters,
        clock: Callable[[], int] = now_us,
        timer: TimerFactory = precise_timer,
    ) -> None:
        self._loop = loop
        self._counters = counters
        self._clock = clock
        self.clock, self.timer = clock, timer
        self._calendar: dict[int, list[ActiveStream | asyncio.Future[None]]] = {}
        self._ticks: list[int] = []
        self._timer = timer(loop, self._tick)
        self._timer_tick = NEVER
        self._gave_way = 0
        self.open = 0

    def reach(self, due: int) -> asyncio.Future[None]:
        """A future that is done at ``due`` (µs of the clock)."""
        reached: asyncio.Future[None] = self._loop.create_future()
        self._enter(reached, due)
        return reached

    def send(
        self, plan: Plan, start: int, stream: Stream, ended: StreamEnded, series: int = 0
    ) -> ActiveStream:
        """Send the plan's frames on ``stream``, due times counted from ``start`` (µs), those
        already due at once. Owns the stream from here on. ``series`` is where the gaps between its
        tokens are counted; 0 leaves them uncounted."""
        return self.play(ActiveStream(plan, start, stream, ended, series))

    def play(self, active: ActiveStream) -> ActiveStream:
        """Send a stream's frames, those already due at once."""
        self._counters.cells[OPENED] += 1
        self.open += 1
        try:
            self._advance(active, self._clock())
        except BaseException:
            if active.stream is not None:
                self._end(active, self._clock(), False)
            raise
        return active

    def resume(self, active: ActiveStream) -> None:
        """Look at a deferred stream again that has got frames, or its end."""
        if active.idle and active.stream is not None:
            active.idle = False
            self._advance(active, self._clock())

    def advance(self, active: ActiveStream, now: int) -> None:
        """Send what is due at ``now`` of a stream that was held elsewhere. What goes wrong ends
        that stream and no other."""
        if active.stream is None:
            return
        try:
            active.look_ahead(active.next, WINDOW)
            self._advance(active, now)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:
            self._broke(active)

    def enter(self, active: ActiveStream, due: int) -> None:
        """Go on with a stream ``due`` µs after its start."""
        self._enter(active, active.start + due)

    def abandon(self, active: ActiveStream) -> None:
        """End a stream before all of it is sent."""
        if active.stream is not None:
            self._end(active, self._clock(), False)

    def _broke(self, active: ActiveStream) -> None:
        log.exception("a stream broke")
        if active.stream is not None:
            self._end(active, self._clock(), False)

    def replaced(self, active: ActiveStream, due: Due) -> ActiveStream:
        """The stream with other times for the frames that have not left, which takes the place of
        ``active``: that one's tick, when it comes, finds nothing to do."""
        other = copy(active)
        other.due = due
        window = other.look_ahead(other.next, WINDOW)
        if not active.idle:
            active.stream = None
            self._enter(other, other.start + window[0])
        return other

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
        self._timer.set(max(tick * TICK - self._clock(), 0))

    def _tick(self) -> None:
        due, self._timer_tick = self._timer_tick, SENDING
        ticks, calendar = self._ticks, self._calendar
        # All of a tick is due within half a tick of its beginning, so once it has begun nothing
        # can come back to it.
        now = self._clock()
        away = max(now - max(due * TICK, self._gave_way), 0)
        self._counters.lag(LOOP_LAG, away)
        limit = now // TICK
        # Streams get as much time as what they gave way to has taken.
        until = now + max(TURN, away)
        while ticks and ticks[0] <= limit:
            tick = heapq.heappop(ticks)
            items = calendar.pop(tick)
            for place, item in enumerate(items):
                now = self._clock()
                if now > until:
                    self._give_way(tick, items[place:], now)
                    return
                try:
                    if isinstance(item, ActiveStream):
                        if item.stream is not None:  # else another one has taken its place
                            self._advance(item, now)
                    elif not item.done():
                        item.set_result(None)
                except (KeyboardInterrupt, SystemExit):
                    raise
                except BaseException:  # the other streams go on; a panic is no Exception
                    if isinstance(item, ActiveStream):
                        self._broke(item)
                    else:
                        log.exception("a wait broke")
        self._timer_tick = NEVER
        if ticks:
            self._set_timer()

    def _give_way(
        self, tick: int, rest: list[ActiveStream | asyncio.Future[None]], now: int
    ) -> None:
        """Leave the rest of a tick for the loop's next turn, so that who arrives is not kept
        waiting."""
        self._gave_way = now
        if tick not in self._calendar:
            heapq.heappush(self._ticks, tick)
        self._calendar[tick] = rest + self._calendar.get(tick, [])
        self._timer_tick = NEVER
        self._set_timer()

    def _advance(self, active: ActiveStream, now: int) -> None:  # noqa: PLR0912  once a chunk
        """Send every frame that is due at ``now`` and come back for the next."""
        elapsed = now - active.start
        horizon = elapsed + TICK // 2
        first = active.next
        window, place = active.window, first - active.offset
        following: int | None
        if place + 1 < len(window) and (at := window[place]) <= horizon < (
            following := window[place + 1]
        ):  # one frame, as nearly always
            stop, worst = first + 1, elapsed - at
            self._counters.late(worst, 1)
        else:
            stop, worst, following = self._count_due(active, elapsed)
        if stop > first:
            if worst > active.latest:  # noqa: PLR1730  max() takes three times as long
                active.latest = worst
            if not active.stream.send(active.frames.join(first, stop)):  # type: ignore[union-attr]
                self._end(active, now, False)
                return
            if active.first >= 0:
                if active.series:
                    self._counters.apart(active.series, now - active.sent)
            elif active.ttft <= horizon:  # frames before that hold no token
                active.first = elapsed
            active.sent = now
            active.next = stop
        if following is not None:
            if following <= horizon:  # more was due than is sent at once: others have their turn
                following = elapsed + TICK
            if active.elsewhere is None:
                self._enter(active, active.start + following)
            else:
                active.elsewhere.enter(active, following)
        elif active.complete:
            self._end(active, now, True)
        else:
            active.idle = True

    def _count_due(self, active: ActiveStream, elapsed: int) -> tuple[int, int, int | None]:
        """Count the frames that are due, as many as leave at once. Gives the first one that stays,
        by how much the first one that leaves is late, and when the one that stays is due; None if
        there is none yet."""
        horizon = elapsed + TICK // 2
        most = active.next + MOST_FRAMES
        place, window = active.next - active.offset, active.window
        ahead = WINDOW
        worst: int | None = None
        while True:
            end = min(len(window), most - active.offset)
            while place < end and (at := window[place]) <= horizon:
                run = place
                place = bisect_right(window, at, place, end)
                self._counters.late(elapsed - at, place - run)
                if worst is None:
                    worst = elapsed - at
            if place < len(window):
                return active.offset + place, worst or 0, window[place]
            place, window = 0, active.look_ahead(active.offset + place, ahead)
            if not window:
                return active.offset, worst or 0, None
            ahead *= 4  # what is late, or not paced, is many frames

    def _end(self, active: ActiveStream, now: int, whole: bool) -> None:
        stream, active.stream = active.stream, None
        self._counters.cells[CLOSED] += 1
        self.open -= 1
        end = (now - active.start) / 1e6
        # Counted before the client can see the end: a worker killed in between has shown no one.
        try:
            active.ended(whole, active.first / 1e6, end, active.latest / 1e6, active.next)
        finally:
            stream.close()  # type: ignore[union-attr]
