"""The ``timetable`` section: what goes wrong at which time.

Times count from the start of the timetable: that of the server, until it is restarted. Of the
entries that are on and match a request, the first counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias, get_args

from llmsim.config.containers import Maybe
from llmsim.config.document import Node, Scalar
from llmsim.config.faults import KINDS
from llmsim.config.injection import EVERYTHING, NO_RATES, Match, Rates
from llmsim.config.kinds import Number, OneOf, Whole, unfit
from llmsim.config.record import Flat, Given

UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
MOST: Final = 30 * 86400.0
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")

Ramp: TypeAlias = Literal["none", "up", "down"]


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


@dataclass(frozen=True, slots=True)
class Entry:
    """What happens from ``from_`` to ``to``, in seconds of the timetable; ``to`` None is for good.

    ``itl_factor`` and ``ttft_factor`` stretch the pace of answers. ``kind`` or ``status`` happens
    to all requests, in place of rates. A ramp takes rates and factors up from nothing (0 and 1)
    in the course of the entry, or down to it.
    """

    from_: Annotated[float, Time()] = 0.0
    to: Annotated[float | None, Maybe(Time())] = None
    match: Annotated[Match, Flat(Match)] = EVERYTHING
    kind: Annotated[str | None, Maybe(OneOf(KINDS))] = None
    status: Annotated[int | None, Maybe(Whole(400, 599))] = None
    rates: Annotated[Rates, Flat(Rates)] = NO_RATES
    itl_factor: Annotated[float, Number(0, 1000)] = 1.0
    ttft_factor: Annotated[float, Number(0, 1000)] = 1.0
    ramp: Annotated[Ramp, OneOf(get_args(Ramp))] = "none"

    def checked(self, given: Given) -> Entry:
        """The entry, if it lasts and says one thing."""
        if self.to is not None and self.to <= self.from_:
            given.fault("to", "must be later than from", "from")
        if self.to is None and self.ramp != "none":
            given.fault("ramp", "needs an end: set to", "to")
        if self.kind is not None and self.status is not None:
            given.fault("status", "excludes kind", "kind")
        if (self.kind is not None or self.status is not None) and self.rates.total:
            name = "kind" if self.kind is not None else "status"
            given.fault(name, "happens to all requests and excludes rates")
        return self
