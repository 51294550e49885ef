"""The line on top: which server, whether it answers, how long it has been up."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual.widget import Widget

from llmsim.tui import figures
from llmsim.tui.stats import Stats


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the connection.

    ``lost`` says why the server does not answer, None where it does; ``for_`` is how many seconds
    that has been so.
    """

    stats: Stats | None = None
    lost: str | None = None
    lost_for: float = 0.0
    paused: bool = False


def heading(where: str, state: State, width: int) -> Text:
    """The line, its right side first in importance."""
    style, right = _right(state)
    version = state.stats.version if state.stats else None
    name = f"llmsim {version}" if version else "llmsim"
    right = figures.cut(right, max(0, width - len(name) - 2))
    left = figures.cut(f"{name}  {where}", max(0, width - len(right) - 2))
    line = Text(left, "bold", no_wrap=True)
    line.append(" " * max(0, width - len(left) - len(right)))
    return line.append(right, style)


def _right(state: State) -> tuple[str, str]:
    if state.lost is not None:
        if state.stats is None:
            return "bold yellow", f"○ NO ANSWER YET: {state.lost}"
        return "bold red", f"✗ LOST {figures.span(state.lost_for)}: {state.lost}, retrying"
    if state.stats is None:
        return "bold yellow", "○ connecting"
    count = len(state.stats.workers)
    known = f"up {figures.span(state.stats.uptime_s)}  {count} worker{'' if count == 1 else 's'}"
    return ("bold yellow", f"‖ PAUSED  {known}") if state.paused else ("green", f"● live  {known}")


class Heading(Widget):
    """Shows :func:`heading`."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where
        self._state = State()

    def show(self, state: State) -> None:
        self._state = state
        self.refresh()

    def render(self) -> Text:
        return heading(self._where, self._state, self.size.width)
