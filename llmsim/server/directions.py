"""What a request says about itself, in ``x-llmsim-*`` headers or after its model's name, is done.

The first of the steps: an error that was asked for counts against no limit.
"""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import replace
from functools import lru_cache

from msgspec import structs

from llmsim import profiles
from llmsim.config import Config, directions
from llmsim.config.directions import PREFIX, Counted, Directions, Failing
from llmsim.engine.answer import Rules
from llmsim.engine.injection import failure, of_status
from llmsim.engine.latency import Draws, draws_of
from llmsim.errors import ConfigError, Failure, Kind, invalid
from llmsim.profiles import LatencyProfile
from llmsim.server.books import Books
from llmsim.server.control import Subject
from llmsim.server.injecting import struck
from llmsim.server.ports import Port
from llmsim.server.rulebook import speaking
from llmsim.shared.tally import Tally

REMEMBERED = 1024
PROFILES = 64


def directed(port: Port) -> bool:
    """Whether a request may have such headers: one look at the names of all of them."""
    return PREFIX in "".join(port.names())


class Director:
    """The step that does what requests say."""

    def __init__(self, config: Config, books: Books) -> None:
        self._config = config
        self._tally = books.tally
        self._draws: dict[LatencyProfile, Draws] = {}

    async def consider(self, subject: Subject) -> None:
        """Bend the answer as the request says. Raises BadRequest for what it cannot mean."""
        given = _given(subject.port, subject.suffix)
        if not given:
            return
        told = _read(given)
        if told.error is not None and _counts(self._tally, "error", told.error.counted, given):
            struck(subject, self._failure(told.error))
        if told.seed is not None:
            subject.ask = structs.replace(subject.ask, seed=told.seed)
        if told.itl_factor is not None:
            pace = subject.orders.pace * told.itl_factor
            subject.orders = structs.replace(subject.orders, pace=pace)
        if told.fault is not None and _counts(self._tally, "fault", told.fault.counted, given):
            struck(subject, told.fault.fault)
        subject.rules = await self._rules(subject.rules, told)

    def _failure(self, told: Failing) -> Failure:
        """The failure that was asked for; what is not said of it is as configured."""
        rates = self._config.errors.rates
        retry = rates.retry_after if told.retry_after is None else told.retry_after
        if told.status is not None:
            made = of_status(told.status, retry, told.after or 0.0)
        else:
            made = failure(Kind(told.kind), None, retry, told.after or 0.0)
        if told.after is None and made.kind is Kind.TIMEOUT:
            return replace(made, after=rates.timeout_after)
        return made

    async def _rules(self, rules: Rules, told: Directions) -> Rules:
        """The model's rules, but as this request wants them."""
        if told.target_tokens is not None:
            rules = structs.replace(rules, target_tokens=told.target_tokens)
        if told.latency is not None:
            try:
                profile = told.latency.on(profiles.preset(rules.model.latency))
            except ValueError as error:
                raise invalid(str(error), directions.header("latency")) from None
            rules = structs.replace(rules, draws=await self._drawn(profile))
        if told.generator is not None:
            chosen = told.generator
            turns = chosen.kind == "sequence"
            if turns:
                chosen = self._config.response.generator
            if turns != (chosen.kind == "sequence"):
                message = "the generator sequence needs response.sequence in the configuration"
                raise invalid(message, directions.header("generator"))
            generator = await to_thread(speaking, chosen)
            rules = structs.replace(rules, generator=generator, takes_turns=turns)
        return rules

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
    """The directions of a request; headers count over what the model's name says."""
    given = list(directions.suffixed(suffix))
    if port is not None:
        mine = (name for name in port.names() if name.startswith(PREFIX))
        given += [(name, port.header(name) or "") for name in mine]
    return tuple(given)


@lru_cache(maxsize=REMEMBERED)
def _read(given: tuple[tuple[str, str], ...]) -> Directions:
    try:
        return directions.read(given)
    except ConfigError as error:
        raise invalid(str(error), error.faults[0].where) from None


def _counts(tally: Tally, what: str, counted: Counted, given: tuple[tuple[str, str], ...]) -> bool:
    """Whether this request is one of those that are meant. Without a key, all that say the same
    are counted together."""
    name = f"directions {what} {given if counted.key is None else counted.key!r}"
    if counted.first is not None:
        return tally.take(name, counted.first) is not None
    if counted.every is not None:
        return tally.advance(name) % counted.every == counted.every - 1
    return True
