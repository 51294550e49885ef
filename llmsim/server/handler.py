"""One request from its first byte to its last: read, plan, remember, write."""

from __future__ import annotations

import asyncio
import logging

from llmsim.config import Config
from llmsim.core import Plan, TokenLogprobs
from llmsim.core.errors import NESTED, BadRequest, Failure, FailureKind
from llmsim.core.state import StoreError
from llmsim.engine import logprobs
from llmsim.engine.compose import ModelSettings
from llmsim.pipeline.context import Call, EndpointMemory
from llmsim.providers.provider import Endpoint
from llmsim.runtime.holder import ConfigHolder
from llmsim.server.access_log import AccessLog, lifecycle_class
from llmsim.server.entry.content_encoding import BOM, decoded
from llmsim.server.journal.recorder import Recorders
from llmsim.server.large_answers import LargeAnswers
from llmsim.server.lifecycle import RequestLifecycle
from llmsim.server.load.unattended import Replanned
from llmsim.server.load.writer import LoadWriter
from llmsim.server.response_writer import ResponseWriter
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import SLICE
from llmsim.transport.output_lag import OutputLag
from llmsim.transport.port import Gone, Port
from llmsim.transport.scheduler import Scheduler, now_us

BUSY = "That model is currently overloaded with other requests."
BROKEN = "The server had an error while processing your request. Sorry about that!"
BROKEN_STORE = Failure(FailureKind.SERVER_ERROR, BROKEN)
MOST_LET_GO = 200
"""Log probabilities that are let go of at a time, each with its alternatives."""
LEAVING = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
"""What ends a request from outside; anything else that is raised is a failure of ours."""

log = logging.getLogger("llmsim")


