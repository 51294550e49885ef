"""Locks that keep processes apart, in the memory they share.

On Linux each is a POSIX mutex that is shared between processes and robust: when its owner dies,
however it dies, the kernel gives it to the next one that wants it. A free one is taken with
neither a system call nor the interpreter given away, which under load another thread of the
process would take: a pair of ``fcntl`` calls costs a request about 15 µs there, a mutex 1 µs
(docs/performance.md).

Elsewhere they are byte locks of the segment's file, which the kernel frees as well.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys
from typing import Final, Protocol

try:
    import fcntl
except ImportError:  # Windows: the container is the way there
    fcntl = None  # type: ignore[assignment]

STRIDE: Final = 64
"""Bytes from one mutex to the next: a cache line, and more than any Linux's mutex takes (40 with
glibc and musl on x86-64, 48 with glibc on aarch64)."""

_ATTRIBUTES = 64  # more than any pthread_mutexattr_t
_SHARED = 1  # PTHREAD_PROCESS_SHARED
_ROBUST = 1  # PTHREAD_MUTEX_ROBUST


class ProcessLocks(Protocol):
    """Locks by their numbers. Whoever holds one must not take it again."""

    def lock(self, number: int) -> None:
        """Take that lock, waiting for whoever holds it."""
        ...

    def unlock(self, number: int) -> None:
        """Give it back, in the thread that took it."""
        ...


class MutexLocks:
    """Robust mutexes ``at`` bytes into a mapping. They keep threads apart, too."""

    def __init__(self, memory: mmap.mmap, at: int) -> None:
        self._anchor = ctypes.c_char.from_buffer(memory, at)
        self._at = ctypes.addressof(self._anchor)
        held, free = ctypes.PyDLL(None), ctypes.CDLL(None)  # with the interpreter, and without it
        self._try = _taking(held.pthread_mutex_trylock)
        self._unlock = _taking(held.pthread_mutex_unlock)
        self._mend = _taking(held.pthread_mutex_consistent)
        self._lock = _taking(free.pthread_mutex_lock)

    def make(self, count: int) -> None:
        """Make the first ``count``, before anybody uses one. Raises OSError where the system has
        none of this kind."""
        attributes = ctypes.create_string_buffer(_ATTRIBUTES)
        library = ctypes.PyDLL(None)
        _good(library.pthread_mutexattr_init(attributes))
        _good(library.pthread_mutexattr_setpshared(attributes, _SHARED))
        _good(library.pthread_mutexattr_setrobust(attributes, _ROBUST))
        for number in range(count):
            address = ctypes.c_void_p(self._at + number * STRIDE)
            _good(library.pthread_mutex_init(address, attributes))

    def lock(self, number: int) -> None:
        address = self._at + number * STRIDE
        code = self._try(address)
        if code:
            if code == errno.EBUSY:
                code = self._lock(address)
            if code == errno.EOWNERDEAD:
                code = self._mend(address)
            _good(code)

    def unlock(self, number: int) -> None:
        self._unlock(self._at + number * STRIDE)


class FileLocks:
    """Locks on the bytes of a file from ``at`` on. Threads of one process are not kept apart."""

    def __init__(self, descriptor: int, at: int) -> None:
        self._descriptor = descriptor
        self._at = at

    def lock(self, number: int) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, self._at + number)

    def unlock(self, number: int) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, self._at + number)


def supported() -> bool:
    """Whether this system has the mutexes."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        MutexLocks(mmap.mmap(-1, mmap.PAGESIZE), 0).make(1)
    except (AttributeError, OSError):
        return False
    return True


def _taking(function: ctypes._NamedFuncPointer) -> ctypes._NamedFuncPointer:
    function.argtypes = (ctypes.c_void_p,)
    function.restype = ctypes.c_int
    return function


def _good(code: int) -> None:
    if code:
        raise OSError(code, os.strerror(code))
