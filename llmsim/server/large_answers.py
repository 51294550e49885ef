"""Requests whose answer would be larger than ``server.max_answer_bytes``: counted, and logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from llmsim.core.errors import Failure
from llmsim.engine.answer_size import TOO_LARGE as CODE
from llmsim.state.shm.layout import TOO_LARGE
from llmsim.state.shm.worker_counters import WorkerCounters

QUIET: Final = 60.0
"""Seconds between two lines."""

log = logging.getLogger("llmsim")


class LargeAnswers:
    """Takes note of refusals. ``clock`` counts seconds from any point."""

    def __init__(
        self, counters: WorkerCounters, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._counters = counters
        self._clock = clock
        self._quiet_until = float("-inf")

    def note(self, failure: Failure) -> None:
        """Count a failure if it is for the size of an answer."""
        if failure.code != CODE:
            return
        self._counters.cells[TOO_LARGE] += 1
        now = self._clock()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET
            log.warning("refused a request: %s", failure.message)
