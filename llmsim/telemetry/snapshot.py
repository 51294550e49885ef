"""The sum of all workers' counters: what the whole server has done, at one moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmsim.core.errors import FailureKind
from llmsim.state.shm import histogram
from llmsim.state.shm.labels import Label
from llmsim.state.shm.layout import (
    ARRIVAL_LAG,
    BEAT,
    CLOSED,
    COLUMNS,
    CONNECTIONS,
    CPU,
    CPU_BEFORE,
    DELIVERY_LATENESS,
    DIED,
    DROPPED,
    DROPPED_CLIENTS,
    FRAMES,
    HISTOGRAM,
    KINDS,
    LAG,
    LATENESS,
    LATEST,
    LONGEST,
    LOOP_LAG,
    LOST,
    OPENED,
    OUTPUT_LAG,
    QUEUE,
    RSS,
    SHORTEST,
    SPANS,
    SPANS_DROPPED,
    STARTED,
    TIMES,
    TOO_LARGE,
)
from llmsim.state.shm.rows import Row
from llmsim.state.shm.worker_counters import WorkerCounters

RATE_SECONDS = 60
LIMITS = (FailureKind.RATE_LIMIT, FailureKind.TOKEN_LIMIT, FailureKind.QUOTA)


@dataclass(frozen=True, slots=True)
class WorkerSnapshot:
    """A living worker and the slot it writes.

    ``since`` and ``beat`` say when it began (Unix time) and when it last wrote what follows (the
    monotonic clock); ``cpu`` is the processor time it has used, all in seconds, ``cpu_slot`` that
    of all workers the slot has had. ``rss`` is in bytes, ``lag`` how many seconds late a timer of
    its event loop was. None is not known, or not yet.
    """

    slot: int
    pid: int
    since: float
    beat: float | None = None
    cpu: float | None = None
    cpu_slot: float = 0.0
    rss: int | None = None
    lag: float | None = None
    connections: int | None = None

    @classmethod
    def of(cls, slot: int, counters: WorkerCounters) -> WorkerSnapshot:
        """The owner of these counters."""
        cells = counters.cells
        spent = cells[CPU] / 1e6
        if not cells[BEAT]:
            return cls(slot, counters.pid, counters.since, cpu_slot=spent)
        return cls(
            slot,
            counters.pid,
            counters.since,
            cells[BEAT] / 1e6,
            (cells[CPU] - cells[CPU_BEFORE]) / 1e6,
            spent,
            cells[RSS],
            cells[LAG] / 1e6,
            cells[CONNECTIONS] - 1 if cells[CONNECTIONS] else None,
        )


class Snapshot:
    """The counters of all slots together."""

    def __init__(self, all_counters: Iterable[WorkerCounters]) -> None:
        all_counters = [counters for counters in all_counters if counters.owners]
        cells = [counters.cells for counters in all_counters]
        self.started = sum(cell[STARTED] for cell in cells)
        self.lost = sum(cell[LOST] for cell in cells)
        self.streams_opened = sum(cell[OPENED] for cell in cells)
        self.streams_open = self.streams_opened - sum(cell[CLOSED] for cell in cells)
        self.frames = sum(cell[FRAMES] for cell in cells)
        self.rows = _summed(all_counters)
        self.finished = sum(row.columns["count"] for row in self.rows)
        self.longest = max((cell[LONGEST] for cell in cells), default=0) / 1e6
        self.shortest = min((c[SHORTEST] - 1 for c in cells if c[SHORTEST]), default=0) / 1e6
        self.latest = max((cell[LATEST] for cell in cells), default=0) / 1e6
        self.lateness = TimeHistograms.at(all_counters, LATENESS)
        self.queue = TimeHistograms.at(all_counters, QUEUE)
        self.arrival_lag = TimeHistograms.at(all_counters, ARRIVAL_LAG)
        self.output_lag = TimeHistograms.at(all_counters, OUTPUT_LAG)
        self.delivery_lateness = TimeHistograms.at(all_counters, DELIVERY_LATENESS)
        self.loop_lag = TimeHistograms.at(all_counters, LOOP_LAG)
        labels, times = _times(all_counters)
        self.series = [SeriesTimes(*both) for both in zip(labels, times, strict=True)]
        self.latency, self.ttft, self.itl = map(TimeHistograms, times.sum(axis=0))
        self.deaths = [cell[DIED] for cell in cells]
        self.dropped = sum(cell[DROPPED] for cell in cells)
        self.spans = sum(cell[SPANS] for cell in cells)
        self.spans_dropped = sum(cell[SPANS_DROPPED] for cell in cells)
        self.too_large = sum(cell[TOO_LARGE] for cell in cells)
        self.dropped_clients = {
            bound: sum(cell[place] for cell in cells) for bound, place in DROPPED_CLIENTS.items()
        }
        self.errors = {kind: ErrorCounts(0, 0) for kind in KINDS}
        for counters in all_counters:
            for kind, real, injected in counters.errors():
                if real or injected:
                    self.errors[kind] = self.errors[kind].plus(real, injected)
        self._rates = [rate for counters in all_counters for rate in counters.rates()]

    @property
    def active(self) -> int:
        """Requests that have arrived and are not yet answered."""
        return self.started - self.finished - self.lost

    @property
    def died(self) -> int:
        """Workers that died and were replaced."""
        return sum(self.deaths)

    @property
    def limited(self) -> int:
        """Requests refused by a limit, those left out where the refusal was injected."""
        return sum(self.errors[kind].real for kind in LIMITS)

    def by(self, attribute: str, column: str = "count") -> dict[str, int]:
        """A column summed by "endpoint", "model" or "status", greatest first."""
        sums: Counter[str] = Counter()
        for row in self.rows:
            sums[str(getattr(row, attribute))] += row.columns[column]
        return dict(sums.most_common())

    def total(self, column: str) -> int:
        """A column summed over all rows."""
        return sum(row.columns[column] for row in self.rows)

    def rates(self, second: float, uptime: float) -> tuple[float, float]:
        """Requests finished and completion tokens a second, over the last minute or since the
        start if that is less; ``second`` is now on the monotonic clock. The second that runs is
        left out."""
        last, span = int(second), max(1.0, min(RATE_SECONDS, uptime))
        counted = [one for one in self._rates if last - RATE_SECONDS <= one[0] < last]
        return sum(one[1] for one in counted) / span, sum(one[2] for one in counted) / span


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Errors of one kind."""

    real: int
    injected: int

    def plus(self, real: int, injected: int) -> ErrorCounts:
        return ErrorCounts(self.real + real, self.injected + injected)


