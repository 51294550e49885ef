"""Times beside Locust's own, in its statistics: they count as no requests, and fractions of a
millisecond stay. Locust adds up what its workers have.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.stats import RequestStats

MEASURE: Final = "measure"
"""Locust's column Type for a row that is a time and not a request."""
REQUEST: Final = "POST"
DIGITS: Final = 3
"""Significant digits that are kept of a time."""
SHOWN: Final = (0.5, 0.9, 0.95, 0.99)


def rounded(milliseconds: float) -> float:
    """To significant digits: Locust counts times by their rounded values, and its own rounding
    leaves whole milliseconds."""
    if not milliseconds:
        return 0.0
    return round(milliseconds, DIGITS - 1 - math.floor(math.log10(abs(milliseconds))))


def measured(stats: RequestStats, row: str, seconds: float) -> None:
    """Add a time to its row, and not to the total of all requests."""
    stats.get(row, MEASURE).log(seconds * 1e3, 0)  # type: ignore[arg-type]  # a fraction will do


def table(stats: RequestStats) -> Iterator[str]:
    """All measures, as lines."""
    rows = sorted((one for one in stats.entries.values() if one.method == MEASURE), key=_name)
    if rows:
        heads = "".join(f"{f'p{part * 100:g}':>12}" for part in SHOWN)
        yield f"{'milliseconds':<32}{'count':>10}{heads}"
    for one in rows:
        cells = "".join(f"{one.get_response_time_percentile(part):>12.4g}" for part in SHOWN)
        yield f"{one.name:<32}{one.num_requests:>10}{cells}"


def _name(entry: object) -> str:
    return str(getattr(entry, "name", ""))


def judge(environment: Environment, limits: Mapping[str, tuple[str, str]]) -> None:
    """Set exit code 1 where a row's p95 is above its option, or the row is not there, or no request
    was made. ``limits`` has the rows by the options' names: Locust's columns Type and Name."""
    if not environment.stats.total.num_requests:
        logging.error("no request was made")
        environment.process_exit_code = 1
    for name, (kind, row) in limits.items():
        limit = getattr(environment.parsed_options, name.replace("-", "_"))
        if limit is None:
            continue
        entry = environment.stats.entries.get((row, kind))
        if entry is None:
            logging.error("--%s: no '%s' was measured", name, row)
            environment.process_exit_code = 1
        elif (p95 := entry.get_response_time_percentile(0.95)) > limit:
            logging.error("--%s: p95 of '%s' is %g ms, above %g", name, row, p95, limit)
            environment.process_exit_code = 1
