"""One request from its first byte to its last: read, plan, play, remember."""

from __future__ import annotations

import asyncio
import secrets
from asyncio import to_thread

from msgspec import structs

from llmsim.config import Config
from llmsim.core import Codec, ConnectionEnd, Plan, Stamp
from llmsim.core import Request as Ask
from llmsim.core.catalog.models import MARK
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.overrides import split
from llmsim.engine import seeds
from llmsim.engine.compose import ModelSettings, PlanInputs
from llmsim.engine.overrides import NO_OVERRIDES
from llmsim.engine.plan import failed, plan
from llmsim.engine.tasks.dispatch import lengthy
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.prompt_cache import LEAST, MISS, cacheable
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.steps.overrides import has_overrides
from llmsim.providers.provider import Endpoint
from llmsim.runtime.holder import ConfigHolder
from llmsim.server.access_log import AccessLog, lifecycle_class
from llmsim.server.lifecycle import CLIENT_GONE, EndpointMemory, RequestLifecycle
from llmsim.server.prompt_cache import PromptCache
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.segment import Cursor
from llmsim.transport.abort import opened
from llmsim.transport.port import Gone, Port
from llmsim.transport.scheduler import TICK, Scheduler, now_us

# What a worker tokenises on its loop: about a tenth of a millisecond.
INLINE_CHARACTERS = 8_000
# Bytes from which a request may hold schemas that take long to understand.
LARGE_BODY = 32_000
# Waits at least this long, in µs, look out for a client that leaves meanwhile; after shorter
# ones the first byte that is sent tells.
WATCHED = 250_000
_SEEDS = (1 << seeds.BITS) - 1
_MULTIPLIER = 0x5DEECE66D  # a full-period generator modulo 2**48 (POSIX drand48)


