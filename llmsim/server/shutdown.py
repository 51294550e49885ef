"""Callbacks for the moment the server is told to stop.

Granian lets open responses end before it ends a worker, and calls the application afterwards: too
late for a response that would never end.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any


def on_signals(
    loop: asyncio.AbstractEventLoop,
    signals: Iterable[signal.Signals],
    callback: Callable[[], None],
) -> None:
    """Call ``callback`` on the loop when a signal comes, and then what handled it before.

    The loop's own handlers go on working: they are run by the wake-up descriptor, which gets every
    signal that has a Python handler, whichever that is. To be called in the main thread.
    """
    for number in signals:
        signal.signal(number, _handler(loop, callback, signal.getsignal(number)))
        signal.siginterrupt(number, False)


def _handler(loop: asyncio.AbstractEventLoop, callback: Callable[[], None], previous: Any) -> Any:
    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        if callable(previous):
            previous(number, frame)

    return handle
