"""The one place that writes answers to clients: heads, whole bodies, streams, failures."""

from __future__ import annotations

import asyncio

from llmsim.core import ConnectionEnd, Headers, Plan
from llmsim.pipeline.context import Call
from llmsim.server.lifecycle import CLIENT_GONE, RequestLifecycle
from llmsim.transport.abort import opened
from llmsim.transport.deferred import StreamPlayback
from llmsim.transport.output_lag import CountedStream, OutputLag
from llmsim.transport.port import Gone, Port, Stream
from llmsim.transport.scheduler import TICK, ActiveStream, Scheduler, now_us

WATCHED = 250_000
"""Waits at least this long, in µs, look out for a client that leaves meanwhile; after shorter
ones the first byte that is sent tells."""
MOCK = "x-llmsim-mock"
RECORDING = "x-llmsim-recording"
UPSTREAM = "x-llmsim-upstream"
AT_ONCE = ("server-timing", "ttft;dur=0, total;dur=0")


class ResponseWriter:
    """Writes what was planned when it is due, and has each request finished before its client
    can see the end of the answer."""

    def __init__(self, scheduler: Scheduler, output_lag: OutputLag | None = None) -> None:
        self._scheduler = scheduler
        self._output_lag = output_lag

    def reply(
        self, port: Port, call: Call, lifecycle: RequestLifecycle, plan: Plan, body: bytes
    ) -> None:
        """A whole answer, now."""
        head = _head(call, lifecycle, plan)
        if lifecycle.recorder is not None:
            lifecycle.recorder.answered(head, body)
        now = now_us()
        lifecycle.sent(plan.status, now, now - lifecycle.start)
        port.respond(plan.status, head, body)

    async def late(self, port: Port, call: Call, lifecycle: RequestLifecycle, plan: Plan) -> None:
        """A whole answer that has to wait. Raises Gone if the client leaves meanwhile."""
        due = lifecycle.start + int(plan.total * 1e6)
        head, body = _head(call, lifecycle, plan), plan.frames[0]
        if due > now_us() + TICK // 2:
            await self.reach(due, port)
        if lifecycle.recorder is not None:
            lifecycle.recorder.answered(head, body)
        now = now_us()
        # Unlike a whole reply, an open body tells whether the client is still there.
        stream = port.open(plan.status, [*head, ("content-length", str(len(body)))])
        status = plan.status if stream.send(body) else CLIENT_GONE
        lifecycle.sent(status, now, now - due)
        stream.close()

    async def stream(self, port: Port, call: Call, lifecycle: RequestLifecycle, plan: Plan) -> None:
        """An answer of several frames, from the first that is due on. Raises Gone if the client
        leaves before that."""
        due = lifecycle.start + int(plan.due[0] * 1e6) if len(plan.due) else 0
        if due > now_us() + TICK // 2:
            await self.reach(due, port)
        if plan.ending is ConnectionEnd.UNANSWERED:
            lifecycle.sent(plan.status, now := now_us(), now - due)
            port.peer().hang_up(reset=True)
            return
        stream = self.opened(port, lifecycle, plan, _head(call, lifecycle, plan))
        recorder = lifecycle.recorder
        if recorder is not None and plan.deferred is None:
            plan = recorder.watched(plan)
        if isinstance(stream, CountedStream):
            active = ActiveStream(plan, lifecycle.start, stream, lifecycle.ended, lifecycle.series)
            stream.sender = active
            self._scheduler.play(active)
        elif plan.deferred is None:
            self._scheduler.send(plan, lifecycle.start, stream, lifecycle.ended, lifecycle.series)
        else:
            plan.deferred.begin(
                StreamPlayback(
                    self._scheduler,
                    plan,
                    lifecycle.start,
                    stream,
                    lifecycle.ended,
                    lifecycle.amend,
                    port.unread,
                    lifecycle.series,
                    None if recorder is None else recorder.watch(),
                )
            )

    def opened(self, port: Port, lifecycle: RequestLifecycle, plan: Plan, head: Headers) -> Stream:
        """The response with its head sent, ready for its frames."""
        plain, before = plan.deferred is None and plan.length is None, None
        if self._output_lag is not None and plain:
            before = self._output_lag.before(port)
        stream = opened(port, plan, head)
        if self._output_lag is not None and before is not None:
            stream = self._output_lag.counted(stream, before, head, lifecycle)
        if lifecycle.recorder is not None:
            lifecycle.recorder.answered(head)
        return stream

    async def refuse(self, port: Port, call: Call, lifecycle: RequestLifecycle, plan: Plan) -> None:
        """A failure in place of an answer, when it is due. Raises Gone if the client leaves
        before that."""
        failure = plan.failure
        assert failure is not None
        if failure.after:
            await self.reach(lifecycle.start + int(failure.after * 1e6), port)
        await lifecycle.remember(call, plan)
        head = call.endpoint.headers(plan, call.stamp)
        if failure.retry_after is not None:
            head += call.endpoint.errors.retry(failure.retry_after)
        _add_limits_and_mock(head, call, lifecycle)
        if lifecycle.recorder is not None:
            lifecycle.recorder.answered(head, plan.frames[0])
        lifecycle.refused()
        port.respond(plan.status, head, plan.frames[0])

    async def reach(self, due: int, port: Port | None = None) -> None:
        """Wait until ``due``. Raises Gone if the client leaves during a long wait."""
        reached = self._scheduler.reach(due)
        if port is None or due - now_us() < WATCHED:
            await reached
        else:
            await watched(reached, port)


