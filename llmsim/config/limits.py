"""The ``rate_limits`` and ``concurrency`` sections: how much is let in.

Rules are tried in the order of the file, and the first whose patterns match the caller's API key
and the model counts. Its buckets are for each key by itself; callers without a key share theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from llmsim.config.containers import Each, Maybe
from llmsim.config.document import Node, wrong
from llmsim.config.kinds import Millis, Switch, Text, Whole
from llmsim.config.patterns import matches
from llmsim.config.record import Given, Record

LIMIT: Final = Maybe(Whole(1, 1_000_000_000))
DAILY: Final = Maybe(Whole(1, 10_000_000))
PLACES: Final = Maybe(Whole(1, 1_000_000))
DAY: Final = Millis(86_400_000)

Bound: TypeAlias = Annotated[int | None, LIMIT]

# A limit, and the key of its burst.
BURSTS: Final = {
    "requests_per_minute": "burst",
    "tokens_per_minute": "tokens_burst",
    "input_tokens_per_minute": "input_tokens_burst",
    "output_tokens_per_minute": "output_tokens_burst",
}
LIMITS: Final = (*BURSTS, "requests_per_day", "concurrent_requests")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What one caller may do; None where there is no limit.

    A burst is what may be taken at once after a rest, the limit itself if it is None. The models
    a rule matches share its buckets unless it is ``per_model``.
    """

    key: Annotated[str, Text()] = "*"
    model: Annotated[str, Text()] = "*"
    requests_per_minute: Bound = None
    tokens_per_minute: Bound = None
    input_tokens_per_minute: Bound = None
    output_tokens_per_minute: Bound = None
    requests_per_day: Annotated[int | None, DAILY] = None
    concurrent_requests: Annotated[int | None, PLACES] = None
    burst: Bound = None
    tokens_burst: Bound = None
    input_tokens_burst: Bound = None
    output_tokens_burst: Bound = None
    per_model: Annotated[bool, Switch()] = False

    def matches(self, key: str, model: str) -> bool:
        """Whether the rule is for that caller and model. ``key`` is empty for callers without."""
        return matches(self.key, key) and matches(self.model, model)

    def checked(self, given: Given) -> RateLimit:
        """The rule, if it limits anything, and every burst has its limit."""
        if all(getattr(self, name) is None for name in LIMITS):
            given.fault(LIMITS[0], f"is missing: a rule sets one of {', '.join(LIMITS)}", *LIMITS)
        for limit, burst in BURSTS.items():
            if getattr(self, burst) is not None and getattr(self, limit) is None:
                given.fault(burst, f"is the burst of {limit}, which is not set", limit)
        return self


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many requests are answered at the same time, over all workers; None is any number.

    Further ones wait, at most ``queue_limit`` of them and ``queue_timeout`` seconds each.
    """

    max_concurrency: Annotated[int | None, PLACES] = None
    queue_limit: Annotated[int, Whole(0, 1_000_000)] = 1000
    queue_timeout: Annotated[float, DAY] = 60.0

    def checked(self, given: Given) -> Concurrency:
        """The section, if there is anything to wait for."""
        if self.max_concurrency is None and self != Concurrency():
            message = "is missing: without it nothing ever waits"
            given.fault("max_concurrency", message, "queue_limit", "queue_timeout_ms")
        return self


EACH: Final = Each(Record(RateLimit))


@dataclass(frozen=True, slots=True)
class Rules:
    """A list of rules, no two of them for the same keys and models."""

    valid: str = EACH.valid

    def read(self, node: Node, key: str) -> tuple[RateLimit, ...]:
        rules = EACH.read(node, key)
        seen: dict[tuple[str, str], int] = {}
        for place, rule in enumerate(rules):
            first = seen.setdefault((rule.key, rule.model), place)
            if first != place:
                message = f"is for the same keys and models as {key}[{first}], which matches first"
                raise wrong(node.nodes[place].place, f"{key}[{place}]", message)  # type: ignore[union-attr]
        return rules

    def write(self, value: tuple[RateLimit, ...]) -> object:
        return EACH.write(value)
