"""The panels of requests and tokens: a rate, its history, the totals."""

from __future__ import annotations

from rich.text import Text

from llmsim.tui import number_format
from llmsim.tui.history import History
from llmsim.tui.stats import ServerStats


def requests(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """Requests a second as they arrive, those that are open, and how many there were."""
    counted = stats.requests
    active = number_format.count(counted.active)
    head = apart(
        f"{number_format.rate(history.rate('requests'))} req/s",
        f"active {active}, streams {number_format.count(counted.active_streaming)}",
        width,
        "bold green",
    )
    totals = spread(
        [
            ("total", counted.total),
            ("done", counted.finished),
            ("aborted", counted.aborted),
            ("peak/s", history.peak("requests")),
        ],
        width,
    )
    return [head, *_line(history, "requests", "green", width, height - 2), totals]


def tokens(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """Completion tokens a second of finished requests, prompt tokens beside them, and totals."""
    counted = stats.tokens
    head = apart(
        f"{number_format.rate(history.rate('completion'))} tok/s out",
        f"{number_format.rate(history.rate('prompt'))} tok/s in",
        width,
        "bold cyan",
    )
    totals = spread(
        [
            ("out", counted.completion),
            ("in", counted.prompt),
            ("think", counted.reasoning),
            ("cached", counted.cached),
            ("peak/s", history.peak("completion")),
        ],
        width,
    )
    return [head, *_line(history, "completion", "cyan", width, height - 2), totals]


def apart(left: str, right: str, width: int, style: str) -> Text:
    """One thing on the left in ``style``, one on the right."""
    left = number_format.cut(left, width)
    right = number_format.cut(right, max(0, width - len(left) - 1))
    return Text.assemble((left, style), right.rjust(width - len(left)))


def spread(counts: list[tuple[str, float]], width: int) -> Text:
    """Names and counts over the whole width; the last ones go where there is no room."""
    shown = [(name, number_format.count(value)) for name, value in counts]
    while len(shown) > 1 and sum(len(a) + len(b) + 1 for a, b in shown) + len(shown) - 1 > width:
        shown.pop()
    used = sum(len(a) + len(b) + 1 for a, b in shown)
    gap = min(4, (width - used) // max(1, len(shown) - 1)) if len(shown) > 1 else 0
    line = Text()
    for index, (name, value) in enumerate(shown):
        line.append(" " * gap if index else "")
        line.append(f"{name} ", "dim").append(value)
    return line


def _line(history: History, name: str, style: str, width: int, height: int) -> list[Text]:
    drawn = number_format.sparkline(history.column(name, width), max(0, height))
    return [Text(row, style) for row in drawn]
