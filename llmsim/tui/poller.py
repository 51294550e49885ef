"""The thread that reads a server at intervals, so that the screen never waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from llmsim.tui.history import Reading
from llmsim.tui.stats import ServerStats
from llmsim.tui.stats_client import ReadError

INTERVAL = 0.2
"""Seconds between two readings."""

RETRY = 1.0
"""Seconds between two tries while the server does not answer."""


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The server could not be read; ``at`` is when, on the clock of readings."""

    at: float
    reason: str


Update: TypeAlias = Reading | ConnectionLost


class StatsFeed(Protocol):
    """What the dashboard needs of whoever reads the server for it."""

    def start(self, deliver: Callable[[Update], object]) -> None:
        """Begin; ``deliver`` is called from another thread with each update."""

    def now(self) -> None:
        """Read once at once, paused or not."""

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""

    def end(self) -> None:
        """Read no more. Does not wait for an answer that is still out."""


class Poller:
    """Reads by calling ``read`` every :data:`INTERVAL` seconds in a thread of its own."""

    def __init__(self, read: Callable[[], ServerStats], interval: float = INTERVAL) -> None:
        self._read = read
        self._interval = interval
        self._wake = threading.Event()
        self._ended = False
        self._paused = False

    def start(self, deliver: Callable[[Update], object]) -> None:
        thread = threading.Thread(target=self._run, args=(deliver,), name="poller", daemon=True)
        thread.start()

    def now(self) -> None:
        self._wake.set()

    def pause(self, paused: bool) -> None:
        self._paused = paused
        if not paused:
            self._wake.set()

    def end(self) -> None:
        self._ended = True
        self._wake.set()

    def _run(self, deliver: Callable[[Update], object]) -> None:
        while not self._ended:
            self._wake.clear()
            began = time.monotonic()
            update = self._update()
            if self._ended:
                return
            deliver(update)
            pause = RETRY if isinstance(update, ConnectionLost) else self._interval
            woken = self._wake.wait(max(0.0, began + pause - time.monotonic()))
            if self._paused and not woken:
                self._wake.wait()

    def _update(self) -> Update:
        try:
            stats = self._read()
        except ReadError as error:
            return ConnectionLost(time.monotonic(), str(error))
        return Reading(time.monotonic(), stats)
