"""The configuration in effect, and all that follows from it."""

from __future__ import annotations

import asyncio
import logging
import time
from asyncio import to_thread
from contextlib import suppress
from dataclasses import dataclass

from llmsim.config import Config
from llmsim.errors import BadRequest
from llmsim.server.books import Books
from llmsim.server.control import Control, Step
from llmsim.server.directions import Director
from llmsim.server.gate import Gate
from llmsim.server.injecting import Injecting, configured
from llmsim.server.limiting import Limiting
from llmsim.server.mocking import Mocking
from llmsim.server.published import Edit, Published
from llmsim.server.queue import Queue
from llmsim.server.rulebook import Rulebook
from llmsim.server.standings import limits
from llmsim.shared.layout import GENERATION

PERIOD = 0.02
"""Seconds between two looks for a change. Looking costs 0.2 µs, in place of a look a request."""
PATIENCE = 1.0
"""Seconds for which who changes something waits until every worker goes by it."""
WARMED = 256
"""Models whose rules are made again before a change is in effect."""

log = logging.getLogger("llmsim")


@dataclass(frozen=True, slots=True)
class Regime:
    """What follows from one state of the configuration, built together so that a request sees
    all of it or nothing. ``control`` is None where nothing interferes with requests; ``directed``
    is for those that give directions of their own, None where they may not. ``gate`` is None where
    nobody needs an API key."""

    config: Config
    rulebook: Rulebook
    control: Control | None
    directed: Control | None = None
    gate: Gate | None = None


class Live:
    """Gives each request the regime in effect when it arrived.

    A change anywhere is seen within :data:`PERIOD`. What follows from it is worked out in a
    thread; until that is done, the regime before it stays.
    """

    def __init__(self, books: Books, published: Published) -> None:
        self._books = books
        self._published = published
        self._queue = Queue(books)
        self._generation = published.generation
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None
        self.regime = self._made(published.read())
        books.limits = lambda: limits(self.regime.config, books)

    def follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look for changes from now on, in a worker that is about to serve."""
        self._loop = loop
        self._tell()
        # Who changed something before that was told has not waited for this worker.
        if self._published.generation != self._generation:
            self._generation = self._published.generation
            self.regime = self._made(self._published.read())
            self._tell()
        self._wait()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    async def change(self, edit: Edit) -> Config:
        """Change the configuration for all workers: the one in effect from then on.

        Returns when every worker goes by it, or after :data:`PATIENCE` for one that is stuck.
        What ``edit`` raises changes nothing.
        """
        generation, config = await to_thread(self._published.change, edit)
        deadline = time.monotonic() + PATIENCE
        while self._books.behind(generation) and time.monotonic() < deadline:
            await asyncio.sleep(PERIOD / 4)
        return config

    def _tell(self) -> None:
        self._books.board.cells[GENERATION] = 1 + self._generation

    def _wait(self) -> None:
        self._timer = self._loop.call_later(PERIOD, self._look)

    def _look(self) -> None:
        generation = self._published.generation
        if generation == self._generation:
            self._wait()
            return
        # No look while that is under way.
        working = self._loop.run_in_executor(None, self._next)
        working.add_done_callback(lambda done: self._take(generation, done))

    def _next(self) -> Regime:
        regime = self._made(self._published.read())
        for model in self.regime.rulebook.seen(WARMED):
            with suppress(BadRequest):
                regime.rulebook.rules(model)
        return regime

    def _take(self, generation: int, done: asyncio.Future[Regime]) -> None:
        if done.cancelled():
            return
        try:
            self.regime = done.result()
        except Exception:  # what was in effect stays, and requests go on
            log.exception("a change of the configuration could not be put into effect")
        self._generation = generation
        self._tell()
        self._wait()

    def _made(self, config: Config) -> Regime:
        steps: list[Step] = []
        if config.rate_limits or config.concurrency.max_concurrency is not None:
            steps.append(Limiting(config, self._books, self._queue))
        if configured(config):
            steps.append(Injecting(config, self._books))
        if config.mocks or config.scripts:
            steps.append(Mocking(config, self._books))
        control = Control(steps) if steps else None
        directed = None
        if config.control.headers:
            directed = Control([Director(config, self._books), *steps])
        gate = Gate(config.keys, self._books.board) if config.keys else None
        return Regime(config, Rulebook(config), control, directed, gate)
