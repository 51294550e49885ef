"""The ``timetable`` section: what goes wrong at which time.

Times count from the start of the timetable: that of the server, until it is restarted. Of the
entries that are on and match a request, the first counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, get_args

from llmsim.config.containers import Maybe
from llmsim.config.document import Node, Scalar
from llmsim.config.faults import KINDS
from llmsim.config.kinds import Number, OneOf, Whole, unfit
from llmsim.config.record import Flat, Given, describe
from llmsim.core.injection import ErrorRates, RequestPattern
from llmsim.core.timetable import Ramp, TimetableEntry

UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
MOST: Final = 30 * 86400.0
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")


@dataclass(frozen=True, slots=True)
class Time:
    """A time in seconds, or with a unit: ``90``, ``90s``, ``1.5m``."""

    valid: str = "a time such as 90, 90s, 3m or 1.5h, up to 720h"

    def read(self, node: Node, key: str) -> float:
        found = _TIME.fullmatch(node.text) if isinstance(node, Scalar) else None
        seconds = float(found[1]) * UNITS[found[2] or "s"] if found else -1.0
        if not 0 <= seconds <= MOST:
            raise unfit(node, key, self.valid)
        return seconds

    def write(self, value: float) -> object:
        return int(value) if value.is_integer() else value


def _check(entry: TimetableEntry, given: Given) -> TimetableEntry:
    """The entry, if it lasts and says one thing."""
    if entry.to is not None and entry.to <= entry.from_:
        given.fault("to", "must be later than from", "from")
    if entry.to is None and entry.ramp != "none":
        given.fault("ramp", "needs an end: set to", "to")
    if entry.kind is not None and entry.status is not None:
        given.fault("status", "excludes kind", "kind")
    if (entry.kind is not None or entry.status is not None) and entry.rates.total:
        name = "kind" if entry.kind is not None else "status"
        given.fault(name, "happens to all requests and excludes rates")
    return entry


describe(
    TimetableEntry,
    _check,
    from_=Time(),
    to=Maybe(Time()),
    match=Flat(RequestPattern),
    kind=Maybe(OneOf(KINDS)),
    status=Maybe(Whole(400, 599)),
    rates=Flat(ErrorRates),
    itl_factor=Number(0, 1000),
    ttft_factor=Number(0, 1000),
    ramp=OneOf(get_args(Ramp)),
)
