"""From the bytes of a request to its plan, without a socket or a clock.

The server, batches, background responses, WebSockets and ``llmsim plan`` all call :meth:`plan` of
the same object, so that all of them give the same bytes. In this order:

1. the codec decodes the body; the endpoint's memory adds what the request builds on
2. the model's settings are looked up, and the prompt's tokens counted
3. the steps decide: overrides of the request itself, rate limits, failures, mocks
4. the prompt cache is asked, the seed settled, and the engine plans

A request that is refused anywhere on this way has a plan, too: that of its failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import structs

from llmsim.core import Plan, Request
from llmsim.core.catalog.models import MARK
from llmsim.core.errors import NESTED, BadRequest, Failure, invalid
from llmsim.core.scopes import SCOPE_HEADER, is_scope_name
from llmsim.core.state import PipelineState
from llmsim.engine import effort, seeds
from llmsim.engine.answer_size import UNBOUNDED
from llmsim.engine.compose import ModelSettings, PlanInputs
from llmsim.engine.effort import TakesLong
from llmsim.engine.overrides import NO_OVERRIDES
from llmsim.engine.plan import plan
from llmsim.engine.tokens import prompt, prompt_bounds
from llmsim.engine.tokens.prompt_cache import LEAST, MISS, cacheable
from llmsim.pipeline.context import Call, RequestContext, Step
from llmsim.pipeline.prompt_cache import INLINE_CHARACTERS, PromptCache
from llmsim.pipeline.steps.overrides import has_overrides
from llmsim.providers.provider import Endpoint

LARGE_BODY = 32_000
"""Bytes from which a request may hold so many values, or schemas so large, that understanding
them takes long."""

NO_SCOPE = "must be 1 to 64 letters, digits, dots, dashes and underscores"

MANY_VALUES = 1_000
"""Values that are decoded without keeping others waiting."""


class SettingsSource(Protocol):
    """The settings of every model."""

    def known(self, model: str, /) -> ModelSettings | None:
        """The model's settings if they are at hand: no file is read, nothing is built."""
        ...

    def ready(self, model: str, /) -> bool:
        """Whether :meth:`settings` would answer without building a tokenizer or drawing times."""
        ...

    def settings(self, model: str, /) -> ModelSettings:
        """The settings of a model. Raises BadRequest for one that is not served."""
        ...


class ServerEndpoints(Protocol):
    """The endpoints of the servers of models."""

    def of(self, endpoint: Endpoint, body: bytes, /) -> Endpoint:
        """The endpoint for a body that was sent to ``endpoint``: another one where the model has a
        server of its own."""
        ...


