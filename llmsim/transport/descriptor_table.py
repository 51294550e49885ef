"""Room for connections in the kernel's table of a process's descriptors.

Linux doubles that table whenever a descriptor does not fit (256, 512, 1,024 …). Where threads share
it, and the HTTP server has some, whoever needs the descriptor waits for an RCU grace period each
time: 10 to 20 ms in which no connection is taken, in the middle of a burst of new ones. The table
never shrinks, so it is enough that one descriptor was high once.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

try:
    import fcntl
    import resource
except ImportError:  # Windows: the container is the way there
    fcntl = resource = None  # type: ignore[assignment]

OTHERS = 256
"""Descriptors that are no connections: files, listening sockets, those of the event loop."""


def grow(connections: int) -> None:
    """Make room for that many connections, or as many as the process may have open."""
    if sys.platform != "linux":
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = connections + OTHERS
    if soft != resource.RLIM_INFINITY:
        most = min(most, soft)
    with suppress(OSError):  # at worst it grows as it is needed
        low = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            # dup2() would close a descriptor that has that number; this takes the next free one.
            os.close(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, most - 1))
        finally:
            os.close(low)
