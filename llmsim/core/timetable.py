"""What goes wrong at which time.

Times count from the start of the timetable: that of the server, until it is restarted. Of the
entries that are on and match a request, the first counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from llmsim.core.injection import EVERY_REQUEST, NO_RATES, ErrorRates, RequestPattern

Ramp: TypeAlias = Literal["none", "up", "down"]


@dataclass(frozen=True, slots=True)
class TimetableEntry:
    """What happens from ``from_`` to ``to``, in seconds of the timetable; ``to`` None is for good.

    ``itl_factor`` and ``ttft_factor`` stretch the pace of answers. ``kind`` or ``status`` happens
    to all requests, in place of rates. A ramp takes rates and factors up from nothing (0 and 1)
    in the course of the entry, or down to it.
    """

    from_: float = 0.0
    to: float | None = None
    match: RequestPattern = EVERY_REQUEST
    kind: str | None = None
    status: int | None = None
    rates: ErrorRates = NO_RATES
    itl_factor: float = 1.0
    ttft_factor: float = 1.0
    ramp: Ramp = "none"
