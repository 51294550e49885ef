"""The latency panel: how long things took in the last minute, and since the start; all in
milliseconds."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from llmsim.tui import number_format
from llmsim.tui.history import History
from llmsim.tui.stats import LatencyStats, ServerStats

ROWS: Final = (
    ("total", "latency_ms"),
    ("TTFT", "ttft_ms"),
    ("ITL", "itl_ms"),
    ("queue", "queue_ms"),
    ("arriv", "arrival_lag_ms"),
    ("late", "lateness_ms"),
    ("out", "output_lag_ms"),
)
PARTS: Final = ("arriv", "out")
"""The rows that give way where there is little room."""
COLUMNS: Final = ("avg", "p50", "p95", "p99", "max")
MINUTE: Final = ("p50", "p95", "p99")
"""The columns of the last minute, where the server has it."""
WIDE: Final = 54
"""Characters from which all columns have room beside these; else average and maximum give way."""

LATE_MS: Final = 10.0
"""Frames that leave later than this at the 99th percentile are a finding: llmsim was slow."""

NOTHING: Final = LatencyStats()
"""What is shown until the first request is finished."""

_LABEL = 6
_WIDEST = 11


def latency(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """A line for each of :data:`ROWS`, the last minute beside all since the start; ``late`` is how
    long after they were due frames left, ``arriv`` what passed before and ``out`` after that: from
    a request's arrival to its handler, and from the scheduler to the socket."""
    minute = stats.last_minute
    recent = () if minute is None else MINUTE
    since = COLUMNS if minute is None or width >= WIDE else MINUTE
    cell = max(5, min(_WIDEST, (width - _LABEL) // (len(recent) + len(since))))
    names = [f"1m{name[1:]}" for name in recent] + list(since)
    lines = [Text(" " * _LABEL + "".join(name.rjust(cell) for name in names), "dim")]
    for label, field in ROWS:
        if label in PARTS and height <= len(ROWS):
            continue
        shown = getattr(stats, field) if stats.requests.finished else NOTHING
        now = (minute or {}).get(field) or NOTHING
        line = Text().append(label.ljust(_LABEL), "bold")
        for times, columns in ((now, recent), (shown, since)):
            for name in columns:
                late = field == "lateness_ms" and name == "p99" and (times.p99 or 0) > LATE_MS
                value = number_format.millis(getattr(times, name))
                line.append(value.rjust(cell), "bold red" if late else "")
        lines.append(line)
    return lines
