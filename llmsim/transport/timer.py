"""What wakes the scheduler at a time: as exactly as the platform can."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from typing import Protocol, TypeAlias

MS = 1000  # µs
SECOND = 1_000_000  # µs
CLOCK_MONOTONIC = 1  # linux/time.h
FLAGS = os.O_NONBLOCK | os.O_CLOEXEC  # TFD_NONBLOCK and TFD_CLOEXEC are the same numbers


class Timer(Protocol):
    """Calls once for each time it is set, unless it is set anew before that."""

    def set(self, wait: int) -> None:
        """Call in ``wait`` µs, and not at the time it was set to before."""
        ...


TimerFactory: TypeAlias = Callable[[asyncio.AbstractEventLoop, Callable[[], None]], Timer]


class LoopTimer:
    """The event loop's own timers, which have a resolution of a millisecond.

    libuv sleeps whole milliseconds from wherever in one it is, so half of one is lost on average.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        self._loop = loop
        self._call = call
        self._timer: asyncio.TimerHandle | None = None

    def set(self, wait: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Anything shorter than a millisecond would spin.
        self._timer = self._loop.call_later(-(-wait // MS) / 1000, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._call()


class _Until(ctypes.Structure):
    """struct itimerspec: when to fire again (never), and when to fire."""

    _fields_ = (
        ("again_s", ctypes.c_long),
        ("again_ns", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class KernelTimer:
    """A timer of the kernel's as a file the loop watches, exact to some 50 µs. Source:
    timerfd_create(2)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.timerfd_create(CLOCK_MONOTONIC, FLAGS)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._settime = libc.timerfd_settime
        self._until = _Until()
        self._reference = ctypes.byref(self._until)
        self._call = call
        loop.add_reader(self._descriptor, self._fire)

    def set(self, wait: int) -> None:
        seconds, rest = divmod(max(wait, 1), SECOND)  # 0 would disarm it
        self._until.seconds = seconds
        self._until.nanoseconds = rest * 1000
        self._settime(self._descriptor, 0, self._reference, None)

    def _fire(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:  # set anew since the loop saw it
            return
        self._call()


def precise_timer(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> Timer:
    """The most precise timer this platform has."""
    if sys.platform == "linux":
        try:
            return KernelTimer(loop, call)
        except (OSError, AttributeError):  # an old kernel or C library
            pass
    return LoopTimer(loop, call)
