"""One request's place in the books: what was asked of which endpoint, and how it went."""

from __future__ import annotations

import logging
import time
from typing import Protocol

from llmsim.core import Headers, Plan, Stamp
from llmsim.core import Request as Ask
from llmsim.core.errors import Failure, FailureKind
from llmsim.engine.plan import failed
from llmsim.providers.provider import Endpoint
from llmsim.state.shm.journal import Journal
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.port import Port
from llmsim.transport.scheduler import now_us

CLIENT_GONE = 499
NO_TOKENS = (0, 0, 0, 0)
MOCK = "x-llmsim-mock"
AT_ONCE = ("server-timing", "ttft;dur=0, total;dur=0")

log = logging.getLogger("llmsim")


class EndpointMemory(Protocol):
    """What an endpoint remembers from one request to the next."""

    async def recall(self, request: Ask) -> Ask:
        """The request with all it builds on. Raises BadRequest for what is not remembered."""
        ...

    async def keep(self, request: Ask, body: bytes, answer: bytes, stamp: Stamp) -> bytes | None:
        """Put request and answer where later ones find them.

        Gives what to send at once where the client comes back for the answer; None to send that.
        """
        ...


class HeldLimits(Protocol):
    """What a request holds of its caller's limits."""

    def headers(self, now: float, /) -> Headers:
        """The limit headers of the response, at a Unix time."""
        ...

    def settle(self, tokens: tuple[int, int, int, int], /) -> None:
        """Give it back. ``tokens`` are what was used: prompt, completion, reasoning, cached."""
        ...


class RequestLifecycle:
    """One request, and its place in the books."""

    __slots__ = (
        "_counters",
        "_journal",
        "allowance",
        "answer",
        "arrived",
        "body",
        "endpoint",
        "failure",
        "mark",
        "mock",
        "model",
        "number",
        "start",
        "status",
        "streamed",
        "tokens",
    )

    def __init__(self, endpoint: Endpoint, counters: WorkerCounters, journal: Journal) -> None:
        self.endpoint = endpoint
        self._counters = counters
        self._journal = journal
        self.start = now_us()
        self.arrived = time.time()
        self.number = journal.reserve()
        self.mark = journal.mark(self.number)
        self.body = b""
        self.answer = b""
        self.model = ""
        self.mock = ""
        self.status = 0
        self.streamed = False
        self.tokens = NO_TOKENS
        self.failure: Failure | None = None
        self.allowance: HeldLimits | None = None
        counters.started()

    def begin(self, planned: Plan) -> None:
        """Remember what was asked and what is planned.

        Of the plan only what is counted at the end is kept here: a stream may be open for long.
        """
        self.status = planned.status
        self.streamed = planned.stream
        self.failure = planned.failure
        if planned.completion is not None:
            usage = planned.completion.usage
            self.tokens = (usage.prompt, usage.completion, usage.reasoning, usage.cached)
        self._journal.begin(
            self.number,
            self.endpoint.name,
            self.model,
            self.body,
            self.arrived,
            (planned.ttft, planned.total),
            len(planned.due),
            planned.seed,
            self.answer,
        )
        self.body = self.answer = b""

    def head(self, planned: Plan, stamp: Stamp) -> Headers:
        """The dialect's response head and the ground truth."""
        made = self.endpoint.headers(planned, stamp)
        if self.allowance is not None:
            made += self.allowance.headers(self.arrived)
        if self.mock:
            made.append((MOCK, self.mock))
        made.append(("x-llmsim-seed", str(planned.seed)))
        made.append(_timing(planned) if planned.total else AT_ONCE)
        return made

    def ended(self, whole: bool, first: float, end: float, lateness: float, sent: int) -> None:
        """A stream has ended."""
        self.done(self.status if whole else CLIENT_GONE, first, end, lateness, sent)

    def sent(self, status: int, now: int, late: int) -> None:
        """A plain answer has left at ``now``, ``late`` µs after it was due."""
        self._counters.late(late, 1)
        took = (now - self.start) / 1e6
        self.done(status, took, took, max(late, 0) / 1e6, int(status != CLIENT_GONE))

    def done(self, status: int, first: float, end: float, lateness: float, sent: int) -> None:
        """Count and remember an answer that was sent, or that its client left."""
        counters = self._counters
        tokens = NO_TOKENS
        if self.status:
            self._journal.end(self.number, status, first, end, lateness, sent)
        if status != CLIENT_GONE:
            tokens = self.tokens
            counters.timed(end, first)
            if self.failure is not None:
                counters.failed(self.failure.kind, self.failure.injected)
        row = counters.row(self.endpoint.name, self.model, status)
        second = (self.start + int(end * 1e6)) // 1_000_000
        if self.allowance is not None:
            self.allowance.settle(self.tokens)
            self.allowance = None
        counters.finished(row, second, tokens, self.streamed)

    def unawaited(self, planned: Plan) -> None:
        """An answer that nobody waits for: it counts as given now, and as having taken as long
        as planned."""
        self.begin(planned)
        self._journal.end(self.number, planned.status, planned.total, planned.total, 0.0, 1)
        row = self._counters.row(self.endpoint.name, self.model, planned.status)
        self._counters.finished(row, self.start // 1_000_000, self.tokens, False)

    def refuse(self, port: Port, failure: Failure) -> None:
        """Answer with a failure instead."""
        endpoint = self.endpoint
        stamp = Stamp(self.mark, int(self.arrived))
        status, body = endpoint.errors.failure(failure, stamp)
        planned = failed(failure, status, body)
        self.begin(planned)
        head = endpoint.headers(planned, stamp)
        if failure.retry_after is not None:
            head += endpoint.errors.retry(failure.retry_after)
        if self.allowance is not None:
            head += self.allowance.headers(self.arrived)
        if self.mock:
            head.append((MOCK, self.mock))
        # Counted before the client can see it: a worker killed in between has told no one.
        took = (now_us() - self.start) / 1e6
        self.done(status, took, took, 0.0, 1)
        port.respond(status, head, planned.frames[0])

    def broken(self) -> Failure:
        """What clients are told of the exception being handled, which is logged."""
        told = {"request_id": self.mark}
        log.exception("could not answer a request to %s", self.endpoint.name, extra=told)
        message = "The server had an error while processing your request. Sorry about that!"
        return Failure(FailureKind.SERVER_ERROR, message)

    def left(self) -> None:
        """The client closed its connection before the first byte of the answer."""
        took = (now_us() - self.start) / 1e6
        self.done(CLIENT_GONE, took, took, 0.0, 0)


def _timing(planned: Plan) -> tuple[str, str]:
    ttft, total = planned.ttft * 1e3, planned.total * 1e3
    return "server-timing", f"ttft;dur={ttft:.3f}, total;dur={total:.3f}"
