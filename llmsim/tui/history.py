"""Rates from two readings of the server, and their history second by second. No I/O.

Counters only grow while a server lives. The time between two readings is the server's own
(``uptime_s``), so a slow network does not bend a rate.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from llmsim.tui.stats import ServerStats

WINDOW = 1.0
"""Seconds a rate looks back, if there is a reading that old."""

SHORTEST = 0.02
"""Seconds between two readings below which a difference says nothing."""

DRIFT = 2.0
"""Seconds by which the moment a server started may seem to move while it is the same server."""

COUNTED = ("requests", "prompt", "completion", "errors", "limited")
"""What is counted, in the order of :attr:`Reading.counters`."""

KEPT = 600
"""Seconds of history."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The server's statistics, and when they were read: seconds on a clock that never goes back."""

    at: float
    stats: ServerStats

    @property
    def counters(self) -> tuple[int, ...]:
        """What only grows while a server lives, in the order of :data:`COUNTED`."""
        requests, tokens = self.stats.requests, self.stats.tokens
        return (
            requests.total,
            tokens.prompt,
            tokens.completion,
            self.stats.errors.total,
            self.stats.rate_limited or 0,
        )


@dataclass(frozen=True, slots=True)
class CounterRates:
    """What happened per second, by the names of :data:`COUNTED`; processors in use by slot."""

    per_second: dict[str, float]
    cpu: dict[int, float]


def restarted(before: Reading, after: Reading) -> bool:
    """Whether another server answers now: it is younger, counted less or has another start."""
    if after.stats.uptime_s < before.stats.uptime_s:
        return True
    if any(now < then for then, now in zip(before.counters, after.counters, strict=True)):
        return True
    began = [one.at - one.stats.uptime_s for one in (before, after)]
    return abs(began[1] - began[0]) > DRIFT


def rates(before: Reading, after: Reading) -> CounterRates | None:
    """What happened per second between two readings; None where that cannot be said."""
    seconds = after.stats.uptime_s - before.stats.uptime_s
    if seconds < SHORTEST or restarted(before, after):
        return None
    grown = zip(COUNTED, before.counters, after.counters, strict=True)
    per_second = {name: (now - then) / seconds for name, then, now in grown}
    return CounterRates(per_second, _cpu(before, after, seconds))


def _cpu(before: Reading, after: Reading, seconds: float) -> dict[int, float]:
    """Processors in use by each slot whose process is the same as before."""
    then = {(one.slot, one.pid): one.cpu_s for one in before.stats.workers}
    used = {}
    for one in after.stats.workers:
        earlier = then.get((one.slot, one.pid))
        if earlier is not None and one.cpu_s is not None:
            used[one.slot] = max(0.0, one.cpu_s - earlier) / seconds
    return used


class History:
    """The latest readings and, second by second, the rates they made."""

    def __init__(self) -> None:
        self._window: deque[Reading] = deque()
        self._seconds: dict[int, CounterRates] = {}
        self._now: CounterRates | None = None

    @property
    def latest(self) -> Reading | None:
        """The last reading of the server that answers now."""
        return self._window[-1] if self._window else None

    def rate(self, name: str) -> float | None:
        """How many per second of one of :data:`COUNTED`, now; None until two readings are there."""
        return None if self._now is None else self._now.per_second[name]

    @property
    def cpu(self) -> dict[int, float]:
        """Processors in use by worker slot, now; empty where it is not known."""
        return {} if self._now is None else self._now.cpu

    def add(self, reading: Reading) -> None:
        """Take a reading in; after a restart of the server rates begin anew."""
        window = self._window
        if window and restarted(window[-1], reading):
            window.clear()
        window.append(reading)
        # One reading as old as the window is kept to measure from.
        while len(window) > 2 and reading.stats.uptime_s - window[1].stats.uptime_s >= WINDOW:
            window.popleft()
        self._now = rates(window[0], reading)
        if self._now is not None:
            self._note(int(reading.at), self._now)

    def column(self, name: str, width: int) -> list[float | None]:
        """The last ``width`` seconds of one of :data:`COUNTED`, oldest first; None where no
        reading was taken."""
        latest = self.latest
        if latest is None or width < 1:
            return [None] * max(0, width)
        last = int(latest.at)
        known = [self._seconds.get(second) for second in range(last - width + 1, last + 1)]
        return [None if one is None else one.per_second[name] for one in known]

    def peak(self, name: str) -> float:
        """The greatest rate of the seconds kept."""
        return max((one.per_second[name] for one in self._seconds.values()), default=0.0)

    def _note(self, second: int, now: CounterRates) -> None:
        self._seconds[second] = now
        for gone in [old for old in self._seconds if old <= second - KEPT]:
            del self._seconds[gone]
