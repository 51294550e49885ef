"""The history behind the charts: written once a second by the launcher, read by any worker.

Each moment says what happened in the step that ended with it. In steps of a second, quantiles are
of the last ten seconds, as what the page shows live; in steps of 15 they are of these 15.
"""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from llmsim.state.shm import histogram
from llmsim.state.shm.history_ring import STEPS, WIDTH, HistoryRing
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.snapshot import Snapshot, WorkerSnapshot, workers

RATES: Final = (
    "requests_per_second",
    "errors_per_second",
    "prompt_tokens_per_second",
    "completion_tokens_per_second",
    "cpu_mean",
)
"""Of several steps together: the mean. ``cpu`` is in processors, a worker."""
GAUGES: Final = ("cpu_busiest", "active", "active_streaming", "loop_lag_ms")
"""Of several steps together, as of the quantiles: the greatest."""
TIMES: Final = ("latency", "ttft", "itl", "lateness", "arrival_lag", "output_lag")
SHARES: Final = (50, 95, 99)
SERIES: Final = (
    *RATES,
    *GAUGES,
    *(f"{name}_ms.p{share}" for name in TIMES for share in SHARES),
)
"""What is remembered of each moment."""

FINE, COARSE = STEPS
RECENT: Final = 10
"""Seconds whose quantiles a moment of the fine ring has."""
LONGEST_GAP: Final = 5
"""Seconds that may pass without a reading for the next one to speak for them all."""
NOTHING: Final = float("nan")


@dataclass(frozen=True, slots=True)
class CountersReading:
    """The counters as they were at ``second`` of the monotonic clock. ``counted`` are requests,
    errors, prompt and completion tokens; ``cpu`` the seconds each process has used."""

    second: float
    counted: tuple[int, ...]
    times: Mapping[str, Sequence[int]]
    cpu: Mapping[int, float]
    gauges: tuple[float, float, float]

    @classmethod
    def of(
        cls, snapshot: Snapshot, living: Sequence[WorkerSnapshot], second: float
    ) -> CountersReading:
        """What it is now."""
        lags = [one.lag * 1e3 for one in living if one.lag is not None]
        return cls(
            second,
            (
                snapshot.finished + snapshot.lost,
                sum(one.injected + one.real for one in snapshot.errors.values()),
                snapshot.total("prompt"),
                snapshot.total("completion"),
            ),
            {name: getattr(snapshot, name).counts for name in TIMES},
            {one.pid: one.cpu for one in living if one.cpu is not None},
            (snapshot.active, snapshot.streams_open, max(lags, default=NOTHING)),
        )


def point(
    before: CountersReading, now: CountersReading, times_before: CountersReading | None = None
) -> list[float]:
    """What happened between two readings, in the order of :data:`SERIES`; quantiles are of what
    came after ``times_before``, if there is one."""
    seconds = max(now.second - before.second, 1e-3)
    grown = zip(before.counted, now.counted, strict=True)
    rates = [max(0, new - old) / seconds for old, new in grown]
    each = [
        max(0.0, used - before.cpu[pid]) / seconds
        for pid, used in now.cpu.items()
        if pid in before.cpu
    ]
    loads = (sum(each) / len(each), max(each)) if each else (NOTHING, NOTHING)
    since = (times_before or before).times
    quantiles = [one for name in TIMES for one in _quantiles(since[name], now.times[name])]
    return [*rates, *loads, *now.gauges, *quantiles]


def _quantiles(before: Sequence[int], now: Sequence[int]) -> list[float]:
    counts = [max(0, new - old) for old, new in zip(before, now, strict=True)]
    if not any(counts):
        return [NOTHING] * len(SHARES)
    return [histogram.quantile(counts, share / 100) * 1e3 for share in SHARES]


class HistoryWriter:
    """Writes what was counted to ``memory``; to be asked about once a second."""

    def __init__(
        self,
        memory: memoryview,
        all_counters: Sequence[WorkerCounters],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fine, self._coarse = HistoryRing(memory, FINE), HistoryRing(memory, COARSE)
        self._all_counters = all_counters
        self._clock = clock
        self._seen: deque[tuple[int, CountersReading]] = deque()
        self._gauges: list[tuple[float, ...]] = []

    def look(self, second: float) -> None:
        """Take a reading at ``second`` of the monotonic clock."""
        counters = self._all_counters
        reading = CountersReading.of(Snapshot(counters), workers(counters), second)
        self.add(int(self._clock()), reading)

    def add(self, at: int, reading: CountersReading) -> None:
        """Remember a reading that was taken at a Unix time."""
        seen = self._seen
        last = seen[-1][0] if seen else at
        if seen and not 0 < at - last <= LONGEST_GAP:
            if at == last:
                return
            seen.clear()  # the clock was set, or the machine slept
            self._gauges.clear()
        if seen:
            self._write(last, at, reading)
        seen.append((at, reading))
        while at - seen[0][0] > COARSE:
            seen.popleft()

    def _write(self, last: int, at: int, reading: CountersReading) -> None:
        recent = next(one for then, one in self._seen if at - then <= RECENT)
        values = point(self._seen[-1][1], reading, recent)
        for moment in range(last + 1, at + 1):
            self._fine.put(moment, values)
        self._gauges.append(tuple(values[len(RATES) : len(RATES) + len(GAUGES)]))
        if at // COARSE > last // COARSE:
            values = point(self._seen[0][1], reading)
            greatest = [max(column) for column in zip(*self._gauges, strict=True)]
            values[len(RATES) : len(RATES) + len(GAUGES)] = greatest
            self._coarse.put(at // COARSE * COARSE, values)
            self._gauges.clear()


def history(memory: memoryview, since: float, until: float, step: int) -> dict[str, Any]:
    """What is remembered from ``since`` to ``until`` (Unix times), a moment every ``step`` seconds:
    fewer than 15, or a multiple of 15. Each series has a number or null for each of ``times``."""
    ring = HistoryRing(memory, COARSE if step % COARSE == 0 else FINE)
    since = min(max(since, until - ring.seconds), until)
    first, last = -int(-since // step), int(until // step)
    count = max(0, last - first + 1)
    each = step // ring.step
    begin = first * step - (each - 1) * ring.step
    found = ring.read(begin, count * each).reshape(count, each, WIDTH - 1)[:, :, : len(SERIES)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of moments of which nothing is known
        means = np.nanmean(found[:, :, : len(RATES)], axis=1)
        greatest = np.nanmax(found[:, :, len(RATES) :], axis=1)
    columns = np.round(np.hstack((means, greatest)), 3).T.tolist()
    return {
        "step_s": step,
        "times": [moment * step for moment in range(first, first + count)],
        "series": dict(zip(SERIES, columns, strict=True)),
    }
