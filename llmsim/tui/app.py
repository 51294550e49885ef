"""The dashboard: panels, keys, and what happens when the server is there, lost or another."""

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

from llmsim.tui import crew, failures, limits, shares, times, traffic
from llmsim.tui.heading import Heading, State
from llmsim.tui.panel import Panel
from llmsim.tui.reading import History
from llmsim.tui.watch import Lost, Told, Watching

STYLE = """
Screen { layout: vertical; overflow: hidden; }
Heading { height: 1; padding: 0 1; }
ContentSwitcher { height: 1fr; }
#overview, #errors-view { height: 100%; }
#traffic { height: 6fr; min-height: 5; }
#middle, #bottom { height: 8fr; min-height: 6; }
Panel { border: round ansi_blue; border-title-color: ansi_default; border-title-style: bold;
        width: 1fr; height: 100%; padding: 0 1; }
#endpoints { display: none; }
.-tall #times { height: 8; }
.-tall #endpoints { display: block; height: 1fr; }
.-tall #traffic { height: 10fr; }
.-tall #middle { height: 15fr; min-height: 14; }
.-tall #bottom { height: 10fr; }
#limits { width: 30; }
.-wide #limits { width: 1fr; }
.-lost Panel { text-style: dim; border: round ansi_red; }
Footer { height: 1; }
"""

OWNER_SECONDS = 1.0
"""How often the dashboard looks whether the process it belongs to is still there."""


class Heard(Message):
    """The server was read, or could not be."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told


class Dashboard(App[None]):
    """What a server does, as it does it.

    ``where`` names the server; ``watch`` reads it. ``quits`` says what the key ``q`` does. With
    ``owner``, the id of the process that started this one, the dashboard ends with it.
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
        self, where: str, watch: Watching, quits: str = "Quit", owner: int | None = None
    ) -> None:
        # The terminal's own sixteen colours; told at once, or NO_COLOR would be black on black.
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.history = History()
        self.state = State()
        self._where = where
        self._watch = watch
        self._owner = owner
        self._lost_at: float | None = None
        for key, action, told in (
            ("q", "quit", quits),
            ("r", "reread", "Refresh"),
            ("p", "pause", "Pause"),
            ("e", "errors", "Errors"),
        ):
            self.bind(key, action, description=told)

    def compose(self) -> ComposeResult:
        seen = self.history
        yield Heading(self._where)
        with ContentSwitcher(initial="overview"):
            with Container(id="overview"):
                with Horizontal(id="traffic"):
                    yield Panel("Requests", traffic.requests, seen, "requests")
                    yield Panel("Tokens", traffic.tokens, seen, "tokens")
                with Horizontal(id="middle"):
                    with Vertical():
                        yield Panel("Latency, ms since start", times.times, seen, "times")
                        yield Panel("Endpoints", shares.endpoints, seen, "endpoints")
                    yield Panel("Models", shares.models, seen, "models")
                with Horizontal(id="bottom"):
                    yield Panel("Errors", failures.errors, seen, "errors")
                    yield Panel("Rate limits", limits.limits, seen, "limits")
                    yield Panel("Workers", crew.workers, seen, "workers")
            yield Panel("Errors since start", failures.table, seen, "errors-view")
        yield Footer()

    def on_mount(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        if self._owner is not None:
            self.set_interval(OWNER_SECONDS, self._end_with_owner)
        self._watch.start(lambda told: self.post_message(Heard(told)))

    def on_unmount(self) -> None:
        self._watch.end()

    def on_heard(self, message: Heard) -> None:
        if not self._screen_stack:
            return  # said while the dashboard ends
        told = message.told
        if isinstance(told, Lost):
            if self._lost_at is None:
                self._lost_at = told.at
            self._show(lost=told.why, lost_for=told.at - self._lost_at)
        else:
            self._lost_at = None
            self.history.add(told)
            self._show(stats=told.stats, lost=None)

    def action_reread(self) -> None:
        self._watch.now()

    def action_pause(self) -> None:
        self._watch.pause(not self.state.paused)
        self._show(paused=not self.state.paused)

    def action_errors(self) -> None:
        switcher = self.query_one(ContentSwitcher)
        switcher.current = "overview" if switcher.current == "errors-view" else "errors-view"

    def action_overview(self) -> None:
        self.query_one(ContentSwitcher).current = "overview"

    def _show(self, **changed: Any) -> None:
        self.state = replace(self.state, **changed)
        self.screen.set_class(self.state.lost is not None, "-lost")
        self.query_one(Heading).show(self.state)
        for panel in self.query(Panel):
            panel.refresh()

    def _end_with_owner(self) -> None:
        if os.getppid() != self._owner:
            self.exit()
