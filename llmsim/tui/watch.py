"""The thread that reads a server at intervals, so that the screen never waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from llmsim.tui.reading import Reading
from llmsim.tui.source import ReadError
from llmsim.tui.stats import Stats

INTERVAL = 0.2
"""Seconds between two readings."""

RETRY = 1.0
"""Seconds between two tries while the server does not answer."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The server could not be read; ``at`` is when, on the clock of readings."""

    at: float
    why: str


Told: TypeAlias = Reading | Lost


class Watching(Protocol):
    """What the dashboard asks of whoever reads the server for it."""

    def start(self, tell: Callable[[Told], object]) -> None:
        """Begin; ``tell`` is called from another thread with each reading."""

    def now(self) -> None:
        """Read once at once, paused or not."""

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""

    def end(self) -> None:
        """Read no more. Does not wait for an answer that is still out."""


class Watch:
    """Reads by calling ``read`` every :data:`INTERVAL` seconds in a thread of its own."""

    def __init__(self, read: Callable[[], Stats], interval: float = INTERVAL) -> None:
        self._read = read
        self._interval = interval
        self._wake = threading.Event()
        self._ended = False
        self._paused = False

    def start(self, tell: Callable[[Told], object]) -> None:
        thread = threading.Thread(target=self._run, args=(tell,), name="watch", daemon=True)
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

    def _run(self, tell: Callable[[Told], object]) -> None:
        while not self._ended:
            self._wake.clear()
            began = time.monotonic()
            told = self._told()
            if self._ended:
                return
            tell(told)
            pause = RETRY if isinstance(told, Lost) else self._interval
            woken = self._wake.wait(max(0.0, began + pause - time.monotonic()))
            if self._paused and not woken:
                self._wake.wait()

    def _told(self) -> Told:
        try:
            stats = self._read()
        except ReadError as error:
            return Lost(time.monotonic(), str(error))
        return Reading(time.monotonic(), stats)
