"""How faults are written: one mapping a fault, each with its rate."""

from __future__ import annotations

from typing import Final

from llmsim.config.containers import Maybe
from llmsim.config.kinds import Kind as Valued
from llmsim.config.kinds import Millis, Number, OneOf, Whole
from llmsim.config.record import Flat, Given, Record, describe
from llmsim.core.errors import FailureKind
from llmsim.core.faults import (
    Cut,
    ErrorEvent,
    Fault,
    FaultPoint,
    FaultSet,
    Malformed,
    Reset,
    Stall,
    Trickle,
    Unterminated,
)

RATE: Final = Number(0, 1)
KINDS: Final = tuple(kind.value for kind in FailureKind)
HOUR: Final = Millis(3_600_000)


def _check_point(point: FaultPoint, given: Given) -> FaultPoint:
    if point.after_tokens is not None and point.after_fraction is not None:
        given.fault("after_fraction", "excludes after_tokens", "after_tokens")
    return point


def _of(kind: type[Fault]) -> Valued[Fault | None]:
    return Maybe(Record(kind))


describe(
    FaultPoint,
    _check_point,
    after_tokens=Maybe(Whole(0, 1_000_000)),
    after_fraction=Maybe(Number(0, 1)),
)
AFTER: Final = Flat(FaultPoint)
describe(Cut, rate=RATE, after=AFTER)
describe(Stall, rate=RATE, after=AFTER, lasts=HOUR)
describe(Trickle, rate=RATE, factor=Number(1, 1000), bytes=Maybe(Whole(1, 1 << 20)), every=HOUR)
describe(Malformed, rate=RATE, after=AFTER)
describe(Reset, rate=RATE, after=AFTER)
describe(Unterminated, rate=RATE)
describe(ErrorEvent, rate=RATE, after=AFTER, kind=OneOf(KINDS))
describe(
    FaultSet,
    cut=_of(Cut),
    stall=_of(Stall),
    trickle=_of(Trickle),
    malformed=_of(Malformed),
    reset=_of(Reset),
    unterminated=_of(Unterminated),
    error_event=_of(ErrorEvent),
)
