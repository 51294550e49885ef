"""The widget of every panel: a frame around lines that a pure function draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rich.text import Text
from textual.widget import Widget

from llmsim.tui.history import History
from llmsim.tui.stats import ServerStats

Draw: TypeAlias = Callable[[History, ServerStats, int, int], list[Text]]
"""History, latest statistics, width in columns, height in lines → the lines."""


class Panel(Widget):
    """Shows what ``draw`` makes of the latest reading, to the size it has."""

    def __init__(self, title: str, draw: Draw, history: History, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = title
        self._draw = draw
        self._history = history

    def render(self) -> Text:
        latest = self._history.latest
        if latest is None:
            return Text("…", "dim")
        width, height = self.content_size
        lines = self._draw(self._history, latest.stats, width, height)
        for line in lines:
            line.truncate(width)
        return Text("\n").join(lines[:height])
