"""Which request fails in which way, and the failure its client gets."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TypeAlias

from llmsim.core.errors import Failure, FailureKind
from llmsim.core.faults import Fault
from llmsim.core.injection import ErrorRates, ErrorRule
from llmsim.core.timetable import TimetableEntry
from llmsim.core.value import Value
from llmsim.engine.seeds import fraction

# Salts a request's seed for its outcome, and for that by the timetable.
OUTCOME = 900
SCHEDULED = 901
RETRY_AFTER = 1.0
TIMEOUT_AFTER = 30.0

# Kinds whose answer says when to try again.
WAITING = frozenset(
    {
        FailureKind.RATE_LIMIT,
        FailureKind.TOKEN_LIMIT,
        FailureKind.QUOTA,
        FailureKind.UNAVAILABLE,
        FailureKind.OVERLOADED,
    }
)
STATUSES: dict[int, FailureKind] = {
    401: FailureKind.AUTHENTICATION,
    402: FailureKind.BILLING,
    403: FailureKind.PERMISSION,
    404: FailureKind.NOT_FOUND,
    405: FailureKind.METHOD,
    408: FailureKind.TIMEOUT_CLIENT,
    409: FailureKind.CONFLICT,
    413: FailureKind.TOO_LARGE,
    422: FailureKind.UNPROCESSABLE,
    429: FailureKind.RATE_LIMIT,
    500: FailureKind.SERVER_ERROR,
    502: FailureKind.BAD_GATEWAY,
    503: FailureKind.UNAVAILABLE,
    504: FailureKind.TIMEOUT,
    529: FailureKind.OVERLOADED,
}

Outcome: TypeAlias = Failure | Fault


def failure(
    kind: FailureKind, status: int | None = None, retry: float = RETRY_AFTER, after: float = 0.0
) -> Failure:
    """A failure of that kind, made on purpose, with the provider's message for it; ``retry`` (s)
    counts for kinds that come with a time to wait."""
    wait = retry if kind in WAITING else None
    return Failure(kind, "", retry_after=wait, status=status, injected=True, after=after)


def of_status(status: int, retry: float = RETRY_AFTER, after: float = 0.0) -> Failure:
    """The failure a status from 400 to 599 stands for, answered with just that status."""
    other = FailureKind.INVALID if status < 500 else FailureKind.SERVER_ERROR
    return failure(STATUSES.get(status, other), status, retry, after)


class Odds(Value, frozen=True, gc=False):
    """What may happen to a request: outcome i if its fraction is below ``bounds[i]`` and no bound
    before that."""

    bounds: tuple[float, ...]
    outcomes: tuple[Outcome, ...]

    def outcome(self, seed: int, salt: int = OUTCOME, scale: float = 1.0) -> Outcome | None:
        """What happens to the request of that seed; ``scale``, from 0 to 1, is a factor on all
        rates."""
        share = fraction(seed, salt)
        if share >= scale:
            return None
        index = bisect_right(self.bounds, share / scale)
        return self.outcomes[index] if index < len(self.outcomes) else None


def odds(rates: ErrorRates) -> Odds:
    """The rates as ranges of one random number, so that each is exact."""
    retry = rates.retry_after
    shares: list[tuple[float, Outcome]] = [
        (rates.rate_limit_rate, failure(FailureKind.RATE_LIMIT, retry=retry)),
        (rates.server_error_rate, failure(FailureKind.SERVER_ERROR)),
        (rates.timeout_rate, failure(FailureKind.TIMEOUT, after=rates.timeout_after)),
        (rates.overloaded_rate, failure(FailureKind.OVERLOADED, retry=retry)),
        (rates.bad_gateway_rate, failure(FailureKind.BAD_GATEWAY)),
        (rates.authentication_rate, failure(FailureKind.AUTHENTICATION)),
        *((fault.rate, fault) for fault in rates.faults.each()),
    ]
    happening = [(rate, outcome) for rate, outcome in shares if rate > 0]
    bounds = tuple(accumulate(rate for rate, _ in happening))
    return Odds(bounds, tuple(outcome for _, outcome in happening))


def certain(rule: ErrorRule | TimetableEntry) -> Outcome | None:
    """What a rule or an entry of the timetable makes happen without chance, if anything."""
    if isinstance(rule, ErrorRule) and rule.fault is not None:
        return rule.fault.each()[0]
    retry, after = rule.rates.retry_after, rule.rates.timeout_after
    if rule.status is not None:
        timed = after if STATUSES.get(rule.status) is FailureKind.TIMEOUT else 0.0
        return of_status(rule.status, retry, timed)
    if rule.kind is not None:
        kind = FailureKind(rule.kind)
        return failure(kind, retry=retry, after=after if kind is FailureKind.TIMEOUT else 0.0)
    return None
