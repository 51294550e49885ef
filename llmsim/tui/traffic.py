"""What the requests and tokens panels say: a rate, its history, the totals."""

from __future__ import annotations

from rich.text import Text

from llmsim.tui import figures
from llmsim.tui.reading import History
from llmsim.tui.stats import Stats


def requests(history: History, stats: Stats, width: int, height: int) -> list[Text]:
    """Requests a second as they arrive, those that are open, and how many there were."""
    all_ = stats.requests
    head = apart(
        f"{figures.rate(history.rate('requests'))} req/s",
        f"active {figures.count(all_.active)}, streams {figures.count(all_.active_streaming)}",
        width,
        "bold green",
    )
    totals = spread(
        [
            ("total", all_.total),
            ("done", all_.finished),
            ("aborted", all_.aborted),
            ("peak/s", history.peak("requests")),
        ],
        width,
    )
    return [head, *_line(history, "requests", "green", width, height - 2), totals]


def tokens(history: History, stats: Stats, width: int, height: int) -> list[Text]:
    """Completion tokens a second of finished requests, prompt tokens beside them, and totals."""
    all_ = stats.tokens
    head = apart(
        f"{figures.rate(history.rate('completion'))} tok/s out",
        f"{figures.rate(history.rate('prompt'))} tok/s in",
        width,
        "bold cyan",
    )
    totals = spread(
        [
            ("out", all_.completion),
            ("in", all_.prompt),
            ("think", all_.reasoning),
            ("cached", all_.cached),
            ("peak/s", history.peak("completion")),
        ],
        width,
    )
    return [head, *_line(history, "completion", "cyan", width, height - 2), totals]


def apart(left: str, right: str, width: int, style: str) -> Text:
    """One thing on the left in ``style``, one on the right."""
    left = figures.cut(left, width)
    right = figures.cut(right, max(0, width - len(left) - 1))
    return Text.assemble((left, style), right.rjust(width - len(left)))


def spread(counts: list[tuple[str, float]], width: int) -> Text:
    """Names and counts over the whole width; the last ones go where there is no room."""
    told = [(name, figures.count(value)) for name, value in counts]
    while len(told) > 1 and sum(len(a) + len(b) + 1 for a, b in told) + len(told) - 1 > width:
        told.pop()
    used = sum(len(a) + len(b) + 1 for a, b in told)
    gap = min(4, (width - used) // max(1, len(told) - 1)) if len(told) > 1 else 0
    line = Text()
    for index, (name, value) in enumerate(told):
        line.append(" " * gap if index else "")
        line.append(f"{name} ", "dim").append(value)
    return line


def _line(history: History, name: str, style: str, width: int, height: int) -> list[Text]:
    drawn = figures.sparkline(history.column(name, width), max(0, height))
    return [Text(row, style) for row in drawn]
