"""What the rate limits panel says: how many were refused, and the limits nearest their end."""

from __future__ import annotations

from rich.text import Text

from llmsim.tui import figures
from llmsim.tui.reading import History
from llmsim.tui.stats import Limit, Stats
from llmsim.tui.traffic import apart

TIGHT = 0.1
"""Share of a limit below which what is left is shown as a warning."""


def limits(history: History, stats: Stats, width: int, height: int) -> list[Text]:
    """Two lines a limit where there is room: whose it is, and what is left."""
    head = apart(
        f"{figures.count(stats.rate_limited)} refused",
        figures.rate(history.rate("limited")) + "/s",
        width,
        "bold yellow" if stats.rate_limited else "bold",
    )
    if not stats.rate_limits:
        return [head, Text("no limit in use", "dim")]
    near = sorted(stats.rate_limits, key=lambda one: (_left(one), _whose(one)))
    lines = [head]
    for one in near[: max(1, (height - 1) // 2)]:
        lines += _drawn(one, width)
    return lines


def _drawn(one: Limit, width: int) -> list[Text]:
    style = "red" if _left(one) <= TIGHT else "green"
    what = f"{figures.count(one.remaining)}/{figures.count(one.limit)}"
    reset = f" {figures.span(one.reset_s)}" if one.reset_s else ""
    room = max(4, width - len(what) - len(reset) - 1)
    kind = " tokens" if one.what.startswith("tok") else f" {one.what}"
    return [
        Text.assemble((figures.cut(_whose(one), max(4, width - len(kind))), ""), (kind, "dim")),
        Text.assemble((figures.bar(one.remaining, one.limit, room), style), f" {what}{reset}"),
    ]


def _left(one: Limit) -> float:
    return one.remaining / one.limit if one.limit else 0.0


def _whose(one: Limit) -> str:
    return " ".join(part for part in (one.key, one.model) if part) or one.rule or "all"
