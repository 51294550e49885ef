"""Sends what is due by a replica's steps, whose duration changes while answers are sent.

The times of such an answer are no times but steps: it is due when the replica's step clock, which
all workers share (:mod:`llmsim.core.load.step_clock`), has come so far. For each replica a worker
has a calendar of its own answers by V, in ticks of 1/64 of a step, and one alarm: the time at
which V reaches the first of them, or the clock's next event, which may change how fast it goes.
When it comes the clock is looked at, all that is due is handed to the scheduler with the times
that V gives it, and the rest stays where it is, however slow or fast the clock goes on. Nothing
is moved when a step's duration changes.

A look that takes longer than a millisecond gives way to what else the loop has to do, as a tick of
the scheduler does.

Where the clock quickens without an event that could be foreseen (a sequence of another worker
leaves), the look that comes every :data:`LOOK` finds it.

    an answer's sequence   until                           what it waits for
    planned                its request's overhead is over  a time; nobody else knows of it
    waiting                the last step of its prefill    its turn; then it knows its first V
    running                its last V                      steps
    ended, or left         for good; who leaves before its end gives the place back at once
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np

from llmsim.core import Due, Plan
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.load.sequence_plan import SequencePlan
from llmsim.core.state import QUEUE_FULL, StepClocks
from llmsim.transport.port import Stream
from llmsim.transport.scheduler import (
    NEVER,
    TICK,
    TURN,
    WINDOW,
    ActiveStream,
    Scheduler,
    StreamEnded,
)
from llmsim.transport.timer import Timer

PARTS: Final = 64
"""Ticks of a replica's calendar in a step."""
LOOK: Final = 50_000
"""µs after which a clock is looked at that others may have quickened."""
LEAD: Final = TICK / 2e6
"""Seconds by which what is due leaves early at most, as in the scheduler's own calendar."""
PARKED: Final = NEVER
"""In place of a due time: whatever comes is not due by now."""

HELD_BY_TIME: Final = -1
HELD_BY_NOBODY: Final = -2
"""In place of a stream's tick: its next frame is due by time; or its first V is not known."""

LOOKING: Final = -1
"""In place of the timer's time while replicas are looked at: none is set then."""

Pending: TypeAlias = "SteppedStream | asyncio.Future[None]"


def tick_of(steps: float) -> int:
    """The tick of a V."""
    return math.floor(steps * PARTS + 0.5)


class ReplicaPlace:
    """One answer's place in a replica. ``known`` is done once ``first`` is: the V at the end of
    its prefill."""

    __slots__ = ("first", "known", "plan", "replica", "ticket")

    def __init__(self, plan: SequencePlan, replica: Replica, ticket: int) -> None:
        self.plan = plan
        self.replica = replica
        self.ticket = ticket
        self.first = 0.0
        self.known: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def due(self, steps: float) -> int:
        """When V is ``steps`` after the prefill (µs), as the clock goes now."""
        return round(self.replica.clock.time_of(self.first + steps) * 1e6)

    @property
    def tickets(self) -> range:
        """Those of the answer's choices; the first is that of the longest."""
        return range(self.ticket, self.ticket + 1 + len(self.plan.others))

    def leave(self) -> None:
        """Give the place back; one that has ended has none."""
        self.replica.leave(self)


