"""The configuration in effect, and all that follows from it."""

from __future__ import annotations

import asyncio
import logging
import time
from asyncio import to_thread
from contextlib import suppress
from dataclasses import dataclass

from llmsim.config import Config
from llmsim.core.errors import BadRequest
from llmsim.pipeline.context import Pipeline, Step
from llmsim.pipeline.queue import Queue
from llmsim.pipeline.steps.faults import FaultStep, any_configured
from llmsim.pipeline.steps.mocks import MockStep
from llmsim.pipeline.steps.overrides import OverrideStep
from llmsim.pipeline.steps.rate_limits import RateLimitStep
from llmsim.runtime.model_settings import ModelRegistry
from llmsim.runtime.store import ConfigStore, Edit
from llmsim.server.admin.limits import describe_limits
from llmsim.server.api_key_auth import ApiKeyAuth
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.layout import GENERATION

PERIOD = 0.02
"""Seconds between two looks for a change. Looking costs 0.2 µs, in place of a look a request."""
PATIENCE = 1.0
"""Seconds for which who changes something waits until every worker goes by it."""
WARMED = 256
"""Models whose settings are made again before a change is in effect."""

log = logging.getLogger("llmsim")


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """What follows from one state of the configuration, built together so that a request sees
    all of it or nothing. ``control`` is None where nothing interferes with requests; ``directed``
    is for those that give directions of their own, None where they may not. ``gate`` is None where
    nobody needs an API key."""

    config: Config
    registry: ModelRegistry
    pipeline: Pipeline | None
    override_pipeline: Pipeline | None = None
    api_key_auth: ApiKeyAuth | None = None


class ConfigHolder:
    """Gives each request the regime in effect when it arrived.

    A change anywhere is seen within :data:`PERIOD`. What follows from it is worked out in a
    thread; until that is done, the regime before it stays.
    """

    def __init__(self, shared: SharedState, config_store: ConfigStore) -> None:
        self._shared = shared
        self._config_store = config_store
        self._queue = Queue(shared)
        self._generation = config_store.generation
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None
        self.runtime = self._made(config_store.read())
        shared.limits = lambda: describe_limits(self.runtime.config, shared)

    def follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look for changes from now on, in a worker that is about to serve."""
        self._loop = loop
        self._tell()
        # Who changed something before that was told has not waited for this worker.
        if self._config_store.generation != self._generation:
            self._generation = self._config_store.generation
            self.runtime = self._made(self._config_store.read())
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
        generation, config = await to_thread(self._config_store.change, edit)
        deadline = time.monotonic() + PATIENCE
        while self._shared.behind(generation) and time.monotonic() < deadline:
            await asyncio.sleep(PERIOD / 4)
        return config

    def _tell(self) -> None:
        self._shared.counters.cells[GENERATION] = 1 + self._generation

    def _wait(self) -> None:
        self._timer = self._loop.call_later(PERIOD, self._look)

    def _look(self) -> None:
        generation = self._config_store.generation
        if generation == self._generation:
            self._wait()
            return
        # No look while that is under way.
        working = self._loop.run_in_executor(None, self._next)
        working.add_done_callback(lambda done: self._take(generation, done))

    def _next(self) -> RuntimeConfig:
        runtime = self._made(self._config_store.read())
        for model in self.runtime.registry.names(WARMED):
            with suppress(BadRequest):
                runtime.registry.settings(model)
        return runtime

    def _take(self, generation: int, done: asyncio.Future[RuntimeConfig]) -> None:
        if done.cancelled():
            return
        try:
            self.runtime = done.result()
        except Exception:  # what was in effect stays, and requests go on
            log.exception("a change of the configuration could not be put into effect")
        self._generation = generation
        self._tell()
        self._wait()

    def _made(self, config: Config) -> RuntimeConfig:
        steps: list[Step] = []
        if config.rate_limits or config.concurrency.max_concurrency is not None:
            steps.append(RateLimitStep(config, self._shared, self._queue))
        if any_configured(config):
            steps.append(FaultStep(config, self._shared))
        if config.mocks or config.scripts:
            steps.append(MockStep(config, self._shared))
        control = Pipeline(steps) if steps else None
        directed = None
        if config.control.headers:
            directed = Pipeline([OverrideStep(config, self._shared), *steps])
        gate = ApiKeyAuth(config.keys, self._shared.counters) if config.keys else None
        return RuntimeConfig(config, ModelRegistry(config), control, directed, gate)