class RequestHandler:
    """Answers requests in one worker."""

    def __init__(
        self,
        config: Config,
        holder: ConfigHolder,
        scheduler: Scheduler,
        shared: SharedState,
        access: AccessLog | None = None,
    ) -> None:
        self._holder = holder
        self._scheduler = scheduler
        self._counters = shared.counters
        self._journal = shared.journal
        self._lifecycle = lifecycle_class(access)
        self._segment = shared.segment
        self._prompts = PromptCache(shared.segment)
        self._body_limit = config.server.max_body_bytes
        self._most_streams = config.server.max_open_streams
        self._fresh = secrets.randbits(seeds.BITS)

    async def answer(
        self, port: Port, endpoint: Endpoint, memory: EndpointMemory | None = None
    ) -> None:
        """Answer one request; whatever goes wrong, the client gets the provider's own error and
        the request is counted exactly once. ``memory`` is what the endpoint remembers."""
        lifecycle = self._lifecycle(endpoint, self._counters, self._journal)
        try:
            await self._answer(port, lifecycle, memory)
        except BadRequest as bad:
            await self._refuse(port, lifecycle, bad.failure)
        except Gone:
            lifecycle.left()
        except Exception:
            lifecycle.refuse(port, lifecycle.broken())

    async def _answer(
        self, port: Port, lifecycle: RequestLifecycle, memory: EndpointMemory | None
    ) -> None:
        lifecycle.body = body = await port.body(self._body_limit)
        endpoint = lifecycle.endpoint
        codec = endpoint.codec
        if endpoint.header_check is not None:
            endpoint.header_check(port.header)
        request = codec.decode(body)
        lifecycle.model = request.model
        if memory is not None:
            request = await memory.recall(request)
        stamp = Stamp(lifecycle.mark, int(lifecycle.arrived))
        planned = await self._planned(port, lifecycle, request, body, stamp)
        answer = stored_body(request, planned, codec, stamp) if request.store else b""
        lifecycle.answer = answer
        lifecycle.begin(planned)
        first = memory and await memory.keep(request, body, answer, stamp)
        if not first and (planned.stream or planned.length is not None):
            await self._stream(port, lifecycle, planned, stamp)
        elif not first and planned.total:
            await self._late(port, lifecycle, planned, stamp)
        else:
            now = now_us()
            head = lifecycle.head(planned, stamp)
            # Counted before the client can see it: a worker killed in between has told no one.
            lifecycle.sent(planned.status, now, now - lifecycle.start)
            port.respond(planned.status, head, first or planned.frames[0])

    async def unawaited(self, endpoint: Endpoint, body: bytes) -> Plan:
        """The plan of an answer that nobody waits for, which counts as given. A request that
        can not be served has a plan, too."""
        lifecycle = RequestLifecycle(endpoint, self._counters, self._journal)
        lifecycle.body = body
        stamp = Stamp(lifecycle.mark, int(lifecycle.arrived))
        try:
            request = endpoint.codec.decode(body)
            lifecycle.model = request.model
            planned = await self._planned(None, lifecycle, request, body, stamp)
        except BadRequest as bad:
            planned = failed(bad.failure, *endpoint.errors.failure(bad.failure, stamp))
        except Exception:
            failure = lifecycle.broken()
            planned = failed(failure, *endpoint.errors.failure(failure, stamp))
        lifecycle.unawaited(planned)
        return planned

    async def _planned(
        self,
        port: Port | None,
        lifecycle: RequestLifecycle,
        request: Ask,
        body: bytes,
        stamp: Stamp,
    ) -> Plan:
        runtime = self._holder.runtime
        settings = runtime.registry.known(request.model)
        control, suffix = runtime.pipeline, ""
        if runtime.override_pipeline is not None:
            # What is known by that name is a model: only others can have a suffix.
            if settings is None and MARK in request.model:
                model, suffix = split(request.model)
                lifecycle.model, request = model, structs.replace(request, model=model)
                settings, control = runtime.registry.known(model), runtime.override_pipeline
            elif port is not None and has_overrides(port):
                control = runtime.override_pipeline
        if settings is None:
            settings = await self.settings(request.model)
        try:
            prompt_tokens = prompt.tokens(request, settings.tokenizer, INLINE_CHARACTERS)
        except prompt.Lengthy:
            prompt_tokens = await to_thread(prompt.tokens, request, settings.tokenizer)
        overrides = NO_OVERRIDES
        if control is not None:
            context = RequestContext(
                port, lifecycle, request, body, settings, prompt_tokens, suffix=suffix
            )
            await control.consider(context)
            request, settings, overrides = context.request, context.settings, context.overrides
        turn = self._segment.advance(Cursor.TURN) if settings.takes_turns else 0
        cached = MISS
        if prompt_tokens >= LEAST and cacheable(request):
            cached = await self._prompts.lookup(request, settings, prompt_tokens)
        seed = self._seed(request, body, runtime.config.seed)
        inputs = PlanInputs(seed, turn, prompt_tokens, cached, overrides)
        codec = lifecycle.endpoint.codec
        if request.task is None:
            slow = len(body) > LARGE_BODY and (request.format is not None or bool(request.tools))
        else:
            slow = lengthy(request, request.task)
        if not slow:
            return plan(request, settings, inputs, codec, stamp)
        return await to_thread(plan, request, settings, inputs, codec, stamp)

    async def settings(self, model: str) -> ModelSettings:
        """The settings of a model; a tokenizer that has to be built does not hold the loop."""
        registry = self._holder.runtime.registry
        if registry.ready(model):
            return registry.settings(model)
        return await to_thread(registry.settings, model)

    def _seed(self, request: Ask, body: bytes, configured: int | None) -> int:
        seed = seeds.settled(request.seed, configured, body)
        if seed is None:
            self._fresh = seed = (self._fresh * _MULTIPLIER + 11) & _SEEDS
        return seed

    async def _refuse(self, port: Port, lifecycle: RequestLifecycle, failure: Failure) -> None:
        if failure.after:
            try:
                await self._reach(lifecycle.start + int(failure.after * 1e6), port)
            except Gone:
                lifecycle.left()
                return
        lifecycle.refuse(port, failure)

    async def _late(
        self, port: Port, lifecycle: RequestLifecycle, planned: Plan, stamp: Stamp
    ) -> None:
        """A plain answer that has to wait."""
        due = lifecycle.start + int(planned.total * 1e6)
        head, body = lifecycle.head(planned, stamp), planned.frames[0]
        if due > now_us() + TICK // 2:
            await self._reach(due, port)
        now = now_us()
        # Unlike a whole reply, an open body tells whether the client is still there.
        stream = port.open(planned.status, [*head, ("content-length", str(len(body)))])
        status = planned.status if stream.send(body) else CLIENT_GONE
        stream.close()
        lifecycle.sent(status, now, now - due)

    async def _stream(
        self, port: Port, lifecycle: RequestLifecycle, planned: Plan, stamp: Stamp
    ) -> None:
        if self._scheduler.open >= self._most_streams:
            message = "That model is currently overloaded with other requests."
            raise BadRequest(Failure(FailureKind.OVERLOADED, message))
        due = lifecycle.start + int(planned.due[0] * 1e6)
        if due > now_us() + TICK // 2:
            await self._reach(due, port)
        if planned.ending is ConnectionEnd.UNANSWERED:
            lifecycle.sent(planned.status, now := now_us(), now - due)
            port.peer().hang_up(reset=True)
            return
        stream = opened(port, planned, lifecycle.head(planned, stamp))
        self._scheduler.send(planned, lifecycle.start, stream, lifecycle.ended)

    async def _reach(self, due: int, port: Port) -> None:
        """Wait until ``due``. Raises Gone if the client leaves during a long wait."""
        reached = self._scheduler.reach(due)
        if due - now_us() < WATCHED:
            await reached
            return
        leaving = asyncio.ensure_future(port.left())
        leaving.add_done_callback(lambda _: _give_up(reached))
        try:
            await reached
        finally:
            leaving.cancel()


def _give_up(reached: asyncio.Future[None]) -> None:
    """The client has left what it waited for."""
    if not reached.done():
        reached.set_exception(Gone())


def stored_body(request: Ask, planned: Plan, codec: Codec, stamp: Stamp) -> bytes:
    """The answer as it can be asked for later: whole, however it is sent now."""
    if planned.completion is None or not (planned.stream or planned.failure or planned.length):
        return planned.frames[0]
    return codec.plain(request, planned.completion, stamp)
