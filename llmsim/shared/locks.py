"""Locks on single bytes of a file, between processes.

Python's own ``fcntl.lockf`` lets other threads run while it asks, and getting the interpreter back
from them costs ten times the lock. So on Linux a free lock is taken by a call that keeps it; only
for one that another process holds does the caller wait as Python does.
"""

from __future__ import annotations

import ctypes
import struct
import sys

try:
    import fcntl
except ImportError:  # Windows: the container is the way there
    fcntl = None  # type: ignore[assignment]

# struct flock of 64-bit Linux (fcntl_locking(2)): type, whence, start, length, pid.
_FLOCK = struct.Struct("hh4xqqi4x")


class Locks:
    """The bytes of one open file, each a lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._direct = sys.platform == "linux" and sys.maxsize > 1 << 32
        if self._direct:
            self._ask = ctypes.PyDLL(None).fcntl
            self._asked = ctypes.create_string_buffer(_FLOCK.size)
            self._place = ctypes.byref(self._asked)

    def take(self, place: int) -> None:
        """Take the lock, waiting for as long as another process holds it."""
        if self._direct:
            _FLOCK.pack_into(self._asked, 0, fcntl.F_WRLCK, 0, place, 1, 0)
            if self._ask(self._descriptor, fcntl.F_SETLK, self._place) == 0:
                return
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, place)

    def give(self, place: int) -> None:
        """Give it back."""
        if self._direct:
            _FLOCK.pack_into(self._asked, 0, fcntl.F_UNLCK, 0, place, 1, 0)
            if self._ask(self._descriptor, fcntl.F_SETLK, self._place) == 0:
                return
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, place)
