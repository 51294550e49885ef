"""What is counted and remembered of one request, in one place.

    state      entered by                      what is counted then
    received   RequestLifecycle()              started; the journal gives it a number
    planned    planned(call, plan, answer)     the journal has what was asked and what is planned
    finished   sent, ended, refused, left,     the journal has how it went; tokens, times and the
               unawaited: each of them once    failure are counted; limits that are held are settled

A request is finished *before* its client can see the end of the answer: a worker that is killed
in between has told nobody. One that is killed earlier leaves the request open; whoever takes over
its slot counts it as lost. A client that leaves before anything is planned finishes it, too.
"""

from __future__ import annotations

import asyncio
import time

from llmsim.core import Plan, Reached, Stamp, Usage, tokens_sent
from llmsim.core.errors import Failure
from llmsim.core.state import HeldLimits
from llmsim.pipeline.context import Call
from llmsim.server.journal.recorder import Recorders, RequestRecorder
from llmsim.state.shm.journal import NOWHERE, SLICE, Journal, code, tags
from llmsim.state.shm.layout import ARRIVAL_LAG
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.scheduler import now_us

CLIENT_GONE = 499
NO_TOKENS = (0, 0, 0, 0)
NEVER = -1.0
"""In place of a time: to the first token of an answer without any, to the end of one that its
client left."""