class Pipeline:
    """What happens to every request under one configuration.

    ``overrides`` are the steps for requests that say something about themselves; none where they
    may not. ``seed`` is the configured one, ``most_bytes`` the most that an answer may have.
    ``scope_by_key`` says whether an API key is the name of a scope.
    ``passes_on`` says that services may be asked, which remember what is not known here.
    ``servers`` has the endpoints of models that are served in a way of their own.
    """

    def __init__(
        self,
        models: SettingsSource,
        steps: Sequence[Step],
        overrides: Sequence[Step],
        state: PipelineState,
        seed: int | None = None,
        most_bytes: int = UNBOUNDED,
        scope_by_key: bool = False,
        passes_on: bool = False,
        servers: ServerEndpoints | None = None,
    ) -> None:
        self.models = models
        self._steps = tuple(steps)
        self._overrides = tuple(overrides)
        self._state = state
        self._prompt_cache = PromptCache(state.prefixes, state.offload)
        self._configured_seed = seed
        self._most_bytes = most_bytes
        self._scopes = state.scopes
        self._scope_by_key = scope_by_key
        self._passes_on = passes_on
        self._servers = servers

    async def plan(self, call: Call) -> Plan:
        """The answer to a call and when it is due. A call that cannot be served has a plan, too:
        its ``failure`` is set and its ``completion`` is None."""
        caller, pipeline = call.caller, self
        overridden = (
            len(self._overrides) > 0 and caller is not None and has_overrides(caller, call.body)
        )
        try:
            if overridden or self._scope_by_key:
                pipeline = await self._scoped(call)
            if pipeline._servers is not None:
                served = pipeline._servers.of(call.endpoint, call.body)
                if served is not call.endpoint:  # not by the hosted service, which has the limits
                    call.endpoint, call.hosted = served, None
            decode = call.endpoint.codec.decode
            if len(call.body) > LARGE_BODY and call.body.count(b",") > MANY_VALUES:
                request = await self._state.offload(decode, call.body)
            else:
                request = decode(call.body)
            call.model = request.model
            unknown: Failure | None = None
            if call.memory is not None:
                try:
                    request = await call.memory.recall(request)
                except BadRequest as bad:
                    if not pipeline._passes_on:
                        raise
                    unknown = bad.failure  # which is none if a service is asked, that may know
                call.model = request.model
            made = await pipeline._planned(call, request, overridden)
            if unknown is not None and call.upstream is None:
                return call.refused(unknown)
            return made
        except BadRequest as bad:
            return call.refused(bad.failure)
        except RecursionError:
            return call.refused(NESTED)

    async def settings(self, model: str) -> ModelSettings:
        """A model's settings; what has to be built for them keeps nobody waiting."""
        if self.models.ready(model):
            return self.models.settings(model)
        return await self._state.offload(self.models.settings, model)

    async def whole(self, call: Call, plan: Plan) -> bytes:
        """The answer as it can be asked for later: whole, however it is sent now."""
        if plan.completion is None or not (plan.stream or plan.failure or plan.length):
            return plan.frames[0]
        request, completion = call.request, plan.completion
        write = call.endpoint.codec.plain
        if effort.of_whole(completion, request) > effort.QUICK:
            return await self._state.offload(write, request, completion, call.stamp)
        return write(request, completion, call.stamp)

    async def _scoped(self, call: Call) -> Pipeline:
        """The pipeline of the scope that a request is in; this one where it is in none."""
        name = "" if self._scopes is None else _scope(call, self._scope_by_key)
        if self._scopes is None or not name:
            return self
        pipeline, call.scope = await self._scopes.enter(name)
        assert isinstance(pipeline, Pipeline)
        return pipeline

    async def _planned(self, call: Call, request: Request, overridden: bool) -> Plan:
        settings = self.models.known(request.model)
        steps, suffix = self._steps, ""
        if self._overrides:
            # What is known by that name is a model: only others can have a suffix.
            if settings is None and MARK in request.model:
                model, _, suffix = request.model.partition(MARK)
                call.model, request = model, structs.replace(request, model=model)
                settings, steps = self.models.known(model), (*self._overrides, *steps)
            elif overridden:
                steps = (*self._overrides, *steps)
        if settings is None:
            settings = await self.settings(request.model)
        try:
            prompt_tokens = prompt.tokens(request, settings.tokenizer, INLINE_CHARACTERS)
        except prompt.Lengthy:
            limit = prompt_bounds.limit(request, settings.model.context_window)
            prompt_tokens = await self._state.offload(
                prompt_bounds.tokens, request, settings.tokenizer, limit
            )
        overrides = NO_OVERRIDES
        if steps:
            context = RequestContext(call, request, settings, prompt_tokens, suffix)
            for step in steps:
                await step.consider(context)
                if context.plan is not None:
                    return context.plan
            request, settings, overrides = context.request, context.settings, context.overrides
        call.request = request
        cached = MISS
        if prompt_tokens >= LEAST and cacheable(request) and _fits(prompt_tokens, settings):
            key = call.key()
            cached = await self._prompt_cache.lookup(request, settings, prompt_tokens, key)
        seed = seeds.settled(request.seed, self._configured_seed, call.body)
        if seed is None:
            seed = self._state.fresh()
        turn = self._state.order.turn() if settings.takes_turns else 0
        inputs = PlanInputs(seed, turn, prompt_tokens, cached, overrides, self._most_bytes, False)
        codec = call.endpoint.codec
        try:
            return plan(request, settings, inputs, codec, call.stamp)
        except TakesLong:
            inputs = structs.replace(inputs, patient=True)
            return await self._state.offload(plan, request, settings, inputs, codec, call.stamp)


def _scope(call: Call, by_key: bool) -> str:
    """The scope that a request is in; empty for none. Raises BadRequest for what is no name."""
    if call.caller is None:
        return ""
    name = call.caller.header(SCOPE_HEADER)
    if name is not None:
        if not is_scope_name(name):
            raise invalid(NO_SCOPE, SCOPE_HEADER)
        return name
    key = call.key() if by_key else ""
    return key if is_scope_name(key) else ""


def _fits(prompt_tokens: int, settings: ModelSettings) -> bool:
    window = settings.model.context_window
    return prompt_tokens <= window or not window
