"""Requests fail on purpose, as the configuration and its timetable say."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import TypeAlias

from msgspec import structs

from llmsim.config import Config
from llmsim.config.injection import Match, Rule
from llmsim.engine.injection import Odds, Outcome, certain, odds
from llmsim.engine.seeds import mix
from llmsim.engine.timetable import Timetable
from llmsim.errors import BadRequest, Failure
from llmsim.server.books import Books
from llmsim.server.control import Subject
from llmsim.shared.segment import Cursor, Segment
from llmsim.shared.tally import Tally

REMEMBERED = 4096

About: TypeAlias = tuple[str, str, str]  # model, endpoint, dialect


def configured(config: Config) -> bool:
    """Whether a configuration lets any request fail."""
    errors = config.errors
    return bool(errors.rates.total or errors.rules or config.timetable)


def restart(segment: Segment) -> None:
    """Begin the timetable again, for all workers."""
    segment.put(Cursor.TIMETABLE, time.monotonic_ns() // 1000)


def elapsed(segment: Segment) -> float:
    """How long the timetable has been going on, in seconds."""
    return time.monotonic_ns() / 1e9 - segment.reached(Cursor.TIMETABLE) / 1e6


def struck(subject: Subject, outcome: Outcome) -> None:
    """Do to a request what was decided. Raises BadRequest for a failure; a fault is not for an
    answer that nobody waits for."""
    if isinstance(outcome, Failure):
        raise BadRequest(outcome)
    if subject.port is not None:
        subject.orders = structs.replace(subject.orders, fault=outcome)


class Ruling:
    """One rule, ready to be applied. Counted under a name that follows from what it says, so that
    it goes on counting when others change."""

    def __init__(self, rule: Rule) -> None:
        self.match: Match = rule.match
        self.odds: Odds = odds(rule.rates)
        self._first = rule.first
        self._every = rule.every
        self._certain = certain(rule)
        self._name = f"errors {hashlib.blake2b(repr(rule).encode(), digest_size=16).hexdigest()}"

    def counted(self, tally: Tally) -> Outcome | None:
        """What happens to the next request, chance apart."""
        if self._certain is None:
            return None
        if self._first is not None:
            meant = tally.take(self._name, self._first) is not None
        elif self._every is not None:
            meant = tally.advance(self._name) % self._every == self._every - 1
        else:
            meant = True
        return self._certain if meant else None


class Injecting:
    """The step that lets requests fail. The timetable comes before the rules, and those before
    the rates for all."""

    def __init__(
        self, config: Config, books: Books, passed: Callable[[Segment], float] = elapsed
    ) -> None:
        self._segment = books.segment
        self._tally = books.tally
        self._passed = passed
        # Without a seed nobody can expect the same again: each worker then draws for itself.
        self._own = None if config.seed is not None else secrets.randbits(64)
        self._secret = 0 if config.seed is None else mix(config.seed)
        self._timetable = Timetable(config.timetable) if config.timetable else None
        self._rulings = [Ruling(rule) for rule in config.errors.rules]
        self._odds = odds(config.errors.rates)
        self._found: dict[About, Ruling | None] = {}

    async def consider(self, subject: Subject) -> None:
        """Decide about one request. Raises BadRequest to let it fail."""
        endpoint = subject.request.endpoint
        about = (subject.ask.model, endpoint.name, endpoint.dialect.name)
        seed: int | None = None
        if self._timetable is not None:
            now = self._timetable.at(self._passed(self._segment), *about)
            if now is not None:
                seed = self._seed()
                self._stretch(subject, now.pace, now.delay)
                outcome = now.drawn(seed)
                if outcome is not None:
                    struck(subject, outcome)
                    return
        outcome, chances = self._ruled(about)
        if outcome is None and chances.outcomes:
            outcome = chances.drawn(self._seed() if seed is None else seed)
        if outcome is not None:
            struck(subject, outcome)

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
        return ruling.counted(self._tally), ruling.odds

    def _seed(self) -> int:
        """A number for this request alone. Where a seed is configured, the same requests in the
        same order get the same."""
        if self._own is not None:
            self._own += 1
            return mix(self._own)
        return mix(self._secret, self._segment.advance(Cursor.DRAWN))

    def _stretch(self, subject: Subject, pace: float, delay: float) -> None:
        orders = subject.orders
        if (pace, delay) != (1.0, 1.0):
            subject.orders = structs.replace(
                orders, pace=orders.pace * pace, delay=orders.delay * delay
            )
