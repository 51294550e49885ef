"""Writes answers of models under load: when is decided by the steps of a replica."""

from __future__ import annotations

from msgspec import structs

from llmsim.core import ConnectionEnd, Plan
from llmsim.core.errors import BadRequest
from llmsim.core.load.sequence_plan import SequencePlan
from llmsim.core.state import StepClocks
from llmsim.pipeline.context import Call
from llmsim.server.lifecycle import CLIENT_GONE, RequestLifecycle
from llmsim.server.load.unattended import Replanned, UnattendedAnswers
from llmsim.server.response_writer import ResponseWriter, response_head, timing, watched
from llmsim.transport.load.step_scheduler import (
    Replica,
    ReplicaPlace,
    SteppedStream,
    StepScheduler,
    early,
)
from llmsim.transport.output_lag import CountedStream
from llmsim.transport.port import Gone, Port
from llmsim.transport.scheduler import Scheduler, now_us


class LoadWriter:
    """Has answers wait for their place in a replica, and writes them as its steps go on.

    A client that leaves, whenever that is, gives the place back at once.
    """

    def __init__(self, writer: ResponseWriter, scheduler: Scheduler, clocks: StepClocks) -> None:
        self._writer = writer
        self._steps = StepScheduler(scheduler, clocks)
        self._unattended = UnattendedAnswers(scheduler, self._steps)

    async def write(self, port: Port, call: Call, lifecycle: RequestLifecycle, plan: Plan) -> None:
        """Write an answer with a ``sequence``. Raises Gone if the client leaves before its first
        byte, and BadRequest where no more answers may wait."""
        planned = plan.sequence
        assert planned is not None
        replica = self._steps.replica(planned)
        if plan.stream and lifecycle.recorder is not None:
            plan = lifecycle.recorder.watched(plan)
        if plan.stream and early(plan.due, plan.ttft):
            await self._begun(port, call, lifecycle, plan, replica)
            return
        sequence = await self._joined(port, lifecycle.start, planned, replica)
        try:
            plan = await self._first(port, lifecycle.start, plan, sequence)
            if plan.ending is ConnectionEnd.UNANSWERED:
                sequence.leave()
                now = now_us()
                lifecycle.sent(plan.status, now, now - lifecycle.start - int(plan.ttft * 1e6))
                port.peer().hang_up(reset=True)
            elif plan.stream or plan.length is not None:
                self._stream(port, call, lifecycle, plan, sequence)
            else:
                await self._whole(port, call, lifecycle, plan, sequence)
        except BaseException:
            sequence.leave()
            raise

    def unattended(self, plan: Plan, start: int, replanned: Replanned) -> None:
        """An answer that nobody waits for takes its place, too, from its begin to its end;
        ``replanned`` is told when that is."""
        if plan.sequence is not None:
            self._unattended.follow(plan.sequence, start, replanned)

    async def _begun(
        self, port: Port, call: Call, lifecycle: RequestLifecycle, plan: Plan, replica: Replica
    ) -> None:
        """A stream whose first frames need no token and leave when they are due."""
        planned, start = plan.sequence, lifecycle.start
        assert planned is not None
        await self._writer.reach(start + round(plan.due[0] * 1e6), port)
        head = response_head(call, lifecycle, plan, None)
        stream = self._writer.opened(port, lifecycle, plan, head)
        ended = _Ended(lifecycle)
        active = ended.active = SteppedStream(
            plan, start, stream, ended, lifecycle.series, self._steps, None
        )
        self._play(active, lifecycle)
        try:
            ended.sequence = sequence = await self._joined(port, start, planned, replica)
            await watched(sequence.known, port)
        except (BadRequest, Gone):  # the response is open, so this is its end
            self._steps.abandon(active)
            return
        except BaseException:
            self._steps.abandon(active)
            raise
        if active.stream is not None:
            self._steps.go_on(active, sequence)

    async def _joined(
        self, port: Port, start: int, planned: SequencePlan, replica: Replica
    ) -> ReplicaPlace:
        """A place in the replica, once the request's overhead is over."""
        due = start + round(planned.begins * 1e6)
        if due > now_us():
            await self._writer.reach(due, port)
        return replica.join(planned, due)

    async def _first(self, port: Port, start: int, plan: Plan, sequence: ReplicaPlace) -> Plan:
        """The plan with its real TTFT, when that has come."""
        planned = sequence.plan
        await watched(sequence.known, port)
        steps = planned.steps_to(plan.due[0]) if plan.stream else planned.hidden
        await watched(self._steps.reach(sequence, steps), port)
        ttft = max(sequence.due(planned.hidden) - start, 0) / 1e6
        return structs.replace(plan, ttft=ttft)

    def _stream(
        self,
        port: Port,
        call: Call,
        lifecycle: RequestLifecycle,
        plan: Plan,
        sequence: ReplicaPlace,
    ) -> None:
        known = ("server-timing", f"ttft;dur={plan.ttft * 1e3:.3f}")
        head = response_head(call, lifecycle, plan, known)
        stream = self._writer.opened(port, lifecycle, plan, head)
        ended = _Ended(lifecycle, sequence)
        active = SteppedStream(
            plan, lifecycle.start, stream, ended, lifecycle.series, self._steps, sequence
        )
        ended.active = active
        self._play(active, lifecycle)

    def _play(self, active: SteppedStream, lifecycle: RequestLifecycle) -> None:
        if lifecycle.recorder is not None:
            active.watch = lifecycle.recorder.due_at
        if isinstance(active.stream, CountedStream):
            active.stream.sender = active
        self._steps.play(active)

    async def _whole(
        self,
        port: Port,
        call: Call,
        lifecycle: RequestLifecycle,
        plan: Plan,
        sequence: ReplicaPlace,
    ) -> None:
        await watched(self._steps.reach(sequence, sequence.plan.steps), port)
        start, now = lifecycle.start, now_us()
        due = min(sequence.due(sequence.plan.steps), now)
        plan = structs.replace(plan, total=(due - start) / 1e6)
        lifecycle.replanned(plan.ttft, plan.total)
        head, body = response_head(call, lifecycle, plan, timing(plan)), plan.frames[0]
        if lifecycle.recorder is not None:
            lifecycle.recorder.answered(head, body)
        stream = port.open(plan.status, [*head, ("content-length", str(len(body)))])
        status = plan.status if stream.send(body) else CLIENT_GONE
        lifecycle.sent(status, now, now - due)
        stream.close()


class _Ended:
    """Called when a stream ends: gives its place back, and remembers its times as planned."""

    __slots__ = ("_lifecycle", "active", "sequence")

    def __init__(self, lifecycle: RequestLifecycle, sequence: ReplicaPlace | None = None) -> None:
        self._lifecycle = lifecycle
        self.sequence = sequence
        self.active: SteppedStream | None = None

    def __call__(
        self, whole: bool, first: float, end: float, lateness: float, sent: int, /
    ) -> None:
        active, self.active = self.active, None
        if self.sequence is not None and not whole:
            self.sequence.leave()
        if active is not None and active.planned[0] >= 0:
            self._lifecycle.replanned(active.planned[0] / 1e6, active.planned[1] / 1e6)
        self._lifecycle.ended(whole, first, end, lateness, sent)
