"""Readings for tests: the statistics of a server, and when they were read."""

from __future__ import annotations

from typing import Any

import msgspec

from llmsim.tui.history import History, Reading
from llmsim.tui.stats import ServerStats


def server_stats(uptime: float = 10.0, total: int = 0, **more: Any) -> ServerStats:
    """The document of a server that has been up that long and was asked that often."""
    document = {"uptime_s": uptime, "requests": {"total": total, "finished": total}} | more
    return msgspec.convert(document, ServerStats)


def read(at: float, stats: ServerStats | None = None, **more: Any) -> Reading:
    """A reading at that time, of a server that started at zero."""
    return Reading(at, server_stats(at, **more) if stats is None else stats)


def history(*readings: Reading) -> History:
    made = History()
    for one in readings:
        made.add(one)
    return made