class RequestHandler:
    """Answers requests in one worker."""

    def __init__(
        self,
        config: Config,
        holder: ConfigHolder,
        scheduler: Scheduler,
        shared: SharedState,
        access: AccessLog | None = None,
        output_lag: OutputLag | None = None,
    ) -> None:
        self._holder = holder
        self._scheduler = scheduler
        self._writer = ResponseWriter(scheduler, output_lag)
        self._load_writer = LoadWriter(self._writer, scheduler, shared.step_clocks)
        self._counters = shared.counters
        self._journal = shared.journal
        self._recorders = Recorders(lambda: holder.runtime.config, now_us)
        self._lifecycle = lifecycle_class(access)
        self._large_answers = LargeAnswers(shared.counters)
        self._body_limit = config.server.max_body_bytes
        self._most_streams = config.server.max_open_streams

    async def answer(
        self, port: Port, endpoint: Endpoint, memory: EndpointMemory | None = None
    ) -> None:
        """Answer one request; whatever goes wrong, the client gets the provider's own error and
        the request is counted exactly once. ``memory`` is what the endpoint remembers."""
        lifecycle = self._lifecycle(endpoint.name, self._counters, self._journal, self._recorders)
        call = Call(endpoint, port, lifecycle.stamp(), b"", memory)
        if self._holder.runtime.hosted:
            call.hosted = endpoint.provider.hosted_limits(call.stamp.created)
        try:
            entries = await self._answer(port, call, lifecycle)
            while entries:
                del entries[-MOST_LET_GO:]
                await asyncio.sleep(0)
        except BadRequest as bad:
            await self._refuse(port, call, lifecycle, call.refused(bad.failure))
        except RecursionError:
            if not lifecycle.finished:
                await self._refuse(port, call, lifecycle, call.refused(NESTED))
        except Gone:
            lifecycle.left(call)
        except LEAVING:
            lifecycle.left(call)
            raise
        except StoreError as error:
            log.error("the store does not work: %s", error)
            await self._refuse(port, call, lifecycle, call.refused(BROKEN_STORE))
        except BaseException:  # a panic of a compiled library is no Exception
            plan = call.refused(_broken(call))
            if not lifecycle.finished:
                await self._refuse(port, call, lifecycle, plan)
        finally:
            if call.upstream is not None:
                call.upstream.release()

    async def _answer(
        self, port: Port, call: Call, lifecycle: RequestLifecycle
    ) -> list[TokenLogprobs]:
        """Gives what takes long to let go of."""
        body = await port.body(self._body_limit)
        encoding = port.header("content-encoding")
        if encoding is not None or body.startswith(BOM):
            body = await decoded(body, encoding, self._body_limit)
        call.body = body
        read = now_us()
        endpoint, pipeline = call.endpoint, self._holder.runtime.pipeline
        try:
            if endpoint.header_check is not None:
                endpoint.header_check(port.header)
            plan = await pipeline.plan(call)
        except BaseException:
            lifecycle.received(port.arrived(lifecycle.start, read, False), read)
            raise
        waits = plan.total > 0 or plan.deferred is not None
        lifecycle.received(port.arrived(lifecycle.start, read, waits), read)
        if plan.stream and self._scheduler.open >= self._most_streams:
            plan = call.refused(Failure(FailureKind.OVERLOADED, BUSY))
        if plan.completion is None and plan.failure is not None:
            self._large_answers.note(plan.failure)
            await self._writer.refuse(port, call, lifecycle, plan)
            return []
        request, memory = call.request, call.memory
        answer = await pipeline.whole(call, plan) if request.store else b""
        if len(call.body) + len(answer) > SLICE:
            await lifecycle.remember(call, plan, answer)
        else:
            lifecycle.planned(call, plan, answer)
        first = None
        if memory is not None and not (call.recording or call.upstream):
            kept = await memory.keep(call, plan, answer)
            plan, first = (kept, None) if isinstance(kept, Plan) else (plan, kept)
        await self._write(port, call, lifecycle, plan, first)
        if request.logprobs is None or plan.completion is None:
            return []
        return logprobs.entries(plan.completion)

    async def _write(
        self, port: Port, call: Call, lifecycle: RequestLifecycle, plan: Plan, first: bytes | None
    ) -> None:
        in_parts = plan.stream or plan.length is not None or plan.deferred is not None
        if plan.sequence is not None:
            if not first and plan.deferred is None:
                await self._load_writer.write(port, call, lifecycle, plan)
                return
            # Nobody asks how far a stream has come whose end is decided while it is sent.
            replanned = lifecycle.retimed if first else lambda ttft, total: None
            self._load_writer.unattended(plan, lifecycle.start, call.replanned or replanned)
        if first or not (in_parts or plan.total):
            self._writer.reply(port, call, lifecycle, plan, first or plan.frames[0])
        elif in_parts:
            await self._writer.stream(port, call, lifecycle, plan)
        else:
            await self._writer.late(port, call, lifecycle, plan)

    async def _refuse(
        self, port: Port, call: Call, lifecycle: RequestLifecycle, plan: Plan
    ) -> None:
        try:
            await self._writer.refuse(port, call, lifecycle, plan)
        except Gone:
            lifecycle.left(call)

    async def unawaited(
        self,
        endpoint: Endpoint,
        body: bytes,
        api_key: str = "",
        replanned: Replanned | None = None,
    ) -> Plan:
        """The plan of an answer that nobody waits for, which counts as sent. A request that
        cannot be served has a plan, too. Under load, ``replanned`` is told when its tokens are
        there."""
        lifecycle = RequestLifecycle(endpoint.name, self._counters, self._journal, self._recorders)
        call = Call(endpoint, None, lifecycle.stamp(), body, api_key=api_key)
        try:
            plan = await self._holder.runtime.pipeline.plan(call)
        except LEAVING:
            lifecycle.left(call)
            raise
        except BaseException:
            plan = call.refused(_broken(call))
        if plan.failure is not None:
            self._large_answers.note(plan.failure)
        await lifecycle.remember(call, plan)
        lifecycle.unawaited(plan)

        def retimed(ttft: float, total: float) -> None:
            lifecycle.retimed(ttft, total)
            if replanned is not None:
                replanned(ttft, total)

        self._load_writer.unattended(plan, lifecycle.start, retimed)
        return plan

    def note(self, failure: Failure) -> None:
        """Count a request that was refused for the size of its answer, if it was."""
        self._large_answers.note(failure)

    async def settings(self, model: str) -> ModelSettings:
        """The settings of a model under the configuration in effect."""
        return await self._holder.runtime.pipeline.settings(model)


def _broken(call: Call) -> Failure:
    """What clients are told of the exception being handled, which is logged."""
    about = {"request_id": call.stamp.mark}
    log.exception("could not answer a request to %s", call.endpoint.name, extra=about)
    return Failure(FailureKind.SERVER_ERROR, BROKEN)
