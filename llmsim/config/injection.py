"""The ``errors`` section: which calls fail on purpose.

Of ``rules`` the first that matches counts, and a request no rule matches goes by the section's
own rates. A rule fails certain requests of those it matches (``first`` or ``every`` of them, or
all) and leaves the others to its rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from llmsim.config.containers import Each, Maybe
from llmsim.config.faults import HOUR, KINDS, NONE, Faults, Rate
from llmsim.config.kinds import OneOf, Text, Whole
from llmsim.config.patterns import matches
from llmsim.config.record import Flat, Given, Record

# Rates are sums of decimals: 0.1 ten times is a little less or more than 1.
ROUNDING: Final = 1e-9
SHARES: Final = (
    "rate_limit_rate",
    "server_error_rate",
    "timeout_rate",
    "overloaded_rate",
    "bad_gateway_rate",
    "authentication_rate",
)
COUNTED: Final = Maybe(Whole(1, 1_000_000_000))
SURE: Final = ("kind", "status", "fault")


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of requests, from 0 to 1, that fail in each way.

    A timeout is told ``timeout_after`` seconds after the request. ``retry_after`` is what clients
    that are throttled are told to wait, in seconds.
    """

    rate_limit_rate: Rate = 0.0
    server_error_rate: Rate = 0.0
    timeout_rate: Rate = 0.0
    timeout_after: Annotated[float, HOUR] = 30.0
    overloaded_rate: Rate = 0.0
    bad_gateway_rate: Rate = 0.0
    authentication_rate: Rate = 0.0
    retry_after: Annotated[float, HOUR] = 1.0
    faults: Annotated[Faults, Record(Faults)] = NONE

    @property
    def total(self) -> float:
        """The share of requests that something happens to."""
        failing: float = sum(getattr(self, name) for name in SHARES)
        return failing + sum(fault.rate for fault in self.faults.each())

    def checked(self, given: Given) -> Rates:
        """The rates, if they leave room for each other."""
        total = self.total
        if total > 1 + ROUNDING:
            set_here = [name for name in (*SHARES, "faults") if name in given]
            message = f"the rates add up to {total:.12g}, which is more than 1"
            given.fault(set_here[-1], message, *set_here)
        return self


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests are meant: shell patterns of the model, the endpoint and the dialect."""

    model: Annotated[str, Text()] = "*"
    endpoint: Annotated[str, Text()] = "*"
    dialect: Annotated[str, Text()] = "*"

    def matches(self, model: str, endpoint: str, dialect: str) -> bool:
        """Whether a request is meant."""
        return (
            matches(self.model, model)
            and matches(self.endpoint, endpoint)
            and matches(self.dialect, dialect)
        )


EVERYTHING: Final = Match()
NO_RATES: Final = Rates()


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to the requests it matches.

    ``kind``, ``status`` or ``fault`` happens to the ``first`` of them, or to ``every`` so-and-so
    manieth, or to all of them; the others go by ``rates``.
    """

    match: Annotated[Match, Flat(Match)] = EVERYTHING
    first: Annotated[int | None, COUNTED] = None
    every: Annotated[int | None, COUNTED] = None
    kind: Annotated[str | None, Maybe(OneOf(KINDS))] = None
    status: Annotated[int | None, Maybe(Whole(400, 599))] = None
    fault: Annotated[Faults | None, Maybe(Record(Faults))] = None
    rates: Annotated[Rates, Flat(Rates)] = NO_RATES

    @property
    def sure(self) -> bool:
        """Whether something happens to certain requests."""
        return self.kind is not None or self.status is not None or self.fault is not None

    def checked(self, given: Given) -> Rule:
        """The rule, if it says one thing."""
        struck = [name for name in SURE if name in given]
        if len(struck) > 1:
            given.fault(struck[1], f"excludes {struck[0]}", *struck)
        if self.first is not None and self.every is not None:
            given.fault("every", "excludes first", "first")
        if not struck:
            for name in ("first", "every"):
                if name in given:
                    given.fault(name, f"needs one of {', '.join(SURE)}: what happens to them")
        faults = self.fault.each() if self.fault is not None else ()
        if self.fault is not None and len(faults) != 1:
            given.fault("fault", f"must name one fault, not {len(faults)}")
        elif any(fault.rate for fault in faults):
            given.fault("fault", "has no rate: it happens to every request that is counted")
        return self


@dataclass(frozen=True, slots=True)
class Errors:
    """The rates, and the rules for certain requests."""

    rates: Annotated[Rates, Flat(Rates)] = NO_RATES
    rules: Annotated[tuple[Rule, ...], Each(Record(Rule))] = ()
