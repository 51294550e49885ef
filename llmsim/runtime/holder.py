"""The configuration in effect in one worker, and everything derived from it."""

from __future__ import annotations

import asyncio
import logging
import time
from asyncio import to_thread
from collections.abc import Awaitable, Callable
from contextlib import suppress

from llmsim.config import Config
from llmsim.core.errors import BadRequest
from llmsim.core.state import PipelineState
from llmsim.runtime.runtime_config import RuntimeConfig, runtime_config
from llmsim.runtime.store import ConfigStore, Edit
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.layout import GENERATION

PERIOD = 0.02
"""Seconds between two checks for a change. One costs 0.2 µs, and saves a check per request."""
PATIENCE = 1.0
"""Seconds a change waits at most for every worker to have taken it over."""
WARMED = 256
"""Models whose settings are built before a change takes effect."""

log = logging.getLogger("llmsim")


class ConfigHolder:
    """Holds the :class:`RuntimeConfig` in effect in this worker: ``runtime``.

    A change made by any worker is noticed within :data:`PERIOD`. The runtime configuration it
    leads to is built in a thread; until that is done, the one before it stays in effect.
    ``clock`` counts seconds from any point, ``sleep`` takes them.
    """

    def __init__(
        self,
        shared: SharedState,
        config_store: ConfigStore,
        state: PipelineState,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._shared = shared
        self._config_store = config_store
        self._clock = clock
        self._sleep = sleep
        self._state = state
        self._generation = config_store.generation
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None
        self.runtime = self._built(config_store.read())

    def follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Check for changes from now on; for a worker that is about to serve."""
        self._loop = loop
        self._acknowledge()
        # A change made before that acknowledgement has not waited for this worker.
        if self._config_store.generation != self._generation:
            self._generation = self._config_store.generation
            self.runtime = self._built(self._config_store.read())
            self._acknowledge()
        self._check_later()

    def stop(self) -> None:
        """Check no more."""
        if self._timer is not None:
            self._timer.cancel()

    async def change(self, edit: Edit) -> Config:
        """Change the configuration of all workers; gives the one in effect from now on.

        Returns when every worker has taken it over, or after :data:`PATIENCE` if one is stuck. If
        ``edit`` raises, nothing has changed.
        """
        generation, config = await to_thread(self._config_store.change, edit)
        deadline = self._clock() + PATIENCE
        while self._shared.behind(generation) and self._clock() < deadline:
            await self._sleep(PERIOD / 4)
        return config

    def _acknowledge(self) -> None:
        self._shared.counters.cells[GENERATION] = 1 + self._generation

    def _check_later(self) -> None:
        self._timer = self._loop.call_later(PERIOD, self._check)

    def _check(self) -> None:
        generation = self._config_store.generation
        if generation == self._generation:
            self._check_later()
            return
        # The next check follows when that is done.
        building = self._loop.run_in_executor(None, self._rebuilt)
        building.add_done_callback(lambda done: self._take_over(generation, done))

    def _rebuilt(self) -> RuntimeConfig:
        runtime = self._built(self._config_store.read())
        for model in self.runtime.registry.names(WARMED):
            with suppress(BadRequest):
                runtime.registry.settings(model)
        return runtime

    def _take_over(self, generation: int, done: asyncio.Future[RuntimeConfig]) -> None:
        if done.cancelled():
            return
        try:
            self.runtime = done.result()
        except Exception:  # the configuration in effect stays, and requests go on
            log.exception("a change of the configuration could not be put into effect")
        self._generation = generation
        self._acknowledge()
        self._check_later()

    def _built(self, config: Config) -> RuntimeConfig:
        return runtime_config(config, self._state)
