"""Requests fail on purpose, as the configuration and its timetable say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

from msgspec import structs

from llmsim.core import Finish
from llmsim.core.errors import BadRequest, Failure
from llmsim.core.faults import ContentFilter
from llmsim.core.injection import ErrorInjection, ErrorRule, RequestPattern
from llmsim.core.state import Counters, PipelineState
from llmsim.core.timetable import TimetableEntry
from llmsim.engine.faults.injection import Odds, Outcome, certain, odds
from llmsim.engine.faults.timetable import Timetable
from llmsim.engine.mocks.rendered import RenderedMock
from llmsim.engine.seeds import mix
from llmsim.pipeline.context import RequestContext

REMEMBERED = 4096
FILTERED = RenderedMock("I", finish=Finish.FILTER)
"""The beginning of an answer that a content filter ends."""

About: TypeAlias = tuple[str, str, str]  # model, endpoint, dialect


def any_configured(errors: ErrorInjection, timetable: Sequence[TimetableEntry]) -> bool:
    """Whether a configuration lets any request fail."""
    return bool(errors.rates.total or errors.rules or timetable)


def apply_outcome(context: RequestContext, outcome: Outcome) -> None:
    """Do to a request what was decided. Raises BadRequest for a failure; a fault is not for an
    answer that nobody waits for."""
    if isinstance(outcome, Failure):
        raise BadRequest(outcome)
    if isinstance(outcome, ContentFilter):
        context.overrides = structs.replace(context.overrides, mock=FILTERED)
        return
    if context.call.caller is not None:
        context.overrides = structs.replace(context.overrides, fault=outcome)


class FaultRule:
    """One rule, ready to be applied. Counted under a name that follows from what it says, so that
    it goes on counting when others change."""

    def __init__(self, rule: ErrorRule, place: str) -> None:
        self.place = place
        self.match: RequestPattern = rule.match
        self.odds: Odds = odds(rule.rates)
        self._first = rule.first
        self._every = rule.every
        self._certain = certain(rule)
        self._name = f"errors {hashlib.blake2b(repr(rule).encode(), digest_size=16).hexdigest()}"

    def counted(self, counters: Counters) -> Outcome | None:
        """What happens to the next request, chance apart."""
        if self._certain is None:
            return None
        if self._first is not None:
            happens = counters.take(self._name, self._first) is not None
        elif self._every is not None:
            happens = counters.advance(self._name) % self._every == self._every - 1
        else:
            happens = True
        return self._certain if happens else None


class FaultStep:
    """The step that lets requests fail. The timetable comes before the rules, and those before
    the rates for all."""

    def __init__(
        self,
        errors: ErrorInjection,
        timetable: Sequence[TimetableEntry],
        seed: int | None,
        state: PipelineState,
    ) -> None:
        self._counters = state.counters
        self._order = state.order
        self._elapsed = state.elapsed
        # Without a seed nobody can expect the same again: each worker then draws for itself.
        self._fresh = state.fresh if seed is None else None
        self._secret = 0 if seed is None else mix(seed)
        self._timetable = Timetable(timetable) if timetable else None
        self._rules = [
            FaultRule(rule, f"errors.rules[{index}]") for index, rule in enumerate(errors.rules)
        ]
        self._odds = odds(errors.rates)
        self._found: dict[About, FaultRule | None] = {}

    async def consider(self, context: RequestContext) -> None:
        """Decide about one request. Raises BadRequest to let it fail."""
        endpoint = context.call.endpoint
        about = (context.request.model, endpoint.name, endpoint.codec.name)
        seed: int | None = None
        if self._timetable is not None:
            now = self._timetable.at(self._elapsed(), *about)
            if now is not None:
                seed = self._seed()
                _stretch(context, now.pace, now.delay)
                outcome = now.outcome(seed)
                if outcome is not None:
                    context.call.rule = "timetable"
                    apply_outcome(context, outcome)
                    return
        outcome, chances, place = self._ruled(about)
        if outcome is None and chances.outcomes:
            outcome = chances.outcome(self._seed() if seed is None else seed)
        if outcome is not None:
            context.call.rule = place
            apply_outcome(context, outcome)

    def _ruled(self, about: About) -> tuple[Outcome | None, Odds, str]:
        """What happens for certain, the chances of anything else, and the key that says so."""
        if not self._rules:
            return None, self._odds, "errors"
        try:
            rule = self._found[about]
        except KeyError:
            rule = next((one for one in self._rules if one.match.matches(*about)), None)
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[about] = rule
        if rule is None:
            return None, self._odds, "errors"
        return rule.counted(self._counters), rule.odds, rule.place

    def _seed(self) -> int:
        """A number for this request alone. Where a seed is configured, the same requests in the
        same order get the same."""
        if self._fresh is not None:
            return mix(self._fresh())
        return mix(self._secret, self._order.draw())


def _stretch(context: RequestContext, pace: float, delay: float) -> None:
    """Multiply the gaps between tokens by ``pace`` and the time to first token by ``delay``."""
    overrides = context.overrides
    if (pace, delay) != (1.0, 1.0):
        context.overrides = structs.replace(
            overrides, pace=overrides.pace * pace, delay=overrides.delay * delay
        )
