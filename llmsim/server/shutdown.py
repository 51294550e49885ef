"""The moment a worker is told to stop.

Granian lets open responses end before it ends a worker, and calls the application afterwards: too
late for a response that would never end. And it may wait for itself for ever when it is told twice,
as it is by a process group and its launcher, or by a launcher with threads that is killed.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from granian import _signals


def listen_once() -> None:
    """Let Granian hear only the first signal that stops this worker; before it looks for them."""
    _signals.set_loop_signals = _set_loop_signals


def _set_loop_signals(loop: asyncio.AbstractEventLoop) -> Any:
    event = _signals.WorkerSignal()  # type: ignore[attr-defined]  # re-exported
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            event.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return event


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
