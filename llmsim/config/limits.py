"""The ``rate_limits`` and ``concurrency`` sections: how much is let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from llmsim.config.containers import Each, Maybe
from llmsim.config.document import Node, wrong
from llmsim.config.kinds import Millis, Switch, Text, Whole
from llmsim.config.record import Given, Record, describe
from llmsim.core.rate_limits import BURSTS, LIMITS, Concurrency, RateLimit

LIMIT: Final = Maybe(Whole(1, 1_000_000_000))
DAILY: Final = Maybe(Whole(1, 10_000_000))
PLACES: Final = Maybe(Whole(1, 1_000_000))
DAY: Final = Millis(86_400_000)


def _check_limit(rule: RateLimit, given: Given) -> RateLimit:
    """The rule, if it limits anything, and every burst has its limit."""
    if all(getattr(rule, name) is None for name in LIMITS):
        given.fault(LIMITS[0], f"is missing: a rule sets one of {', '.join(LIMITS)}", *LIMITS)
    for limit, burst in BURSTS.items():
        if getattr(rule, burst) is not None and getattr(rule, limit) is None:
            given.fault(burst, f"is the burst of {limit}, which is not set", limit)
    return rule


def _check_concurrency(section: Concurrency, given: Given) -> Concurrency:
    """The section, if there is anything to wait for."""
    if section.max_concurrency is None and section != Concurrency():
        message = "is missing: without it nothing ever waits"
        given.fault("max_concurrency", message, "queue_limit", "queue_timeout_ms")
    return section


describe(
    RateLimit,
    _check_limit,
    key=Text(),
    model=Text(),
    **dict.fromkeys((*BURSTS, *BURSTS.values()), LIMIT),
    requests_per_day=DAILY,
    concurrent_requests=PLACES,
    per_model=Switch(),
)
describe(
    Concurrency,
    _check_concurrency,
    max_concurrency=PLACES,
    queue_limit=Whole(0, 1_000_000),
    queue_timeout=DAY,
)

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
