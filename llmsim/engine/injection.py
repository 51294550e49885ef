"""Which request fails in which way, and what its client is told."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TypeAlias

from msgspec import Struct

from llmsim.config.faults import Fault
from llmsim.config.injection import Rates, Rule
from llmsim.config.timetable import Entry
from llmsim.engine.seeds import fraction
from llmsim.errors import Failure, Kind

# Salts a request's seed for its fate, and for that by the timetable.
FATE = 900
SCHEDULED = 901
RETRY_AFTER = 1.0
TIMEOUT_AFTER = 30.0

# What tells a client when to try again.
WAITING = frozenset(
    {Kind.RATE_LIMIT, Kind.TOKEN_LIMIT, Kind.QUOTA, Kind.UNAVAILABLE, Kind.OVERLOADED}
)
STATUSES: dict[int, Kind] = {
    401: Kind.AUTHENTICATION,
    402: Kind.BILLING,
    403: Kind.PERMISSION,
    404: Kind.NOT_FOUND,
    405: Kind.METHOD,
    408: Kind.TIMEOUT_CLIENT,
    409: Kind.CONFLICT,
    413: Kind.TOO_LARGE,
    422: Kind.UNPROCESSABLE,
    429: Kind.RATE_LIMIT,
    500: Kind.SERVER_ERROR,
    502: Kind.BAD_GATEWAY,
    503: Kind.UNAVAILABLE,
    504: Kind.TIMEOUT,
    529: Kind.OVERLOADED,
}

Outcome: TypeAlias = Failure | Fault


def failure(
    kind: Kind, status: int | None = None, retry: float = RETRY_AFTER, after: float = 0.0
) -> Failure:
    """A failure of that kind, made on purpose, in the dialect's words; ``retry`` counts where
    clients are told to wait."""
    told = retry if kind in WAITING else None
    return Failure(kind, "", retry_after=told, status=status, injected=True, after=after)


def of_status(status: int, retry: float = RETRY_AFTER, after: float = 0.0) -> Failure:
    """The failure a status from 400 to 599 stands for, told with just that status."""
    other = Kind.INVALID if status < 500 else Kind.SERVER_ERROR
    return failure(STATUSES.get(status, other), status, retry, after)


class Odds(Struct, frozen=True):
    """What may happen to a request: outcome i if its draw is below ``bounds[i]`` and no bound
    before that."""

    bounds: tuple[float, ...]
    outcomes: tuple[Outcome, ...]

    def drawn(self, seed: int, salt: int = FATE, scale: float = 1.0) -> Outcome | None:
        """What happens to the request of that seed; ``scale``, from 0 to 1, is a factor on all
        rates."""
        drawn = fraction(seed, salt)
        if drawn >= scale:
            return None
        place = bisect_right(self.bounds, drawn / scale)
        return self.outcomes[place] if place < len(self.outcomes) else None


def odds(rates: Rates) -> Odds:
    """The rates as shares of one draw, so that each is exact."""
    retry = rates.retry_after
    shares: list[tuple[float, Outcome]] = [
        (rates.rate_limit_rate, failure(Kind.RATE_LIMIT, retry=retry)),
        (rates.server_error_rate, failure(Kind.SERVER_ERROR)),
        (rates.timeout_rate, failure(Kind.TIMEOUT, after=rates.timeout_after)),
        (rates.overloaded_rate, failure(Kind.OVERLOADED, retry=retry)),
        (rates.bad_gateway_rate, failure(Kind.BAD_GATEWAY)),
        (rates.authentication_rate, failure(Kind.AUTHENTICATION)),
        *((fault.rate, fault) for fault in rates.faults.each()),
    ]
    happening = [(rate, outcome) for rate, outcome in shares if rate > 0]
    bounds = tuple(accumulate(rate for rate, _ in happening))
    return Odds(bounds, tuple(outcome for _, outcome in happening))


def certain(rule: Rule | Entry) -> Outcome | None:
    """What a rule or an entry of the timetable makes happen without chance, if anything."""
    if isinstance(rule, Rule) and rule.fault is not None:
        return rule.fault.each()[0]
    retry, after = rule.rates.retry_after, rule.rates.timeout_after
    if rule.status is not None:
        timed = after if STATUSES.get(rule.status) is Kind.TIMEOUT else 0.0
        return of_status(rule.status, retry, timed)
    if rule.kind is not None:
        kind = Kind(rule.kind)
        return failure(kind, retry=retry, after=after if kind is Kind.TIMEOUT else 0.0)
    return None
