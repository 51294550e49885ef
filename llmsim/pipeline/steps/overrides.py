"""What a request says about itself, in ``x-llmsim-*`` headers or after its model's name, is done.

The first of the steps: an error that was asked for counts against no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

from msgspec import structs

from llmsim.core import Request
from llmsim.core.catalog import profiles
from llmsim.core.catalog.profiles import LatencyProfile
from llmsim.core.errors import ConfigError, Failure, FailureKind, invalid
from llmsim.core.generator import GeneratorChoice
from llmsim.core.injection import ErrorInjection
from llmsim.core.overrides import (
    OPENING,
    PREFIX,
    CountedRequests,
    ErrorOverride,
    OverrideParser,
    RequestOverrides,
    header,
    marked,
    suffixed,
)
from llmsim.core.scopes import SCOPE_HEADER
from llmsim.core.state import Caller, PipelineState
from llmsim.engine.compose import ModelSettings, with_length
from llmsim.engine.faults.injection import failure, of_status
from llmsim.engine.text import text_generator
from llmsim.engine.timing import Draws, draws_of
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.steps.faults import apply_outcome

REMEMBERED = 1024
_OPENING = OPENING.encode()
PROFILES = 64

Headers: TypeAlias = tuple[tuple[str, str], ...]


def has_overrides(caller: Caller, body: bytes) -> bool:
    """Whether a request may have such headers, or a marker: one look at all names, and at the
    body."""
    return PREFIX in "".join(caller.names()) or _OPENING in body


class OverrideStep:
    """The step that does what requests say.

    ``errors`` and ``generator`` are the configured ones: they say what a request leaves open.
    ``parse`` reads the headers; ``names`` are the callers' names by their API keys.
    """

    def __init__(
        self,
        errors: ErrorInjection,
        generator: GeneratorChoice,
        parse: OverrideParser,
        state: PipelineState,
        names: Mapping[str, str],
    ) -> None:
        self._names = names
        self._parse = lru_cache(maxsize=REMEMBERED)(parse)
        self._rates = errors.rates
        self._generator = generator
        self._counters = state.counters
        self._offload = state.offload
        self._draws: dict[LatencyProfile, Draws] = {}

    async def consider(self, context: RequestContext) -> None:
        """Bend the answer as the request says. Raises BadRequest for what it cannot mean."""
        headers = _headers(context)
        if not headers:
            return
        context.call.override = ", ".join(f"{name}: {value}" for name, value in headers)
        try:
            overrides = self._parse(headers)
        except ConfigError as wrong:
            raise invalid(str(wrong), wrong.faults[0].where) from None
        context.scenario = overrides.scenario
        error, fault = overrides.error, overrides.fault
        if error is not None and self._meant(context, "error", error.counted, headers):
            apply_outcome(context, self._failure(error))
        if overrides.seed is not None:
            context.request = structs.replace(context.request, seed=overrides.seed)
        if overrides.itl_factor is not None:
            pace = context.overrides.pace * overrides.itl_factor
            context.overrides = structs.replace(context.overrides, pace=pace)
        if fault is not None and self._meant(context, "fault", fault.counted, headers):
            apply_outcome(context, fault.fault)
        context.settings = await self._settings(context.settings, overrides)
        context.paced |= overrides.latency is not None

    def _meant(
        self, context: RequestContext, what: str, counted: CountedRequests, headers: Headers
    ) -> bool:
        """Whether this request is one of those that are meant. Without a key, all that say the same
        are counted together; only those that match are counted."""
        key = context.call.key()
        model, dialect = context.request.model, context.call.endpoint.codec.name
        if not counted.match(model, dialect, key, self._names.get(key, key)):
            return False
        name = f"overrides {what} {headers if counted.key is None else counted.key!r}"
        if counted.first is not None:
            return self._counters.take(name, counted.first) is not None
        if counted.every is not None:
            return self._counters.advance(name) % counted.every == counted.every - 1
        return True

    def _failure(self, wanted: ErrorOverride) -> Failure:
        """The failure that was asked for; what is not said of it is as configured. One asked for by
        its status is sent at once."""
        rates = self._rates
        retry = rates.retry_after if wanted.retry_after is None else wanted.retry_after
        if wanted.status is not None:
            return of_status(wanted.status, retry, wanted.after or 0.0)
        made = failure(FailureKind(wanted.kind), None, retry, wanted.after or 0.0)
        if wanted.after is None and made.kind is FailureKind.TIMEOUT:
            return replace(made, after=rates.timeout_after)
        return made

    async def _settings(
        self, settings: ModelSettings, overrides: RequestOverrides
    ) -> ModelSettings:
        """The model's settings, but as this request wants them."""
        if overrides.target_tokens is not None:
            length = overrides.target_tokens
            if isinstance(length, int):
                settings = with_length(settings, length)
            else:
                settings = await self._offload(with_length, settings, length)
        if overrides.latency is not None:
            try:
                profile = overrides.latency.on(profiles.preset(settings.model.latency))
            except ValueError as error:
                raise invalid(str(error), header("latency")) from None
            settings = structs.replace(settings, draws=await self._drawn(profile))
        if overrides.generator is not None:
            settings = await self._speaking(settings, overrides.generator)
        return settings

    async def _speaking(self, settings: ModelSettings, generator: GeneratorChoice) -> ModelSettings:
        """The settings with another generator."""
        takes_turns = generator.kind == "sequence"
        if takes_turns:
            generator = self._generator
        if takes_turns != (generator.kind == "sequence"):
            message = "the generator sequence needs response.sequence in the configuration"
            raise invalid(message, header("generator"))
        made = await self._offload(text_generator, generator)
        return structs.replace(settings, generator=made, takes_turns=takes_turns)

    async def _drawn(self, profile: LatencyProfile) -> Draws:
        """A profile's draws; new ones take milliseconds to make."""
        found = self._draws.get(profile)
        if found is None:
            found = await self._offload(draws_of, profile)
            if len(self._draws) >= PROFILES:
                self._draws.clear()
            self._draws[profile] = found
        return found


def _headers(context: RequestContext) -> Headers:
    """What a request says about itself, as headers; real ones count over what the model's name
    says, and that over a marker in the last message of the user."""
    caller, headers = context.call.caller, list(suffixed(context.suffix))
    scenario = _marked(context.call.body, context.request)
    if scenario is not None:
        headers.insert(0, (header("scenario"), scenario))
    if caller is not None:
        names = (name for name in caller.names() if name.startswith(PREFIX))
        mine = (name for name in names if name != SCOPE_HEADER)
        headers += [(name, caller.header(name) or "") for name in mine]
    return tuple(headers)


def _marked(body: bytes, request: Request) -> str | None:
    """The scenario that a marker in the user's last message asks for."""
    if _OPENING not in body:
        return None
    texts = (message.text for message in reversed(request.messages) if message.role == "user")
    return marked(next(texts, ""))
