"""What a worker says about itself, once a second: memory, processor time, lag, connections."""

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
LOOKED_AT = 64  # open files, at 2 µs each
_OPEN_FILES = "/proc/self/fd"


class WorkerMetrics:
    """Writes the gauges of this worker's board from its event loop.

    The lag is how late the timer behind it fired: what any timer of that loop has to reckon with.
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
        """No beat follows."""
        self._timer.cancel()

    def _beat(self) -> None:
        now = self._clock()
        lag = max(0, now - self._due)
        self._counters.sampled(now, cpu_us(), rss(), lag, self._connections())
        self._due = now + int(PERIOD * 1e6)
        self._timer = self._loop.call_later(PERIOD, self._beat)

    def _connections(self) -> int | None:
        """Looking at many files would hold the loop: once there are many, all but as many as were
        no connections before are taken for connections."""
        files = open_files()
        if files is None:
            return None
        if files <= LOOKED_AT:
            connected = sum(map(is_connection, map(int, os.listdir(_OPEN_FILES))))
            self._others = files - connected
        return max(0, files - self._others)


def cpu_us() -> int:
    """Processor time this process has used, in µs."""
    return time.process_time_ns() // 1000


def rss() -> int:
    """This process's resident memory in bytes; where the system does not say, the most it ever
    was."""
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource  # noqa: PLC0415  not on Windows

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def is_connection(descriptor: int) -> bool:
    """Whether an open file is a connection over the network."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        looked_at = socket.socket(fileno=descriptor)
    except OSError:  # closed meanwhile
        return False
    try:
        looked_at.getpeername()
    except OSError:  # one that listens
        return False
    else:
        return looked_at.family in (socket.AF_INET, socket.AF_INET6)
    finally:
        looked_at.detach()


def open_files() -> int | None:
    """How many files this process has open; None where the kernel does not say (before Linux
    6.2, or elsewhere)."""
    try:
        return os.stat(_OPEN_FILES).st_size or None
    except OSError:
        return None
