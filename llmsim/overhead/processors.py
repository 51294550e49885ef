"""How busy this machine's processors are, where Linux says so."""

from __future__ import annotations

from pathlib import Path
from typing import Final

STAT: Final = Path("/proc/stat")
IDLE: Final = slice(3, 5)
"""proc(5): user, nice, system, idle, iowait …"""


class Processors:
    """Counts from its construction, or the last ``restart``, on."""

    def __init__(self) -> None:
        self._before = _ticks()

    def restart(self) -> None:
        self._before = _ticks()

    def busy(self) -> float | None:
        """The part of all processors' time that was used; None where it is not known."""
        before, now = self._before, _ticks()
        if before is None or now is None or now[0] <= before[0]:
            return None
        return round(1 - (now[1] - before[1]) / (now[0] - before[0]), 3)


def _ticks() -> tuple[int, int] | None:
    """All ticks of all processors since the start, and the idle ones."""
    try:
        line = STAT.read_text().split("\n", 1)[0]
        numbers = [int(one) for one in line.split()[1:9]]
    except (OSError, ValueError):
        return None
    return sum(numbers), sum(numbers[IDLE])
