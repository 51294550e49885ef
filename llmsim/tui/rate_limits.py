"""The rate limits panel: how many requests were refused, and the limits with least left."""

from __future__ import annotations

from rich.text import Text

from llmsim.tui import number_format
from llmsim.tui.history import History
from llmsim.tui.stats import RateLimitStats, ServerStats
from llmsim.tui.traffic import apart

TIGHT = 0.1
"""Share of a limit below which what is left is shown as a warning."""


def rate_limits(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """Two lines a limit where there is room: whose it is, and what is left."""
    head = apart(
        f"{number_format.count(stats.rate_limited)} refused",
        number_format.rate(history.rate("limited")) + "/s",
        width,
        "bold yellow" if stats.rate_limited else "bold",
    )
    if not stats.rate_limits:
        return [head, Text("no rate limits in use", "dim")]
    near = sorted(stats.rate_limits, key=lambda one: (_left(one), _whose(one)))
    lines = [head]
    for one in near[: max(1, (height - 1) // 2)]:
        lines += _drawn(one, width)
    return lines


def _drawn(one: RateLimitStats, width: int) -> list[Text]:
    style = "red" if _left(one) <= TIGHT else "green"
    what = f"{number_format.count(one.remaining)}/{number_format.count(one.limit)}"
    reset = f" {number_format.span(one.reset_s)}" if one.reset_s else ""
    room = max(4, width - len(what) - len(reset) - 1)
    kind = " " + _measure(one.what)
    return [
        Text.assemble(
            (number_format.cut(_whose(one), max(4, width - len(kind))), ""), (kind, "dim")
        ),
        Text.assemble(
            (number_format.bar(one.remaining, one.limit, room), style), f" {what}{reset}"
        ),
    ]


def _measure(what: str) -> str:
    """What a limit counts: ``input_tokens_per_minute`` is input tokens/min."""
    return what.replace("_per_minute", "/min").replace("_per_day", "/day").replace("_", " ")


def _left(one: RateLimitStats) -> float:
    return one.remaining / one.limit if one.limit else 0.0


def _whose(one: RateLimitStats) -> str:
    return " ".join(part for part in (one.key, one.model) if part) or one.rule or "all"
