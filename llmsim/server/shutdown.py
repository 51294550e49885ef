"""What has to hear at once that the server is about to stop.

Granian lets open responses end before it ends a worker, and tells the application afterwards. A
response that would never end has to know before.
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
    told: Callable[[], None],
) -> None:
    """Call ``told`` on the loop when one of these signals comes, besides what it does already.

    The loop's own handlers run off the wake-up descriptor, which gets every signal that has a
    Python handler, whichever that is: so they go on working. To be called in the main thread.
    """
    for number in signals:
        signal.signal(number, _and(loop, told, signal.getsignal(number)))
        signal.siginterrupt(number, False)


def _and(loop: asyncio.AbstractEventLoop, told: Callable[[], None], before: Any) -> Any:
    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(told)
        if callable(before):
            before(number, frame)

    return handle
