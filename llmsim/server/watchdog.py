"""The launcher looks after its workers: those that hang are killed, so that they are replaced as
those that die by themselves.

Every worker writes its gauges once a second on its event loop, and with them the time
(:mod:`llmsim.server.worker_metrics`). One whose event loop stands still, be it stopped, in an
endless loop or deadlocked, writes nothing. The launcher watches for that.

Silence is measured by how long the watchdog itself has looked on: where the whole server was
stopped for a while (Ctrl-Z, a container that is paused), nobody is to blame.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from llmsim.state.shared_state import counters_of
from llmsim.state.shm.layout import BEAT
from llmsim.state.shm.segment import Cursor, Segment

PERIOD: Final = 1.0
"""Seconds from one look to the next."""

STARTING: Final = 120.0
"""Seconds that a worker may take, beyond the timeout, until it writes for the first time. Not while
the server ends: such a worker has nothing open, and would hold up the end."""

log = logging.getLogger("llmsim")


class HangDetector:
    """Which worker has been silent for ``timeout`` seconds, asked every :data:`PERIOD`."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._looked = 0.0
        self._last: dict[int, tuple[int, float]] = {}

    def hung(
        self, beats: Mapping[int, int], now: float, starting: float = STARTING
    ) -> tuple[int, float] | None:
        """The worker that has been silent for longest, and for how many seconds; None if all
        write. One at a time: what it holds locked may be all that the others wait for.

        ``beats`` is what each worker last wrote, by process id, 0 for nothing yet: those may be
        silent for so many seconds longer as ``starting`` says. ``now`` is in seconds.
        """
        paused = now - self._looked > 3 * PERIOD
        self._looked = now
        last = {}
        for pid, beat in beats.items():
            before = self._last.get(pid)
            same = before is not None and before[0] == beat and not paused
            last[pid] = before if before is not None and same else (beat, now)
        self._last = last
        overdue = {
            pid: now - since
            for pid, (beat, since) in last.items()
            if now - since >= self._timeout + (0.0 if beat else starting)
        }
        if not overdue:
            return None
        pid = max(overdue, key=overdue.__getitem__)
        return pid, overdue[pid]


class Watchdog:
    """Calls all of ``looks`` with the monotonic clock's seconds, at each whole second, in a thread
    of its own: the main thread may wait for a lock that a hung worker holds."""

    def __init__(self, looks: Sequence[Callable[[float], None]]) -> None:
        self._looks = looks

    def start(self) -> None:
        """Watch until the process ends."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(PERIOD - time.time() % PERIOD)
            for look in self._looks:
                try:
                    look(time.monotonic())
                except Exception:  # the others look on
                    log.exception("the watchdog failed")


class HangingWorkers:
    """Kills the workers of this launcher that hang. ``workers`` gives their process ids, ``ending``
    whether the server has been told to end."""

    def __init__(
        self,
        segment: Segment,
        timeout: float,
        workers: Callable[[], Iterable[int]],
        ending: Callable[[], bool],
    ) -> None:
        self._segment = segment
        self._workers = workers
        self._ending = ending
        self._detector = HangDetector(timeout)
        self._killed: set[int] = set()
        self._counters = counters_of(segment)

    def look(self, now: float) -> None:
        """Kill the worker that hangs, if there is one."""
        pids = set(self._workers())
        self._killed &= pids  # who is killed may take a while to end
        beats = dict.fromkeys(pids - self._killed, 0)
        for one in self._counters:
            if one.pid in beats:
                beats[one.pid] = one.cells[BEAT]
        found = self._detector.hung(beats, now, 0.0 if self._ending() else STARTING)
        if found is not None:
            pid, silent = found
            self._killed.add(pid)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # it has just died by itself
                return
            self._segment.advance(Cursor.HUNG)
            log.error(
                "the worker with PID %d has not reported for %.1f s: killed, to be replaced "
                "(server.hang_timeout_ms)",
                pid,
                silent,
            )
