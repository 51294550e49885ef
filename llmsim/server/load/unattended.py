"""Answers of models under load that nobody waits for: background responses, batches, runs.

How far they have come others tell by their planned times and the clock. Under load these are not
known before, so they are said again and again: what has not happened yet is at least
:data:`AHEAD` away, and when it happens its time is said at once. So nothing is said to be over
that is not; and what a worker that dies was busy with is over soon after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeAlias

from llmsim.core.errors import BadRequest
from llmsim.core.load.sequence_plan import SequencePlan
from llmsim.transport.load.step_scheduler import Replica, ReplicaPlace, StepScheduler
from llmsim.transport.scheduler import Scheduler

PERIOD: Final = 1.0
"""Seconds between two times that the same is said."""
AHEAD: Final = 2.0
"""Seconds from now at least, for what has not happened yet."""

Replanned: TypeAlias = Callable[[float, float], None]
"""Told, as often as they change, when the first and the last token exist: seconds after the
arrival of the request."""


class UnattendedAnswers:
    """Those of one worker."""

    def __init__(self, scheduler: Scheduler, steps: StepScheduler) -> None:
        self._scheduler = scheduler
        self._steps = steps
        self._followed: set[asyncio.Task[None]] = set()

    def follow(self, planned: SequencePlan, start: int, replanned: Replanned) -> None:
        """Have an answer, whose request arrived at ``start`` (µs), take its place."""
        decoding = (planned.steps - planned.hidden) * planned.step
        replanned(planned.ttft + AHEAD, planned.ttft + decoding + AHEAD)
        task = asyncio.ensure_future(self._follow(planned, start, replanned))
        self._followed.add(task)
        task.add_done_callback(self._followed.discard)

    async def _follow(self, planned: SequencePlan, start: int, replanned: Replanned) -> None:
        due = start + round(planned.begins * 1e6)
        await self._scheduler.reach(due)
        place = await self._joined(planned, due, start, replanned)
        begun = self._soon(start)
        while not place.known.done():
            begun = self._soon(start)
            replanned(begun, begun + planned.steps * planned.step)
            await _happens(place.known)
        first = self._steps.reach(place, planned.hidden)
        last = self._steps.reach(place, planned.steps)
        known = False
        while not last.done():
            place.replica.read(self._steps.clock())
            if not known:
                known = first.done()
                begun = self._time(place, planned.hidden, start, known)
            replanned(begun, self._time(place, planned.steps, start, False))
            await _happens(last if known else first)
        if not known:
            begun = self._time(place, planned.hidden, start, True)
        replanned(begun, self._time(place, planned.steps, start, True))

    async def _joined(
        self, planned: SequencePlan, due: int, start: int, replanned: Replanned
    ) -> ReplicaPlace:
        """A place in a replica, as soon as there is room in the line before it."""
        while True:
            try:
                replica: Replica = self._steps.replica(planned)
                return replica.join(planned, due)
            except BadRequest:
                begun = self._soon(start)
                replanned(begun, begun + planned.steps * planned.step)
                await asyncio.sleep(PERIOD)

    def _soon(self, start: int) -> float:
        return (self._steps.clock() - start) / 1e6 + AHEAD

    def _time(self, place: ReplicaPlace, steps: float, start: int, past: bool) -> float:
        """When V is that, which has happened or not, in seconds after the start."""
        now = (self._steps.clock() - start) / 1e6
        due = (place.due(steps) - start) / 1e6
        return min(due, now) if past else max(due, now + AHEAD)


async def _happens(event: asyncio.Future[None]) -> None:
    """Wait for it, for a :data:`PERIOD` at most."""
    await asyncio.wait((event,), timeout=PERIOD)
