"""The times of a run under load, which are known only while its steps go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

from llmsim.core.state import ObjectStore, StoreError
from llmsim.providers.openai.assistants import runs as wire_runs
from llmsim.providers.openai.assistants.objects import RUN
from llmsim.providers.openai.assistants.runs import RunRecord

log = logging.getLogger("llmsim")

Timed: TypeAlias = Callable[[RunRecord, tuple[float, float]], RunRecord]


class RunTimes:
    """Called when other times are planned for the latest stretch of the run called ``name``, which
    began at ``began``: stores them, the latest ones if they change faster than that. ``timed``
    gives a run with other times of that stretch: TTFT and total, in seconds."""

    def __init__(self, store: ObjectStore, name: str, began: float, timed: Timed) -> None:
        self._store = store
        self._name = name
        self._began = began
        self._timed = timed
        self._times: tuple[float, float] | None = None
        self._storing: asyncio.Task[None] | None = None

    def __call__(self, ttft: float, total: float) -> None:
        self._times = ttft, total
        if self._storing is None:
            self._storing = asyncio.ensure_future(self._store_them())

    async def _store_them(self) -> None:
        try:
            while (times := self._times) is not None:
                self._times = None
                await self._store.update(RUN, self._name, lambda value: self._changed(value, times))
        except StoreError as error:
            log.error("the store does not work: %s", error)
        finally:
            self._storing = None

    def _changed(self, value: bytes, times: tuple[float, float]) -> bytes:
        run = wire_runs.load(value)
        if run.stretches[-1].began != self._began:  # it has gone on, or begun anew
            return value
        return wire_runs.dump(self._timed(run, times))
