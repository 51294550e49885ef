"""Which calls fail on purpose.

Of ``rules`` the first that matches counts, and a request no rule matches goes by the rates for
all. A rule fails certain requests of those it matches (``first`` or ``every`` of them, or all)
and leaves the others to its own rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from llmsim.core.faults import NO_FAULTS, FaultSet
from llmsim.core.patterns import matches

SHARES: Final = (
    "rate_limit_rate",
    "server_error_rate",
    "timeout_rate",
    "overloaded_rate",
    "bad_gateway_rate",
    "authentication_rate",
)


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Shares of requests, from 0 to 1, that fail in each way.

    A timeout is answered ``timeout_after`` seconds after the request. ``retry_after`` is how long
    clients that are throttled are asked to wait, in seconds.
    """

    rate_limit_rate: float = 0.0
    server_error_rate: float = 0.0
    timeout_rate: float = 0.0
    timeout_after: float = 30.0
    overloaded_rate: float = 0.0
    bad_gateway_rate: float = 0.0
    authentication_rate: float = 0.0
    retry_after: float = 1.0
    faults: FaultSet = NO_FAULTS

    @property
    def total(self) -> float:
        """The share of requests that something happens to."""
        failing: float = sum(getattr(self, name) for name in SHARES)
        return failing + sum(fault.rate for fault in self.faults.each())


@dataclass(frozen=True, slots=True)
class RequestPattern:
    """Which requests are meant: shell patterns of the model, the endpoint and the dialect."""

    model: str = "*"
    endpoint: str = "*"
    dialect: str = "*"

    def matches(self, model: str, endpoint: str, dialect: str) -> bool:
        """Whether a request is meant."""
        return (
            matches(self.model, model)
            and matches(self.endpoint, endpoint)
            and matches(self.dialect, dialect)
        )


EVERY_REQUEST: Final = RequestPattern()
NO_RATES: Final = ErrorRates()


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """What happens to the requests it matches.

    ``kind``, ``status`` or ``fault`` happens to the ``first`` so many of them, or to every
    ``every``-th, or to all of them; the others go by ``rates``.
    """

    match: RequestPattern = EVERY_REQUEST
    first: int | None = None
    every: int | None = None
    kind: str | None = None
    status: int | None = None
    fault: FaultSet | None = None
    rates: ErrorRates = NO_RATES


@dataclass(frozen=True, slots=True)
class ErrorInjection:
    """The rates for all requests, and the rules for certain ones."""

    rates: ErrorRates = NO_RATES
    rules: tuple[ErrorRule, ...] = ()
