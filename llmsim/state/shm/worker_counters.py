"""Counters in shared memory: each worker writes its own, any worker sums them all.

Everything but the gauges only ever grows, whoever owns the slot; a number that falls is a
difference of two that grow. The count of a row is written last, so a worker that is killed while
it records a request has not counted it. :mod:`llmsim.state.shm.layout` has where each number is.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from llmsim.core.errors import FailureKind
from llmsim.state.shm.histogram import BUCKET_OF, SHORT, bucket
from llmsim.state.shm.labels import Labels
from llmsim.state.shm.layout import (
    BEAT,
    CLOSED,
    CONNECTIONS,
    CPU,
    CPU_BEFORE,
    DIED,
    FRAMES,
    GAUGES,
    HISTOGRAM,
    ITL,
    KINDS,
    LAG,
    LATENESS,
    LATEST,
    LONGEST,
    LOST,
    OPENED,
    QUEUE,
    RATES,
    REAL,
    RSS,
    SECONDS,
    SHORTEST,
    STARTED,
    TTFT,
)
from llmsim.state.shm.rows import Rows
from llmsim.state.shm.series import TimeSeries


class WorkerCounters:
    """One worker's counters. Only its owner writes; ``labels`` are those that all workers share."""

    def __init__(self, memory: memoryview, labels: Labels | None = None) -> None:
        labels = Labels() if labels is None else labels
        self.cells = memory.cast("q")
        self.rows = Rows(self.cells, labels.rows)
        self.row = self.rows.at
        self.all_series = TimeSeries(self.cells, labels.series)
        self.series = self.all_series.at

    def take_over(self, pid: int) -> None:
        """Own these counters, with all that was counted; what the last owner left open is lost."""
        cells = self.cells
        self.owner_died()
        for gauge in range(BEAT, BEAT + len(GAUGES)):
            cells[gauge] = 0
        cells[CPU_BEFORE] = cells[CPU]
        cells[0] = pid
        cells[1] = time.time_ns() // 1000
        cells[2] += 1

    def owner_died(self) -> None:
        """The owner, if there still is one, has died: count that, and what it left open."""
        self.repair()
        if self.cells[0]:
            self.cells[DIED] += 1
            self.cells[0] = 0

    def resign(self) -> None:
        """The owner ends as it should."""
        self.repair()
        self.cells[0] = 0

    def repair(self) -> None:
        """Count what the owner left open as lost."""
        cells = self.cells
        cells[LOST] += self.active
        cells[CLOSED] = cells[OPENED]

    @property
    def pid(self) -> int:
        return self.cells[0]

    @property
    def owners(self) -> int:
        """How many processes have owned these counters."""
        return self.cells[2]

    @property
    def since(self) -> float:
        """Unix time at which its owner took over, seconds."""
        return self.cells[1] / 1e6

    @property
    def active(self) -> int:
        """Requests started and neither finished nor lost."""
        return self.cells[STARTED] - self.rows.finished - self.cells[LOST]

    def histogram(self, start: int) -> NDArray[np.int64]:
        """Sum in µs and buckets of the histogram at ``start`` (LATENESS, QUEUE …)."""
        return np.array(self.cells[start : start + HISTOGRAM])

    def rates(self) -> list[tuple[int, int, int]]:
        """(second of the monotonic clock, requests finished in it, their completion tokens), in
        no order."""
        flat = self.cells[RATES : RATES + 3 * SECONDS].tolist()
        return list(zip(flat[0::3], flat[1::3], flat[2::3], strict=True))

    def errors(self) -> list[tuple[FailureKind, int, int]]:
        """(kind, real errors, injected ones) of every kind."""
        cells = self.cells
        return [(kind, cells[REAL[kind]], cells[REAL[kind] + 1]) for kind in KINDS]

    def started(self) -> None:
        """Count a request that has arrived."""
        self.cells[STARTED] += 1

    def finished(
        self,
        row: int,
        second: int,
        tokens: tuple[int, int, int, int],
        streamed: bool,
        failed: bool = False,
    ) -> None:
        """Count a finished request in ``row`` (see :class:`Rows`), with its prompt, completion,
        reasoning and cached tokens. ``failed`` says that the answer was an error, or broke off
        with one. The request is counted with the last write."""
        cells = self.cells
        prompt, completion, reasoning, cached = tokens
        cells[row + 1] += prompt
        cells[row + 2] += completion
        if reasoning:
            cells[row + 3] += reasoning
        if cached:
            cells[row + 4] += cached
        if streamed:
            cells[row + 5] += 1
        if failed:
            cells[row + 6] += 1
        rate = RATES + 3 * (second % SECONDS)
        if cells[rate] != second:
            cells[rate + 1] = cells[rate + 2] = 0
            cells[rate] = second
        cells[rate + 1] += 1
        if completion:
            cells[rate + 2] += completion
        cells[row] += 1

    def failed(self, kind: FailureKind, injected: bool) -> None:
        """Count an answer that was an error, or broke off with one."""
        self.cells[REAL[kind] + injected] += 1

    def timed(self, series: int, latency: float, ttft: float) -> None:
        """Count how long an answer took and when its first token existed, in seconds. A negative
        time is none: to the end of an answer that its client left, to the first token of one
        without tokens. See :class:`TimeSeries`."""
        cells = self.cells
        us = index = 0
        if latency >= 0:
            us = int(latency * 1e6)
            index = 1 + (BUCKET_OF[us] if us < SHORT else bucket(us))
            cells[series] += us
            cells[series + index] += 1
            if us > cells[LONGEST]:  # noqa: PLR1730  max() takes three times as long
                cells[LONGEST] = us
            if us < cells[SHORTEST] - 1 or not cells[SHORTEST]:
                cells[SHORTEST] = us + 1
        if ttft < 0:
            return
        if ttft != latency:
            us = int(ttft * 1e6)
            index = 1 + (BUCKET_OF[us] if us < SHORT else bucket(us))
        series += TTFT
        cells[series] += us
        cells[series + index] += 1

    def late(self, us: int, frames: int) -> None:
        """Count frames that left ``us`` microseconds after they were due."""
        cells = self.cells
        if us < 0:  # noqa: PLR1730  max() takes three times as long
            us = 0
        cells[LATENESS] += us * frames
        cells[LATENESS + 1 + (BUCKET_OF[us] if us < SHORT else bucket(us))] += frames
        cells[FRAMES] += frames
        if us > cells[LATEST]:  # noqa: PLR1730  max() takes three times as long
            cells[LATEST] = us

    def apart(self, series: int, us: int) -> None:
        """Count ``us`` microseconds between two sends of tokens of one stream."""
        cells = self.cells
        series += ITL
        cells[series] += us
        cells[series + 1 + (BUCKET_OF[us] if us < SHORT else bucket(us))] += 1

    def lag(self, histogram: int, us: int) -> None:
        """Count ``us`` microseconds in a histogram of the layout: ARRIVAL_LAG, OUTPUT_LAG …"""
        cells = self.cells
        cells[histogram] += us
        cells[histogram + 1 + (BUCKET_OF[us] if us < SHORT else bucket(us))] += 1

    def queued(self, seconds: float) -> None:
        """Count a request that waited that long until it was let in."""
        us = int(seconds * 1e6)
        self.cells[QUEUE] += us
        self.cells[QUEUE + 1 + bucket(us)] += 1

    def sampled(self, beat: int, cpu: int, rss: int, lag: int, connections: int | None) -> None:
        """What the owner has measured of itself: the monotonic clock, its processor time and the
        lag of its event loop in µs, its resident memory in bytes, open connections."""
        cells = self.cells
        cells[CPU] = cells[CPU_BEFORE] + cpu
        cells[RSS] = rss
        cells[LAG] = lag
        cells[CONNECTIONS] = 0 if connections is None else connections + 1
        cells[BEAT] = beat
