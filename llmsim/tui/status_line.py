"""The line on top: which server, whether it answers, how long it has been up."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual.widget import Widget

from llmsim.tui import number_format
from llmsim.tui.stats import ServerStats


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What is known of the connection.

    ``lost`` says why the server does not answer, None where it does; ``lost_for`` is how many
    seconds that has been so.
    """

    stats: ServerStats | None = None
    lost: str | None = None
    lost_for: float = 0.0
    paused: bool = False


def status_line(url: str, state: ConnectionState, width: int) -> Text:
    """The line, its right side first in importance."""
    style, right = _right(state)
    version = state.stats.version if state.stats else None
    name = f"llmsim {version}" if version else "llmsim"
    right = number_format.cut(right, max(0, width - len(name) - 2))
    left = number_format.cut(f"{name}  {url}", max(0, width - len(right) - 2))
    line = Text(left, "bold", no_wrap=True)
    line.append(" " * max(0, width - len(left) - len(right)))
    return line.append(right, style)


def _right(state: ConnectionState) -> tuple[str, str]:
    if state.lost is not None:
        if state.stats is None:
            return "bold yellow", f"○ NO ANSWER YET: {state.lost}"
        return "bold red", f"✗ LOST {number_format.span(state.lost_for)}: {state.lost}, retrying"
    if state.stats is None:
        return "bold yellow", "○ connecting"
    workers = number_format.counted(len(state.stats.workers), "worker")
    known = f"up {number_format.span(state.stats.uptime_s)}  {workers}"
    return ("bold yellow", f"‖ PAUSED  {known}") if state.paused else ("green", f"● live  {known}")


class StatusLine(Widget):
    """Shows :func:`status_line`."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._state = ConnectionState()

    def show(self, state: ConnectionState) -> None:
        self._state = state
        self.refresh()

    def render(self) -> Text:
        return status_line(self._url, self._state, self.size.width)
