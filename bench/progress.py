"""A line on the terminal that says that a benchmark still runs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

PAUSE = 1.0
"""Seconds between two lines: what is written must not be felt by what is measured."""


@contextmanager
def progress(
    name: str,
    stream: TextIO | None = None,
    pause: float = PAUSE,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """While the context is open, one line that is written over says for how long; nothing where
    nobody sits at a terminal."""
    out = sys.stderr if stream is None else stream
    if not out.isatty():
        yield
        return
    began, done = clock(), threading.Event()

    def show() -> None:
        while not done.wait(pause):
            minutes, seconds = divmod(int(clock() - began), 60)
            out.write(f"\r\x1b[K{name}: measuring for {minutes}:{seconds:02} min …")
            out.flush()

    thread = threading.Thread(target=show, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        out.write("\r\x1b[K")
        out.flush()
