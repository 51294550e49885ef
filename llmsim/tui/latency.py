"""The latency panel: how long things took since the start, in milliseconds."""

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
    ("late", "lateness_ms"),
)
COLUMNS: Final = ("avg", "p50", "p95", "p99", "max")

LATE_MS: Final = 10.0
"""Frames that leave later than this at the 99th percentile are a finding: llmsim was slow."""

NOTHING: Final = LatencyStats()
"""What is shown until the first request is finished."""

_LABEL = 6
_WIDEST = 11


def latency(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """A line for each of :data:`ROWS`; ``late`` is how long after they were due frames left."""
    cell = max(5, min(_WIDEST, (width - _LABEL) // len(COLUMNS)))
    head = " " * _LABEL + "".join(name.rjust(cell) for name in COLUMNS)
    lines = [Text(head, "dim")]
    for label, field in ROWS:
        shown = getattr(stats, field) if stats.requests.finished else NOTHING
        line = Text().append(label.ljust(_LABEL), "bold")
        for name in COLUMNS:
            late = field == "lateness_ms" and name == "p99" and (shown.p99 or 0) > LATE_MS
            line.append(
                number_format.millis(getattr(shown, name)).rjust(cell), "bold red" if late else ""
            )
        lines.append(line)
    return lines
