"""Requests fail on purpose, as the configuration and its timetable say."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import TypeAlias

from msgspec import structs

from llmsim.core.errors import BadRequest, Failure
from llmsim.core.injection import ErrorRule, RequestPattern
from llmsim.engine.faults.injection import Odds, Outcome, certain, odds
from llmsim.engine.faults.timetable import Timetable
from llmsim.engine.seeds import mix
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.settings import PipelineSettings
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.named_counters import NamedCounters
from llmsim.state.shm.segment import Cursor, Segment

REMEMBERED = 4096

About: TypeAlias = tuple[str, str, str]  # model, endpoint, dialect


def any_configured(config: PipelineSettings) -> bool:
    """Whether a configuration lets any request fail."""
    errors = config.errors
    return bool(errors.rates.total or errors.rules or config.timetable)


def restart(segment: Segment) -> None:
    """Begin the timetable again, for all workers."""
    segment.put(Cursor.TIMETABLE, time.monotonic_ns() // 1000)


def elapsed(segment: Segment) -> float:
    """How long the timetable has been going on, in seconds."""
    return time.monotonic_ns() / 1e9 - segment.reached(Cursor.TIMETABLE) / 1e6


def apply_outcome(context: RequestContext, outcome: Outcome) -> None:
    """Do to a request what was decided. Raises BadRequest for a failure; a fault is not for an
    answer that nobody waits for."""
    if isinstance(outcome, Failure):
        raise BadRequest(outcome)
    if context.port is not None:
        context.overrides = structs.replace(context.overrides, fault=outcome)


class FaultRule:
    """One rule, ready to be applied. Counted under a name that follows from what it says, so that
    it goes on counting when others change."""

    def __init__(self, rule: ErrorRule) -> None:
        self.match: RequestPattern = rule.match
        self.odds: Odds = odds(rule.rates)
        self._first = rule.first
        self._every = rule.every
        self._certain = certain(rule)
        self._name = f"errors {hashlib.blake2b(repr(rule).encode(), digest_size=16).hexdigest()}"

    def counted(self, named_counters: NamedCounters) -> Outcome | None:
        """What happens to the next request, chance apart."""
        if self._certain is None:
            return None
        if self._first is not None:
            meant = named_counters.take(self._name, self._first) is not None
        elif self._every is not None:
            meant = named_counters.advance(self._name) % self._every == self._every - 1
        else:
            meant = True
        return self._certain if meant else None


class FaultStep:
    """The step that lets requests fail. The timetable comes before the rules, and those before
    the rates for all."""

    def __init__(
        self,
        config: PipelineSettings,
        shared: SharedState,
        passed: Callable[[Segment], float] = elapsed,
    ) -> None:
        self._segment = shared.segment
        self._named_counters = shared.named_counters
        self._passed = passed
        # Without a seed nobody can expect the same again: each worker then draws for itself.
        self._own = None if config.seed is not None else secrets.randbits(64)
        self._secret = 0 if config.seed is None else mix(config.seed)
        self._timetable = Timetable(config.timetable) if config.timetable else None
        self._rulings = [FaultRule(rule) for rule in config.errors.rules]
        self._odds = odds(config.errors.rates)
        self._found: dict[About, FaultRule | None] = {}

    async def consider(self, context: RequestContext) -> None:
        """Decide about one request. Raises BadRequest to let it fail."""
        endpoint = context.lifecycle.endpoint
        about = (context.request.model, endpoint.name, endpoint.codec.name)
        seed: int | None = None
        if self._timetable is not None:
            now = self._timetable.at(self._passed(self._segment), *about)
            if now is not None:
                seed = self._seed()
                self._stretch(context, now.pace, now.delay)
                outcome = now.outcome(seed)
                if outcome is not None:
                    apply_outcome(context, outcome)
                    return
        outcome, chances = self._ruled(about)
        if outcome is None and chances.outcomes:
            outcome = chances.outcome(self._seed() if seed is None else seed)
        if outcome is not None:
            apply_outcome(context, outcome)

    def _ruled(self, about: About) -> tuple[Outcome | None, Odds]:
        """What happens for certain, and the chances of anything else."""
        if not self._rulings:
            return None, self._odds
        try:
            ruling = self._found[about]
        except KeyError:
            ruling = next((one for one in self._rulings if one.match.matches(*about)), None)
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[about] = ruling
        if ruling is None:
            return None, self._odds
        return ruling.counted(self._named_counters), ruling.odds

    def _seed(self) -> int:
        """A number for this request alone. Where a seed is configured, the same requests in the
        same order get the same."""
        if self._own is not None:
            self._own += 1
            return mix(self._own)
        return mix(self._secret, self._segment.advance(Cursor.RANDOM_FAULTS))

    def _stretch(self, context: RequestContext, pace: float, delay: float) -> None:
        overrides = context.overrides
        if (pace, delay) != (1.0, 1.0):
            context.overrides = structs.replace(
                overrides, pace=overrides.pace * pace, delay=overrides.delay * delay
            )