class TimeHistograms:
    """A histogram of times, summed over all slots; results in seconds.

    ``numbers`` are the sum in µs and the buckets.
    """

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        self.sum = int(numbers[0]) / 1e6
        self.counts: list[int] = numbers[1:].tolist()
        self.count = sum(self.counts)

    @classmethod
    def at(cls, all_counters: Iterable[WorkerCounters], start: int) -> TimeHistograms:
        """The sum of the histograms at ``start`` (LATENESS, QUEUE …)."""
        numbers = np.zeros(HISTOGRAM, np.int64)
        for counters in all_counters:
            numbers += counters.histogram(start)
        return cls(numbers)

    @property
    def mean(self) -> float:
        return self.sum / self.count if self.count else 0.0

    def quantile(self, share: float) -> float:
        return histogram.quantile(self.counts, share)


class SeriesTimes:
    """The times of the requests of one endpoint and model, streamed or not: until the end of the
    response, until the first token, and between tokens."""

    def __init__(self, label: Label, times: NDArray[np.int64]) -> None:
        self.endpoint, self.model = label.endpoint, label.model
        self.streamed = label.value == 1
        self.latency, self.ttft, self.itl = map(TimeHistograms, times)


def _times(all_counters: Sequence[WorkerCounters]) -> tuple[list[Label], NDArray[np.int64]]:
    """The labels of all series, and their numbers summed over all slots, shape
    (series, times, 1 + buckets)."""
    labels = list(all_counters[0].all_series.labels.all()) if all_counters else []
    times = np.zeros((len(labels), len(TIMES), HISTOGRAM), np.int64)
    for counters in all_counters:
        times += counters.all_series.numbers(len(labels))
    return labels, times


def _summed(all_counters: Sequence[WorkerCounters]) -> list[Row]:
    """The rows of all slots in which something was counted."""
    labels = list(all_counters[0].rows.labels.all()) if all_counters else []
    numbers = np.zeros((len(labels), len(COLUMNS)), np.int64)
    for counters in all_counters:
        numbers += counters.rows.numbers(len(labels))
    both = zip(labels, numbers.tolist(), strict=True)
    return [Row(label, columns) for label, columns in both if columns[0]]


def workers(all_counters: Iterable[WorkerCounters]) -> list[WorkerSnapshot]:
    """The workers there are, by slot."""
    return [WorkerSnapshot.of(slot, one) for slot, one in enumerate(all_counters) if one.pid]
