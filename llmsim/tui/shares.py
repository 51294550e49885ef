"""What the models panel says: who was asked how often."""

from __future__ import annotations

from rich.text import Text

from llmsim.tui import figures
from llmsim.tui.reading import History
from llmsim.tui.stats import Stats

_COUNT = 7
_SHARE = 6


def models(history: History, stats: Stats, width: int, height: int) -> list[Text]:
    """A bar for each model, the most asked first; what finds no room is one line."""
    ranked = sorted(stats.models.items(), key=lambda item: (-item[1].requests, item[0]))
    counted = [(name, model.requests) for name, model in ranked if model.requests]
    if not counted:
        return [Text("no requests yet", "dim")]
    whole = sum(count for _, count in counted)
    if len(counted) > height:
        rest = counted[max(0, height - 1) :]
        counted = [
            *counted[: max(0, height - 1)],
            (f"{len(rest)} more", sum(count for _, count in rest)),
        ]
    longest = max(len(name) for name, _ in counted)
    label = min(longest, max(8, (width - _COUNT - _SHARE) * 6 // 10))
    top = max(count for _, count in counted)
    return [_row(name, count, top, whole, label, width) for name, count in counted]


def _row(name: str, count: int, top: int, whole: int, label: int, width: int) -> Text:
    room = width - label - 1 - _COUNT - _SHARE
    return Text.assemble(
        figures.cut(name, label).ljust(label + 1),
        (figures.bar(count, top, room), "magenta"),
        figures.count(count).rjust(_COUNT),
        (figures.share(count, whole).rjust(_SHARE), "dim"),
    )