async def watched(reached: asyncio.Future[None], port: Port) -> None:
    """Wait for what may take long. Raises Gone if the client leaves meanwhile."""
    if reached.done():
        return
    leaving = asyncio.ensure_future(port.left())
    leaving.add_done_callback(lambda _: _wake(reached))
    try:
        await reached
    finally:
        left = leaving.done()
        leaving.cancel()
    if left:
        raise Gone


def response_head(
    call: Call, lifecycle: RequestLifecycle, plan: Plan, timing: tuple[str, str] | None
) -> Headers:
    """The endpoint's response head and the ground truth; ``timing`` is None where the planned
    times are not known yet."""
    if plan.headers is None:
        head = call.endpoint.headers(plan, call.stamp)
        if call.hosted is not None:
            head += call.hosted
    elif call.upstream is None:
        head = [*plan.headers, (RECORDING, call.recording)]
    else:
        return _passed_on(plan.headers, call, lifecycle)
    if call.held is not None or call.mock:
        _add_limits_and_mock(head, call, lifecycle)
    head.append(("x-llmsim-seed", str(plan.seed)))
    if timing is not None:
        head.append(timing)
    return head


def _passed_on(headers: Headers, call: Call, lifecycle: RequestLifecycle) -> Headers:
    """The head of another service's answer. What is said here of limits takes the place of what it
    says."""
    own: Headers = []
    _add_limits_and_mock(own, call, lifecycle)
    names = {name for name, _ in own}
    kept = [pair for pair in headers if pair[0] not in names]
    return [*kept, *own, (UPSTREAM, call.endpoint.provider.name)]


def _head(call: Call, lifecycle: RequestLifecycle, plan: Plan) -> Headers:
    return response_head(call, lifecycle, plan, timing(plan) if plan.total else AT_ONCE)


def _add_limits_and_mock(head: Headers, call: Call, lifecycle: RequestLifecycle) -> None:
    if call.held is not None:
        head += call.held.headers(lifecycle.arrived)
    if call.mock:
        head.append((MOCK, call.mock))


def timing(plan: Plan) -> tuple[str, str]:
    """What the head says of the planned times."""
    ttft, total = plan.ttft * 1e3, plan.total * 1e3
    return "server-timing", f"ttft;dur={ttft:.3f}, total;dur={total:.3f}"


def _wake(reached: asyncio.Future[None]) -> None:
    """End a wait early. The future has no exception: with its traceback it would be a cycle, which
    holds the request until the garbage collector comes."""
    if not reached.done():
        reached.set_result(None)
