"""Metrics of a worker process, once per second: memory, CPU time, event-loop lag, connections."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
import time
from collections.abc import Callable

from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.scheduler import now_us

PERIOD = 1.0  # seconds
MAX_EXAMINED = 64  # open files, at 2 µs each
_OPEN_FILES = "/proc/self/fd"


class WorkerMetrics:
    """Writes the gauges among this worker's counters, on its event loop.

    The lag is how late this class's own timer fires: any timer of the loop is as late.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        counters: WorkerCounters,
        clock: Callable[[], int] = now_us,
    ) -> None:
        self._loop = loop
        self._counters = counters
        self._clock = clock
        self._others = 0
        self._due = clock()
        self._timer = loop.call_soon(self._beat)

    def stop(self) -> None:
        """Write no more."""
        self._timer.cancel()

    def _beat(self) -> None:
        now = self._clock()
        lag = max(0, now - self._due)
        self._counters.sampled(now, cpu_us(), rss(), lag, self._connections())
        self._due = now + int(PERIOD * 1e6)
        self._timer = self._loop.call_later(PERIOD, self._beat)

    def _connections(self) -> int | None:
        """Examining many files would block the loop: once there are many, all are taken for
        connections but as many as were none before."""
        files = open_files()
        if files is None:
            return None
        if files <= MAX_EXAMINED:
            connected = sum(map(is_connection, map(int, os.listdir(_OPEN_FILES))))
            self._others = files - connected
        return max(0, files - self._others)


def cpu_us() -> int:
    """CPU time this process has used, in µs."""
    return time.process_time_ns() // 1000


def rss() -> int:
    """This process's resident memory in bytes; its maximum so far where that is all the system
    says."""
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource  # noqa: PLC0415  not on Windows

    maximum = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return maximum if sys.platform == "darwin" else maximum * 1024


def is_connection(descriptor: int) -> bool:
    """Whether an open file is a network connection."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        connection = socket.socket(fileno=descriptor)
    except OSError:  # closed meanwhile
        return False
    try:
        connection.getpeername()
    except OSError:  # a listening socket
        return False
    else:
        return connection.family in (socket.AF_INET, socket.AF_INET6)
    finally:
        connection.detach()


def open_files() -> int | None:
    """How many files this process has open; None where the kernel does not say (before Linux
    6.2, or elsewhere)."""
    try:
        return os.stat(_OPEN_FILES).st_size or None
    except OSError:
        return None
