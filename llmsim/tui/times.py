"""What the latency panel says: how long things took since the start, in milliseconds."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from llmsim.tui import figures
from llmsim.tui.reading import History
from llmsim.tui.stats import Stats, Times

ROWS: Final = (
    ("total", "latency_ms"),
    ("TTFT", "ttft_ms"),
    ("ITL", "itl_ms"),
    ("queue", "queue_ms"),
    ("late", "lateness_ms"),
)
COLUMNS: Final = ("avg", "p50", "p95", "p99", "max")

LATE_MS: Final = 10.0
"""Frames that leave later than this at the 99th percentile are a finding: llmsim was slow."""

NOTHING: Final = Times()
"""What is shown until the first request is finished."""

_LABEL = 6
_WIDEST = 11


def times(history: History, stats: Stats, width: int, height: int) -> list[Text]:
    """A line for each of :data:`ROWS`; ``late`` is how long after they were due frames left."""
    cell = max(5, min(_WIDEST, (width - _LABEL) // len(COLUMNS)))
    head = " " * _LABEL + "".join(name.rjust(cell) for name in COLUMNS)
    lines = [Text(head, "dim")]
    for label, field in ROWS:
        told = getattr(stats, field) if stats.requests.finished else NOTHING
        line = Text().append(label.ljust(_LABEL), "bold")
        for name in COLUMNS:
            late = field == "lateness_ms" and name == "p99" and (told.p99 or 0) > LATE_MS
            line.append(figures.millis(getattr(told, name)).rjust(cell), "bold red" if late else "")
        lines.append(line)
    return lines
