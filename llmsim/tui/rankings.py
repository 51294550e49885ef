"""The panels of models and endpoints: which were asked for how often."""

from __future__ import annotations

from rich.text import Text

from llmsim.tui import number_format
from llmsim.tui.history import History
from llmsim.tui.stats import ServerStats

NAMELESS = "(none)"
"""Requests too malformed to name a model are counted under an empty name."""

_COUNT = 7
_SHARE = 6


def models(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """A bar for each model, the most requested first; those without room share one line."""
    return _bars({name: one.requests for name, one in stats.models.items()}, width, height)


def endpoints(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """A bar for each endpoint, likewise."""
    return _bars(stats.endpoints, width, height)


def _bars(counts: dict[str, int], width: int, height: int) -> list[Text]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [(name or NAMELESS, count) for name, count in ranked if count]
    if not rows:
        return [Text("no requests yet", "dim")]
    whole = sum(count for _, count in rows)
    if len(rows) > height:
        kept, rest = rows[: max(0, height - 1)], rows[max(0, height - 1) :]
        rows = [*kept, (f"{len(rest)} more", sum(count for _, count in rest))]
    longest = max(len(name) for name, _ in rows)
    label = min(longest, max(8, (width - _COUNT - _SHARE) * 6 // 10))
    top = max(count for _, count in rows)
    return [_row(name, count, top, whole, label, width) for name, count in rows]


def _row(name: str, count: int, top: int, whole: int, label: int, width: int) -> Text:
    room = width - label - 1 - _COUNT - _SHARE
    return Text.assemble(
        number_format.cut(name, label).ljust(label + 1),
        (number_format.bar(count, top, room), "magenta"),
        number_format.count(count).rjust(_COUNT),
        (number_format.share(count, whole).rjust(_SHARE), "dim"),
    )
