"""Readings for tests: what a server told, at which moment."""

from __future__ import annotations

from typing import Any

import msgspec

from llmsim.tui.reading import History, Reading
from llmsim.tui.stats import Stats


def told(uptime: float = 10.0, total: int = 0, **more: Any) -> Stats:
    """The document of a server that has been up that long and was asked that often."""
    document = {"uptime_s": uptime, "requests": {"total": total, "finished": total}} | more
    return msgspec.convert(document, Stats)


def read(at: float, stats: Stats | None = None, **more: Any) -> Reading:
    """A reading at that time, of a server that started at zero."""
    return Reading(at, told(at, **more) if stats is None else stats)


def history(*readings: Reading) -> History:
    made = History()
    for one in readings:
        made.add(one)
    return made
