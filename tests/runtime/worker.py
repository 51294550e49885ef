"""One worker's view of the configuration in effect, without a process, a loop or time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

from llmsim.config import Config, Server, load
from llmsim.runtime.holder import PERIOD, ConfigHolder
from llmsim.runtime.store import ConfigStore
from llmsim.server.pipeline_state import pipeline_state
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.layout import GENERATION
from llmsim.state.shm.segment import Segment


def segment() -> Segment:
    return new_segment(Config(Server(workers=2, journal_mb=1)))


def configured(text: str, folder: Path) -> Config:
    """The configuration that a file says."""
    path = folder / "llmsim.yaml"
    path.write_text(text)
    return load(str(path), {}, {})


class Loop:
    """An event loop whose timers and threads run when the test says so."""

    def __init__(self) -> None:
        self.timers: list[Callable[[], None]] = []
        self.work: list[tuple[Callable[[], Any], Future[Any]]] = []

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Self:
        assert seconds == PERIOD
        self.timers.append(callback)
        return self

    def cancel(self) -> None:
        self.timers.clear()

    def run_in_executor(self, executor: None, function: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self.work.append((function, future))
        return future

    def tick(self) -> None:
        """The next check for a change."""
        self.timers.pop()()

    def finish(self) -> None:
        """What the thread was to do is done."""
        function, future = self.work.pop()
        try:
            result = function()
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(result)


class Clock:
    """Seconds that pass only while somebody sleeps; ``woken`` is called after each sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps = 0
        self.woken: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps += 1
        self.woken()
        await asyncio.sleep(0)


class Worker:
    """A worker of a server that was started with ``config``. ``folder`` is the server's own."""

    def __init__(self, config: Config, folder: Path, shared: SharedState | None = None) -> None:
        self.shared = SharedState(segment()) if shared is None else shared
        self.store = ConfigStore(config, self.shared.segment, str(folder))
        self.loop = Loop()
        self.clock = Clock()
        self.holder = ConfigHolder(
            self.shared, self.store, pipeline_state(self.shared), self.clock, self.clock.sleep
        )

    @property
    def config(self) -> Config:
        """The configuration in effect."""
        return self.holder.runtime.config

    @property
    def acknowledged(self) -> int:
        """One more than the generation that others see it go by; 0 if it does not serve yet."""
        return self.shared.counters.cells[GENERATION]

    def follow(self) -> None:
        self.holder.follow(self.loop)  # type: ignore[arg-type]

    def take_over(self) -> None:
        """Check for a change, and put it into effect if there is one."""
        self.loop.tick()
        if self.loop.work:
            self.loop.finish()

    def change(self, edit: Callable[[Config], Config]) -> Config:
        """Make a change in this worker, which takes it over while it waits."""
        self.clock.woken = self.take_over
        return asyncio.run(self.holder.change(edit))
