"""What a request says about itself, in ``x-llmsim-*`` headers or after its model's name, is done.

The first of the steps: an error that was asked for counts against no limit.
"""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import replace
from functools import lru_cache

from msgspec import structs

from llmsim.core.catalog import profiles
from llmsim.core.catalog.profiles import LatencyProfile
from llmsim.core.errors import ConfigError, Failure, FailureKind, invalid
from llmsim.core.overrides import (
    PREFIX,
    CountedRequests,
    ErrorOverride,
    OverrideParser,
    RequestOverrides,
    header,
    suffixed,
)
from llmsim.engine.compose import ModelSettings
from llmsim.engine.faults.injection import failure, of_status
from llmsim.engine.timing import Draws, draws_of
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.settings import PipelineSettings
from llmsim.pipeline.steps.faults import apply_outcome
from llmsim.runtime.model_settings import text_generator
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.named_counters import NamedCounters
from llmsim.transport.port import Port

REMEMBERED = 1024
PROFILES = 64


def has_overrides(port: Port) -> bool:
    """Whether a request may have such headers: one look at the names of all of them."""
    return PREFIX in "".join(port.names())


class OverrideStep:
    """The step that does what requests say."""

    def __init__(
        self, config: PipelineSettings, shared: SharedState, parse: OverrideParser
    ) -> None:
        self._config = config
        self._parse = lru_cache(maxsize=REMEMBERED)(parse)
        self._named_counters = shared.named_counters
        self._draws: dict[LatencyProfile, Draws] = {}

    async def consider(self, context: RequestContext) -> None:
        """Bend the answer as the request says. Raises BadRequest for what it cannot mean."""
        given = _given(context.port, context.suffix)
        if not given:
            return
        try:
            told = self._parse(given)
        except ConfigError as error:
            raise invalid(str(error), error.faults[0].where) from None
        if told.error is not None and _counts(
            self._named_counters, "error", told.error.counted, given
        ):
            apply_outcome(context, self._failure(told.error))
        if told.seed is not None:
            context.request = structs.replace(context.request, seed=told.seed)
        if told.itl_factor is not None:
            pace = context.overrides.pace * told.itl_factor
            context.overrides = structs.replace(context.overrides, pace=pace)
        if told.fault is not None and _counts(
            self._named_counters, "fault", told.fault.counted, given
        ):
            apply_outcome(context, told.fault.fault)
        context.settings = await self._settings(context.settings, told)

    def _failure(self, told: ErrorOverride) -> Failure:
        """The failure that was asked for; what is not said of it is as configured."""
        rates = self._config.errors.rates
        retry = rates.retry_after if told.retry_after is None else told.retry_after
        if told.status is not None:
            made = of_status(told.status, retry, told.after or 0.0)
        else:
            made = failure(FailureKind(told.kind), None, retry, told.after or 0.0)
        if told.after is None and made.kind is FailureKind.TIMEOUT:
            return replace(made, after=rates.timeout_after)
        return made

    async def _settings(self, settings: ModelSettings, told: RequestOverrides) -> ModelSettings:
        """The model's settings, but as this request wants them."""
        if told.target_tokens is not None:
            settings = structs.replace(settings, target_tokens=told.target_tokens)
        if told.latency is not None:
            try:
                profile = told.latency.on(profiles.preset(settings.model.latency))
            except ValueError as error:
                raise invalid(str(error), header("latency")) from None
            settings = structs.replace(settings, draws=await self._drawn(profile))
        if told.generator is not None:
            chosen = told.generator
            turns = chosen.kind == "sequence"
            if turns:
                chosen = self._config.response.generator
            if turns != (chosen.kind == "sequence"):
                message = "the generator sequence needs response.sequence in the configuration"
                raise invalid(message, header("generator"))
            generator = await to_thread(text_generator, chosen)
            settings = structs.replace(settings, generator=generator, takes_turns=turns)
        return settings

    async def _drawn(self, profile: LatencyProfile) -> Draws:
        """A profile's draws; new ones take milliseconds to make."""
        found = self._draws.get(profile)
        if found is None:
            found = await to_thread(draws_of, profile)
            if len(self._draws) >= PROFILES:
                self._draws.clear()
            self._draws[profile] = found
        return found


def _given(port: Port | None, suffix: str) -> tuple[tuple[str, str], ...]:
    """The overrides of a request; headers count over what the model's name says."""
    given = list(suffixed(suffix))
    if port is not None:
        mine = (name for name in port.names() if name.startswith(PREFIX))
        given += [(name, port.header(name) or "") for name in mine]
    return tuple(given)


def _counts(
    named_counters: NamedCounters,
    what: str,
    counted: CountedRequests,
    given: tuple[tuple[str, str], ...],
) -> bool:
    """Whether this request is one of those that are meant. Without a key, all that say the same
    are counted together."""
    name = f"overrides {what} {given if counted.key is None else counted.key!r}"
    if counted.first is not None:
        return named_counters.take(name, counted.first) is not None
    if counted.every is not None:
        return named_counters.advance(name) % counted.every == counted.every - 1
    return True
