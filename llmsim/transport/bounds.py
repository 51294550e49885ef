"""Bounds that clients have reached: each is counted, and told in the log once a minute at most."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from llmsim.state.shm.layout import DROPPED_CLIENTS
from llmsim.state.shm.worker_counters import WorkerCounters

MINUTE: Final = 60.0

log = logging.getLogger("llmsim")


class Bounds:
    """The bounds of one worker, by their keys in the ``server`` section.

    May be called from any thread, but only from one for each bound.
    """

    def __init__(
        self, counters: WorkerCounters, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cells = counters.cells
        self._clock = clock
        self._logged: dict[str, float] = {}

    def reached(self, bound: str, message: str) -> None:
        """A client has reached a bound; ``message`` says what became of it."""
        self._cells[DROPPED_CLIENTS[bound]] += 1
        now = self._clock()
        if now - self._logged.get(bound, -MINUTE) >= MINUTE:
            self._logged[bound] = now
            log.warning("%s (server.%s); see llmsim_clients_dropped_total", message, bound)
