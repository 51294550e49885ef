"""Clients that stop reading: what waits for them is held in memory, so that has to have an end.

No interface says how much of an answer has been read. The kernel knows what it holds
for each connection and how much of it was ever acknowledged: a connection that holds something
and for which nothing moves is stalled. Looked at in a thread, every second or more often.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator

try:
    import fcntl
    import termios
except ImportError:  # Windows: the container is the way there
    fcntl = None  # type: ignore[assignment]

PERIOD = 1.0  # seconds between two looks, at most
LOOKS = 8  # in the time a client has, at least

_OPEN_FILES = "/proc/self/fd"
# Of struct tcp_info (linux/tcp.h): tcpi_bytes_acked, a u64.
_ACKNOWLEDGED = 120
_ABORT = struct.pack("ii", 1, 0)  # struct linger: close drops what is unsent and resets

log = logging.getLogger("llmsim")


class SlowClients:
    """What the last looks at the connections found. ``timeout`` is in seconds."""

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout = timeout
        self._clock = clock
        self._waiting: dict[int, tuple[int, float]] = {}

    def look(self, connections: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
        """Descriptor and inode of each connection that has not moved for the timeout.

        ``connections`` are those that hold something: descriptor, inode, bytes acknowledged.
        """
        now = self._clock()
        before, self._waiting = self._waiting, {}
        stalled = []
        for descriptor, inode, acknowledged in connections:
            moved, since = before.get(inode, (-1, now))
            if moved != acknowledged:
                since = now
            self._waiting[inode] = (acknowledged, since)
            if now - since >= self._timeout:
                stalled.append((descriptor, inode))
        return stalled


def watch(timeout: float) -> None:
    """Drop this process's connections whose clients read nothing for ``timeout`` seconds, from
    now on; 0 drops none."""
    if not timeout:
        return
    if sys.platform != "linux":
        log.warning("server.stall_timeout_ms needs Linux: clients may stall for ever")
        return
    threading.Thread(target=_watch, args=(timeout,), name="stalls", daemon=True).start()


def _watch(timeout: float) -> None:
    stalls = SlowClients(timeout)
    while True:
        time.sleep(min(PERIOD, timeout / LOOKS))
        try:
            for descriptor, inode in stalls.look(holding()):
                if drop(descriptor, inode):
                    log.info("dropped a client that read nothing for %g s", timeout)
        except Exception:  # the next look may do better
            log.exception("could not look for stalled clients")


def holding() -> Iterator[tuple[int, int, int]]:
    """Each TCP connection of this process with bytes its peer has not acknowledged: descriptor,
    inode, and how many bytes it ever has."""
    for name in os.listdir(_OPEN_FILES):
        descriptor = int(name)
        try:
            # A socket that listens, and a file of another kind, do not know this.
            held = fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0\0\0\0")
            if held == b"\0\0\0\0":
                continue
            inode = os.fstat(descriptor).st_ino
            looked_at = socket.socket(fileno=descriptor)
        except OSError:  # or it was closed meanwhile
            continue
        try:
            info = looked_at.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        except OSError:
            continue
        finally:
            looked_at.detach()
        if len(info) >= _ACKNOWLEDGED + 8:
            yield descriptor, inode, struct.unpack_from("=Q", info, _ACKNOWLEDGED)[0]


def drop(descriptor: int, inode: int) -> bool:
    """Break a connection off, unless its descriptor stands for another by now; whether it was."""
    try:
        if os.fstat(descriptor).st_ino != inode:
            return False
        broken = socket.socket(fileno=descriptor)
    except OSError:
        return False
    try:
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        broken.shutdown(socket.SHUT_RDWR)
    except OSError:
        return False
    finally:
        broken.detach()
    return True