class RequestLifecycle:
    """One request, as counters and journal see it.

    ``start`` is its arrival in µs of the scheduler's clock, ``arrived`` the same as a Unix time:
    until its body is read, when its handler began.
    Of call and plan only what is counted at the end is kept: a stream may be open for long.
    """

    __slots__ = (
        "_counters",
        "_journal",
        "_reached",
        "_recorders",
        "_shown",
        "arrival_lag",
        "arrived",
        "endpoint",
        "failure",
        "finished",
        "held",
        "mark",
        "model",
        "number",
        "recorder",
        "series",
        "start",
        "status",
        "streamed",
        "tokens",
        "ttft",
    )

    def __init__(
        self,
        endpoint: str,
        counters: WorkerCounters,
        journal: Journal,
        recorders: Recorders | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._recorders = recorders
        self.recorder: RequestRecorder | None = None
        self._counters = counters
        self._journal = journal
        self.start = now_us()
        self.arrived = time.time()
        self.number = journal.reserve()
        self.mark = journal.mark(self.number)
        self.model = ""
        self.status = 0
        self.streamed = False
        self.tokens = NO_TOKENS
        self.series = 0
        self.ttft = NEVER
        self._shown = 0
        self._reached: Reached | None = None
        self.failure: Failure | None = None
        self.held: HeldLimits | None = None
        self.arrival_lag = 0.0
        self.finished = False
        counters.started()

    def stamp(self) -> Stamp:
        """What the answer's ids are made of."""
        return Stamp(self.mark, int(self.arrived))

    def received(self, arrival: int, read: int) -> None:
        """The request, whose body was read at ``read``, arrived at ``arrival`` (µs of the
        scheduler's clock)."""
        self.arrived += (arrival - self.start) / 1e6
        self.start = arrival
        lag = read - arrival
        self.arrival_lag = lag / 1e6
        self._counters.lag(ARRIVAL_LAG, lag)

    async def remember(self, call: Call, plan: Plan, answer: bytes = b"") -> None:
        """As :meth:`planned`, but what is large is written in parts, with time for others."""
        place = NOWHERE
        if len(call.body) + len(answer) > SLICE:
            named = self.endpoint, call.model, tags(call.caller, call.mock)
            written = self._journal.written(*named, call.body, answer)
            for place in written:  # noqa: B007  the last one is as good as any
                await asyncio.sleep(0)
        self.planned(call, plan, answer, place)

    def planned(self, call: Call, plan: Plan, answer: bytes = b"", place: int = NOWHERE) -> None:
        """Remember what was asked and what is planned. ``answer`` is the whole of it where it
        can be asked for later; ``place`` is where the journal has it already."""
        self.held = call.held
        self.model = call.model
        self.status = plan.status
        self.streamed = plan.stream
        self.failure = plan.failure
        if plan.stream:
            self.series = self._counters.series(self.endpoint, call.model, True)
        completion = plan.completion
        if completion is None:
            self.ttft, self.tokens = NEVER, NO_TOKENS
        else:
            self.ttft = plan.ttft
            usage = completion.usage
            self.tokens = (usage.prompt, usage.completion, usage.reasoning, usage.cached)
            if plan.reached is not None:
                self._reached = plan.reached
                self._shown = sum([choice.tokens for choice in completion.choices])
        self._journal.begin(
            self.number,
            self.endpoint,
            call.model,
            call.body,
            self.arrived,
            (plan.ttft, plan.total),
            len(plan.due),
            plan.seed,
            answer,
            self.arrival_lag,
            plan.stream,
            tags(call.caller, call.mock, call.scope),
            place,
        )
        if self._recorders is not None and self.recorder is None:
            self.recorder = self._recorders.recorder(call, plan, self.start)

    def replanned(self, ttft: float, total: float) -> None:
        """The times that were planned are known only now, in seconds after arrival."""
        self.ttft = ttft
        self._journal.replan(self.number, ttft, total)

    def retimed(self, ttft: float, total: float) -> None:
        """Of an answer that nobody waits for other times are planned, in seconds after arrival."""
        self._journal.replan(self.number, ttft, total)

    def amend(self, usage: Usage | None, failure: Failure | None) -> None:
        """A deferred plan has told what is to be counted; None leaves it as it was planned."""
        if usage is not None:
            self.tokens = (usage.prompt, usage.completion, usage.reasoning, usage.cached)
            self._reached = None
        if failure is not None:
            self.failure = failure

    def output(self, lag: float, late: float) -> None:
        """The kernel had a frame of the answer ``lag`` seconds after it had left, ``late`` after it
        was due; negative where that is not known."""
        self._journal.output(self.number, lag, late)

    def sent(self, status: int, now: int, late: int) -> None:
        """A plain answer leaves at ``now``, ``late`` µs after it was due."""
        self._counters.late(late, 1)
        took = (now - self.start) / 1e6
        lateness = max(late, 0) / 1e6
        if self.ttft >= 0:  # the first token was there, and is as late as the others
            self.ttft += lateness
        if status == CLIENT_GONE or self.failure is not None:
            self._only_sent(0)
        self._finish(status, took, took, lateness, int(status != CLIENT_GONE))

    def ended(self, whole: bool, first: float, end: float, lateness: float, sent: int) -> None:
        """A stream ends: see :class:`~llmsim.transport.scheduler.StreamEnded`."""
        self.ttft = first
        if not whole or self.failure is not None:
            self._only_sent(sent)
        self._finish(self.status if whole else CLIENT_GONE, first, end, lateness, sent)

    def refused(self) -> None:
        """The failure that was planned leaves now."""
        took = (now_us() - self.start) / 1e6
        self._finish(self.status, took, took, 0.0, 1)

    def left(self, call: Call) -> None:
        """The client closed its connection before the first byte of the answer."""
        self.held = call.held
        self.model = call.model
        self._only_sent(0)
        took = (now_us() - self.start) / 1e6
        self._finish(CLIENT_GONE, took, took, 0.0, 0)

    def _only_sent(self, frames: int) -> None:
        """Of the answer's tokens those count that its client got with so many frames. An answer
        that is not streamed is whole or of no use; where nobody knows, all count."""
        reached = self._reached
        if reached is None and self.streamed and frames:
            return
        with_them = reached[min(frames, len(reached)) - 1] if reached is not None and frames else 0
        prompt, completion, reasoning, cached = self.tokens
        completion, reasoning = tokens_sent(completion, reasoning, self._shown, with_them)
        self.tokens = (prompt, completion, reasoning, cached)
        if not with_them:
            self.ttft = NEVER

    def unawaited(self, plan: Plan) -> None:
        """An answer that nobody waits for counts as sent now, after the time it was planned to
        take; what its client sees later says nothing about latency."""
        end = plan.total
        failure = plan.failure
        self._journal.end(
            self.number, plan.status, end, end, 0.0, 1, self.tokens, code(failure), self._details()
        )
        row = self._counters.row(self.endpoint, self.model, plan.status)
        failed = plan.failure is not None
        if plan.failure is not None:
            self._counters.failed(plan.failure.kind, plan.failure.injected)
        self._counters.finished(row, self.start // 1_000_000, self.tokens, False, failed)

    def _finish(self, status: int, first: float, end: float, lateness: float, sent: int) -> None:
        if self.finished:  # something broke after the answer had left
            return
        self.finished = True
        counters = self._counters
        tokens, failed = self.tokens, False
        if self.status:
            why = 0 if self.failure is None or status == CLIENT_GONE else code(self.failure)
            details = b"" if self.recorder is None else self._details()
            self._journal.end(self.number, status, first, end, lateness, sent, tokens, why, details)
        if status != CLIENT_GONE:
            series = self.series or counters.series(self.endpoint, self.model, False)
            counters.timed(series, end, self.ttft)
            if self.failure is not None:
                failed = True
                counters.failed(self.failure.kind, self.failure.injected)
        elif self.series and self.ttft >= 0:  # a stream that its client left after its first token
            counters.timed(self.series, NEVER, self.ttft)
        row = counters.row(self.endpoint, self.model, status)
        second = (self.start + int(end * 1e6)) // 1_000_000
        if self.held is not None:
            self.held.settle(tokens)
            self.held = None
        counters.finished(row, second, tokens, self.streamed, failed)

    def _details(self) -> bytes:
        """What is kept of the request beside its record, now that it has ended."""
        recorder, self.recorder = self.recorder, None
        return b"" if recorder is None else recorder.ended(self.failure, self.held, self.tokens)


def count_refusal(counters: WorkerCounters, endpoint: str, status: int, failure: Failure) -> None:
    """Count a request that is refused by its head alone: it has no place in the journal."""
    counters.started()
    counters.failed(failure.kind, failure.injected)
    row = counters.row(endpoint, "", status)
    counters.finished(row, now_us() // 1_000_000, NO_TOKENS, False, True)
