"""The ``errors`` section: which calls fail on purpose."""

from __future__ import annotations

from typing import Final

from llmsim.config.containers import Each, Maybe
from llmsim.config.faults import HOUR, KINDS, RATE
from llmsim.config.kinds import OneOf, Text, Whole
from llmsim.config.record import Flat, Given, Record, describe
from llmsim.core.faults import FaultSet
from llmsim.core.injection import SHARES, ErrorInjection, ErrorRates, ErrorRule, RequestPattern

# Rates are sums of decimals: 0.1 ten times is a little less or more than 1.
ROUNDING: Final = 1e-9
COUNTED: Final = Maybe(Whole(1, 1_000_000_000))
SURE: Final = ("kind", "status", "fault")


def _check_rates(rates: ErrorRates, given: Given) -> ErrorRates:
    """The rates, if they leave room for each other."""
    total = rates.total
    if total > 1 + ROUNDING:
        set_here = [name for name in (*SHARES, "faults") if name in given]
        message = f"the rates add up to {total:.12g}, which is more than 1"
        given.fault(set_here[-1], message, *set_here)
    return rates


def _check_rule(rule: ErrorRule, given: Given) -> ErrorRule:
    """The rule, if it says one thing."""
    struck = [name for name in SURE if name in given]
    if len(struck) > 1:
        given.fault(struck[1], f"excludes {struck[0]}", *struck)
    if rule.first is not None and rule.every is not None:
        given.fault("every", "excludes first", "first")
    if not struck:
        for name in ("first", "every"):
            if name in given:
                given.fault(name, f"needs one of {', '.join(SURE)}: what happens to them")
    faults = rule.fault.each() if rule.fault is not None else ()
    if rule.fault is not None and len(faults) != 1:
        given.fault("fault", f"must name one fault, not {len(faults)}")
    elif any(fault.rate for fault in faults):
        given.fault("fault", "has no rate: it happens to every request that is counted")
    return rule


describe(
    ErrorRates,
    _check_rates,
    **dict.fromkeys(SHARES, RATE),
    timeout_after=HOUR,
    retry_after=HOUR,
    faults=Record(FaultSet),
)
describe(RequestPattern, model=Text(), endpoint=Text(), dialect=Text())
describe(
    ErrorRule,
    _check_rule,
    match=Flat(RequestPattern),
    first=COUNTED,
    every=COUNTED,
    kind=Maybe(OneOf(KINDS)),
    status=Maybe(Whole(400, 599)),
    fault=Maybe(Record(FaultSet)),
    rates=Flat(ErrorRates),
)
describe(ErrorInjection, rates=Flat(ErrorRates), rules=Each(Record(ErrorRule)))
