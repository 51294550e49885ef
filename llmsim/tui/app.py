"""The dashboard: panels, keys, and what it shows while the server answers or does not."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.message import Message
from textual.widgets import ContentSwitcher, Footer

from llmsim.tui import errors, latency, rankings, rate_limits, traffic, workers
from llmsim.tui.history import History
from llmsim.tui.panel import Panel
from llmsim.tui.poller import ConnectionLost, StatsFeed, Update
from llmsim.tui.status_line import ConnectionState, StatusLine

STYLE = """
Screen { layout: vertical; overflow: hidden; }
StatusLine { height: 1; padding: 0 1; }
ContentSwitcher { height: 1fr; }
#overview, #errors-view { height: 100%; }
#traffic { height: 5fr; min-height: 5; }
#middle { height: 10fr; min-height: 6; }
#bottom { height: 7fr; min-height: 6; }
Panel { border: round ansi_blue; border-title-color: ansi_default; border-title-style: bold;
        width: 1fr; height: 100%; padding: 0 1; }
#endpoints { display: none; }
.-tall #latency { height: 10; }
.-tall #endpoints { display: block; height: 1fr; }
.-tall #traffic { height: 10fr; }
.-tall #middle { height: 15fr; min-height: 16; }
.-tall #bottom { height: 10fr; }
#limits { width: 30; }
.-wide #limits { width: 1fr; }
.-lost Panel { text-style: dim; border: round ansi_red; }
Footer { height: 1; }
"""

OWNER_SECONDS = 1.0
"""How often the dashboard looks whether the process it belongs to is still there."""


class Updated(Message):
    """The server was read, or could not be."""

    def __init__(self, update: Update) -> None:
        super().__init__()
        self.update = update


class Dashboard(App[None]):
    """What a server does, as it does it.

    ``url`` names the server; ``feed`` reads it. ``quit_label`` is the key ``q`` in the footer.
    ``owner`` is the id of the process that started this one: the dashboard ends with it.
    """

    CSS = STYLE
    TITLE = "llmsim"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012  as App has it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "overview", "Back", show=False),
        Binding("ctrl+c,ctrl+q", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(
        self, url: str, feed: StatsFeed, quit_label: str = "Quit", owner: int | None = None
    ) -> None:
        # The terminal's own sixteen colours; set here, or NO_COLOR would be black on black.
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.history = History()
        self.state = ConnectionState()
        self._url = url
        self._feed = feed
        self._owner = owner
        self._lost_at: float | None = None
        for key, action, label in (
            ("q", "quit", quit_label),
            ("r", "reread", "Refresh"),
            ("p", "pause", "Pause"),
            ("e", "errors", "Errors"),
        ):
            self.bind(key, action, description=label)

    def compose(self) -> ComposeResult:
        yield StatusLine(self._url)
        with ContentSwitcher(initial="overview"):
            with Container(id="overview"):
                with Horizontal(id="traffic"):
                    yield Panel("Requests", traffic.requests, self.history, "requests")
                    yield Panel("Tokens", traffic.tokens, self.history, "tokens")
                with Horizontal(id="middle"):
                    with Vertical():
                        yield Panel(
                            "Latency (ms), 1m: last min",
                            latency.latency,
                            self.history,
                            "latency",
                        )
                        yield Panel("Endpoints", rankings.endpoints, self.history, "endpoints")
                    yield Panel("Models", rankings.models, self.history, "models")
                with Horizontal(id="bottom"):
                    yield Panel("Errors", errors.errors, self.history, "errors")
                    yield Panel("Rate limits", rate_limits.rate_limits, self.history, "limits")
                    yield Panel("Workers", workers.workers, self.history, "workers")
            yield Panel("Errors since start", errors.table, self.history, "errors-view")
        yield Footer()

    def on_mount(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        if self._owner is not None:
            self.set_interval(OWNER_SECONDS, self._end_with_owner)
        self._feed.start(lambda update: self.post_message(Updated(update)))

    def on_unmount(self) -> None:
        self._feed.end()

    def on_updated(self, message: Updated) -> None:
        if not self._screen_stack:
            return  # a last update, while the dashboard ends
        update = message.update
        if isinstance(update, ConnectionLost):
            if self._lost_at is None:
                self._lost_at = update.at
            self._show(lost=update.reason, lost_for=update.at - self._lost_at)
        else:
            self._lost_at = None
            self.history.add(update)
            self._show(stats=update.stats, lost=None)

    def action_reread(self) -> None:
        self._feed.now()

    def action_pause(self) -> None:
        self._feed.pause(not self.state.paused)
        self._show(paused=not self.state.paused)

    def action_errors(self) -> None:
        switcher = self.query_one(ContentSwitcher)
        switcher.current = "overview" if switcher.current == "errors-view" else "errors-view"

    def action_overview(self) -> None:
        self.query_one(ContentSwitcher).current = "overview"

    def _show(self, **changed: Any) -> None:
        self.state = replace(self.state, **changed)
        self.screen.set_class(self.state.lost is not None, "-lost")
        self.query_one(StatusLine).show(self.state)
        for panel in self.query(Panel):
            panel.refresh()

    def _end_with_owner(self) -> None:
        if os.getppid() != self._owner:
            self.exit()
