"""Work beside all else that a process does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

_working: set[asyncio.Future[Any]] = set()


def in_background(work: Awaitable[None]) -> None:
    """Do it, whoever waits for what."""
    task = asyncio.ensure_future(work)
    _working.add(task)
    task.add_done_callback(_working.discard)