class SteppedStream(ActiveStream):
    """A stream whose tokens are due by steps. What is due before its TTFT, and needs no token, is
    due by time.

    ``planned`` are the due times of its first and its last token, as far as they are known: µs
    after its start, −1 until then. ``tick`` is that of its next frame. ``watch`` is told when
    frames are due, from which one on: µs after the start, those that are due by now; or is None.
    """

    __slots__ = ("_ahead", "_begins", "_early", "_ticks", "planned", "sequence", "tick", "watch")

    def __init__(
        self,
        plan: Plan,
        start: int,
        stream: Stream,
        ended: StreamEnded,
        series: int,
        holder: StepScheduler,
        sequence: ReplicaPlace | None,
    ) -> None:
        super().__init__(plan, start, stream, ended, series)
        self.sequence = sequence
        self.planned = [-1, -1]
        self.tick = 0
        # The plan may have its real TTFT by now; its due times are still those of one alone.
        self._early = early(plan.due, plan.ttft if plan.sequence is None else plan.sequence.ttft)
        self._ahead: list[float] = []
        self._ticks: list[int] = []
        self._begins = 0
        self.elsewhere = holder
        self.watch: Callable[[int, Sequence[int]], None] | None = None

    def look_ahead(self, frame: int, count: int) -> list[int]:
        """Those of the next frames, from ``frame`` on, that are due by now, in µs after the start;
        then :data:`PARKED` if there are more. What is due by time is all there before that."""
        place, ticks, sequence = frame - self._begins, self._ticks, self.sequence
        if sequence is not None and 0 < place < len(ticks) - 1 and self.planned[0] >= 0:
            replica = sequence.replica
            if ticks[place] <= replica.reached < ticks[place + 1]:  # one, as nearly always
                clock, self.tick = replica.clock, ticks[place + 1]
                steps = self._ahead[place] - clock.steps
                at = round((clock.time + steps * clock.step) * 1e6) - self.start
                self.planned[1] = at = min(at, replica.now - self.start + TICK // 2)
                self.offset, self.window = frame, [at, PARKED]
                if self.watch is not None:
                    self.watch(frame, (at,))
                return self.window
        self.offset = frame
        window: list[int] = []
        self.window = window
        if frame >= len(self.due):
            return window
        if frame < self._early:
            times = self.due[frame : self._early]
            window.extend((times * 1e6).astype(int).tolist())
            window.append(PARKED)
        elif self.sequence is None or not self.sequence.known.done():
            window.append(PARKED)
        else:
            self._due_by_now(frame, self.sequence)
        if self.watch is not None:
            self.watch(frame, window[:-1] if window[-1] == PARKED else window)
        return window

    def leaving(self, now: int) -> list[int]:
        """When those frames were due (µs of the clock) that leave at ``now``; of the last ones of
        an answer, which are followed by none, nobody knows any more."""
        start, latest = self.start, now + TICK // 2
        times = self.window[self.next - self.offset :] if self.next >= self.offset else []
        return [due + start for due in times if due + start <= latest]

    def _due_by_now(self, frame: int, sequence: ReplicaPlace) -> None:
        window, replica, start = self.window, sequence.replica, self.start
        latest, reached, clock = replica.now - start + TICK // 2, replica.reached, replica.clock
        step, begins = clock.step * 1e6, clock.time * 1e6 - start
        count = len(self.due)
        while frame < count:
            place = frame - self._begins
            if not 0 <= place < len(self._ahead):
                self._look_up(frame, sequence)
                place = 0
            if self._ticks[place] > reached:
                self.tick = self._ticks[place]
                window.append(PARKED)
                break
            at = round(begins + (self._ahead[place] - clock.steps) * step)
            window.append(at if at < latest else latest)
            frame += 1
        if window and window[0] != PARKED:
            if self.planned[0] < 0:
                self.planned[0] = window[0]
            self.planned[1] = window[-2] if window[-1] == PARKED else window[-1]

    def _look_up(self, frame: int, sequence: ReplicaPlace) -> None:
        """At which V, and in which ticks, the next frames are due, from ``frame`` on."""
        plan = sequence.plan
        times = self.due[frame : frame + WINDOW]
        steps = (times - plan.ttft) / plan.step + (sequence.first + plan.hidden)
        self._begins, self._ahead = frame, steps.tolist()
        self._ticks = np.floor(steps * PARTS + 0.5).astype(np.int64).tolist()


def early(due: Due, ttft: float) -> int:
    """How many frames need no token: they are due before the first one."""
    count = 0
    while count < len(due) and due[count] < ttft:
        count += 1
    return count


class Replica:
    """One replica as this worker sees it: its sequences here, by the V at which they go on.

    ``clock`` is its step clock as it was at ``now`` (µs), when V had ``reached`` a tick.
    """

    __slots__ = (
        "_calendar",
        "_clocks",
        "_gave_way",
        "_index",
        "_let_in",
        "_scheduler",
        "_ticks",
        "_waiting",
        "alarm",
        "clock",
        "looking",
        "now",
        "reached",
    )

    def __init__(self, scheduler: StepScheduler, clocks: StepClocks, index: int) -> None:
        self._scheduler = scheduler
        self._clocks = clocks
        self._index = index
        self._waiting: deque[ReplicaPlace] = deque()
        self._let_in: list[ReplicaPlace] = []
        self._calendar: dict[int, list[Pending]] = {}
        self._ticks: list[int] = []
        self._gave_way = 0
        self.alarm = NEVER
        self.looking = False
        self.look(scheduler.clock())

    def full(self) -> bool:
        """Whether no more sequences may wait."""
        return self.clock.next - self.clock.head >= self.clock.line.room

    def join(self, plan: SequencePlan, due: int) -> ReplicaPlace:
        """A place in the replica, or in the line before it, from ``due`` (µs) on. Raises
        BadRequest where the line is full."""
        now = self._scheduler.clock()
        at = min(due, now) / 1e6
        ticket = self._clocks.join(self._index, plan.cost, at, plan.prompt, plan.steps, plan.others)
        if ticket is None:
            raise BadRequest(Failure(FailureKind.OVERLOADED, QUEUE_FULL))
        sequence = ReplicaPlace(plan, self, ticket)
        self._waiting.append(sequence)
        self.look(now)
        return sequence

    def leave(self, sequence: ReplicaPlace) -> None:
        """A sequence gives its place back."""
        for those in (self._waiting, self._let_in):
            if sequence in those:
                those.remove(sequence)
        now = self._scheduler.clock()
        self._clocks.leave(self._index, now / 1e6, sequence.tickets)
        self.look(now)

    def enter(self, item: Pending, tick: int) -> None:
        """Go on with it when V has come to that tick."""
        there = self._calendar.get(tick)
        if there is not None:
            there.append(item)
            return
        self._calendar[tick] = [item]
        heapq.heappush(self._ticks, tick)

    def look(self, now: int) -> None:
        """Look at the clock: go on with all that is due."""
        self.looking = True
        self.read(now)
        if self._let_in or (self._waiting and self._waiting[0].ticket < self.clock.head):
            self._begin_sequences()
        # What is due gets as much time as what it gave way to has taken.
        until = now + max(TURN, now - self._gave_way if self._gave_way else 0)
        self._gave_way = 0
        while self._ticks and self._ticks[0] <= self.reached and not self._gave_way:
            tick = heapq.heappop(self._ticks)
            items = self._calendar.pop(tick)
            for place, item in enumerate(items):
                now = self._scheduler.clock()
                if now > until:  # the loop has other things to do, too
                    self._gave_way = now
                    self._put_back(tick, items[place:])
                    break
                if isinstance(item, SteppedStream):
                    self._scheduler.advance(item, now)
                elif not item.done():
                    item.set_result(None)
        self.looking = False
        self.set_alarm(now)

    def _put_back(self, tick: int, rest: list[Pending]) -> None:
        """Leave the rest of a tick for the loop's next turn."""
        if tick not in self._calendar:
            heapq.heappush(self._ticks, tick)
        self._calendar[tick] = rest + self._calendar.get(tick, [])

    def read(self, now: int) -> None:
        self.now = now
        self.clock = clock = self._clocks.read(self._index, now / 1e6)
        if clock.change == math.inf:  # it stands still: every sequence has ended
            self.reached = NEVER
        else:
            self.reached = tick_of(clock.steps_at(now / 1e6 + LEAD))

    def _begin_sequences(self) -> None:
        """Tell those whose prefill ends, or has ended, when that is."""
        head = self.clock.head
        while self._waiting and self._waiting[0].ticket < head:
            self._let_in.append(self._waiting.popleft())
        still: list[ReplicaPlace] = []
        for sequence in self._let_in:
            first = self.clock.first(sequence.ticket, sequence.plan.steps)
            if first is None:
                still.append(sequence)
            else:
                sequence.first = first
                if not sequence.known.done():
                    sequence.known.set_result(None)
        self._let_in = still

    def set_alarm(self, now: int) -> None:
        """Come back when V reaches the next tick, at the clock's next event, or to look."""
        if not (self._ticks or self._waiting or self._let_in):
            self.alarm = NEVER
            return
        clock = self.clock
        steps = clock.change
        if self._ticks:
            steps = min(steps, self._ticks[0] / PARTS)
        due = now + LOOK
        if steps != math.inf:
            due = min(due, round(clock.time_of(steps) * 1e6))
        self.alarm = max(due, now + 1)
        self._scheduler.set_alarm(self.alarm)


class StepScheduler:
    """The replicas of one worker, and one timer for all of them."""

    def __init__(self, scheduler: Scheduler, clocks: StepClocks) -> None:
        self._scheduler = scheduler
        self._clocks = clocks
        self._replicas: dict[int, Replica] = {}
        self._timer: Timer | None = None
        self._alarm = NEVER

    def clock(self) -> int:
        """Now, in µs of the scheduler's clock."""
        return self._scheduler.clock()

    def advance(self, active: SteppedStream, now: int) -> None:
        """Send what is due of a stream."""
        self._scheduler.advance(active, now)

    def replica(self, plan: SequencePlan) -> Replica:
        """The replica whose turn it is. Raises BadRequest where nobody more may wait for it."""
        index = self._clocks.find(plan.model, plan.replicas)
        replica = self._replicas.get(index)
        if replica is None:
            replica = self._replicas[index] = Replica(self, self._clocks, index)
        replica.read(self.clock())
        if replica.full():
            raise BadRequest(Failure(FailureKind.OVERLOADED, QUEUE_FULL))
        return replica

    def reach(self, sequence: ReplicaPlace, steps: float) -> asyncio.Future[None]:
        """A future that is done ``steps`` after the prefill of a sequence, which has begun."""
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sequence.replica.enter(reached, tick_of(sequence.first + steps))
        sequence.replica.look(self.clock())
        return reached

    def play(self, active: SteppedStream) -> None:
        """Send a stream's frames: those that need no token by time, and tokens by steps, if the
        first V of its sequence is known, or else once :meth:`go_on` has been called."""
        if active.sequence is not None:
            active.sequence.replica.read(self.clock())
        self._scheduler.play(active)

    def abandon(self, active: SteppedStream) -> None:
        """End a stream that has no place any more: its client has left, or may not wait."""
        self._scheduler.abandon(active)

    def go_on(self, active: SteppedStream, sequence: ReplicaPlace) -> None:
        """Send the tokens of a stream, too: the first V of its sequence is known."""
        active.sequence = sequence
        now = self.clock()
        sequence.replica.read(now)
        active.ttft = min(active.ttft, now - active.start)  # what left before held no token
        if active.tick == HELD_BY_NOBODY:
            self._scheduler.advance(active, now)

    def enter(self, active: SteppedStream, due: int) -> None:
        """Hold a stream until its next frame is due: see
        :class:`~llmsim.transport.scheduler.Elsewhere`."""
        if due != PARKED:
            active.tick = HELD_BY_TIME
            self._scheduler.enter(active, due)
        elif active.sequence is not None and active.sequence.known.done():
            replica = active.sequence.replica
            replica.enter(active, active.tick)
            if not replica.looking:
                replica.set_alarm(self.clock())
        else:
            active.tick = HELD_BY_NOBODY

    def set_alarm(self, alarm: int) -> None:
        """Look at the replicas at that time (µs), if not before."""
        if alarm < self._alarm:
            self._alarm = alarm
            if self._timer is None:
                self._timer = self._scheduler.timer(asyncio.get_running_loop(), self._look)
            self._timer.set(max(alarm - self.clock(), 0))

    def _look(self) -> None:
        now, self._alarm = self.clock(), LOOKING
        try:
            for replica in self._replicas.values():
                if replica.alarm <= now:
                    replica.look(now)
        finally:
            self._alarm = NEVER
            self.set_alarm(min(replica.alarm for replica in self._replicas.values()))
