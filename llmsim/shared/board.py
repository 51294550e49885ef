"""Counters in shared memory: each worker writes its own board, any worker sums them all.

Everything but the gauges only ever grows, whoever owns the board; a number that falls is a
difference of two that grow. The count of a row is written last, so a worker that is killed while
it records a request has not counted it. Where each number is, says :mod:`llmsim.shared.layout`.
"""

from __future__ import annotations

import time

from llmsim.errors import Kind
from llmsim.shared.histogram import BUCKET_OF, SHORT, bucket
from llmsim.shared.layout import (
    BEAT,
    CLOSED,
    COLUMNS,
    CONNECTIONS,
    CPU,
    CPU_BEFORE,
    DIED,
    FRAMES,
    GAUGES,
    HISTOGRAM,
    ITL,
    KINDS,
    LABEL_BYTES,
    LAG,
    LATENCY,
    LATENESS,
    LATEST,
    LONGEST,
    LOST,
    OPENED,
    QUEUE,
    RATES,
    REAL,
    ROWS,
    RSS,
    SECONDS,
    SHORTEST,
    STARTED,
    TTFT,
    Row,
    columns_at,
    label_at,
)

MODELS = 100
OTHER = "other"

_NAME_BYTES = 80


class Board:
    """One worker's counters. Only its owner writes."""

    def __init__(self, memory: memoryview) -> None:
        self._bytes = memory
        self.cells = memory.cast("q")
        self._rows: dict[tuple[str, str, int], int] = {}
        self._models: set[str] = set()

    def take_over(self, pid: int) -> None:
        """Own this board, with all that was counted; what its last owner left open is lost."""
        cells = self.cells
        self.bury()
        for gauge in range(BEAT, BEAT + len(GAUGES)):
            cells[gauge] = 0
        cells[CPU_BEFORE] = cells[CPU]
        cells[0] = pid
        cells[1] = time.time_ns() // 1000
        cells[2] += 1
        for index in range(cells[3]):
            row = self._row(index)
            self._rows[row.endpoint, row.model, row.status] = columns_at(index)
            self._models.add(row.model)

    def bury(self) -> None:
        """The owner, if there still is one, has died: book that, and what it left open."""
        self.repair()
        if self.cells[0]:
            self.cells[DIED] += 1
            self.cells[0] = 0

    def resign(self) -> None:
        """The owner ends in good order."""
        self.repair()
        self.cells[0] = 0

    def repair(self) -> None:
        """Book what a dead owner left open."""
        cells = self.cells
        cells[LOST] += self.active
        cells[CLOSED] = cells[OPENED]

    @property
    def pid(self) -> int:
        return self.cells[0]

    @property
    def owners(self) -> int:
        """How many processes have owned this board."""
        return self.cells[2]

    @property
    def since(self) -> float:
        """Unix time at which its owner took over, seconds."""
        return self.cells[1] / 1e6

    @property
    def active(self) -> int:
        """Requests started and neither finished nor lost."""
        cells = self.cells
        finished = sum(cells[columns_at(index)] for index in range(cells[3]))
        return cells[STARTED] - finished - cells[LOST]

    def rows(self) -> list[Row]:
        """All rows in use."""
        return [self._row(index) for index in range(self.cells[3])]

    def histogram(self, start: int) -> tuple[int, list[int]]:
        """Sum in µs and buckets of the histogram at ``start`` (LATENCY, TTFT …)."""
        return self.cells[start], self.cells[start + 1 : start + HISTOGRAM].tolist()

    def rates(self) -> list[tuple[int, int, int]]:
        """(second of the monotonic clock, requests finished in it, their completion tokens), in
        no order."""
        flat = self.cells[RATES : RATES + 3 * SECONDS].tolist()
        return list(zip(flat[0::3], flat[1::3], flat[2::3], strict=True))

    def errors(self) -> list[tuple[Kind, int, int]]:
        """(kind, real errors, injected ones) of every kind."""
        cells = self.cells
        return [(kind, cells[REAL[kind]], cells[REAL[kind] + 1]) for kind in KINDS]

    def started(self) -> None:
        """Count a request that has arrived."""
        self.cells[STARTED] += 1

    def finished(
        self, row: int, second: int, tokens: tuple[int, int, int, int], streamed: bool
    ) -> None:
        """Count a finished request in ``row`` (of :meth:`row`), with its prompt, completion,
        reasoning and cached tokens. The request is counted with the last write."""
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
        place = RATES + 3 * (second % SECONDS)
        if cells[place] != second:
            cells[place + 1] = cells[place + 2] = 0
            cells[place] = second
        cells[place + 1] += 1
        if completion:
            cells[place + 2] += completion
        cells[row] += 1

    def failed(self, kind: Kind, injected: bool) -> None:
        """Count an answer that was an error, or broke off with one."""
        self.cells[REAL[kind] + injected] += 1

    def timed(self, latency: float, ttft: float) -> None:
        """Count how long an answer took and when its first token left, in seconds."""
        cells = self.cells
        us = int(latency * 1e6)
        cells[LATENCY] += us
        cells[LATENCY + 1 + bucket(us)] += 1
        if us > cells[LONGEST]:  # noqa: PLR1730  max() takes three times as long
            cells[LONGEST] = us
        if us < cells[SHORTEST] - 1 or not cells[SHORTEST]:
            cells[SHORTEST] = us + 1
        if ttft != latency:
            us = int(ttft * 1e6)
        cells[TTFT] += us
        cells[TTFT + 1 + bucket(us)] += 1

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

    def apart(self, us: int) -> None:
        """Count ``us`` microseconds between two sends of one stream."""
        cells = self.cells
        cells[ITL] += us
        cells[ITL + 1 + (BUCKET_OF[us] if us < SHORT else bucket(us))] += 1

    def queued(self, seconds: float) -> None:
        """Count a request that waited that long until it was let in."""
        us = int(seconds * 1e6)
        self.cells[QUEUE] += us
        self.cells[QUEUE + 1 + bucket(us)] += 1

    def sampled(self, beat: int, cpu: int, rss: int, lag: int, connections: int | None) -> None:
        """What the owner says about itself: the monotonic clock, the processor time it has used
        and the lag of its event loop in µs, its resident memory in bytes, open connections."""
        cells = self.cells
        cells[CPU] = cells[CPU_BEFORE] + cpu
        cells[RSS] = rss
        cells[LAG] = lag
        cells[CONNECTIONS] = 0 if connections is None else connections + 1
        cells[BEAT] = beat

    def row(self, endpoint: str, model: str, status: int) -> int:
        """Where the numbers of that row are; a new row the first time.

        Names beyond the :data:`MODELS` first ones share one row, and so does everything once
        the rows are used up.
        """
        place = self._rows.get((endpoint, model, status))
        return self._named(endpoint, model, status) if place is None else place

    def _named(self, endpoint: str, model: str, status: int) -> int:
        name = model.replace("\0", " ").encode()[:_NAME_BYTES].decode(errors="ignore")
        if name not in self._models and len(self._models) >= MODELS:
            name = OTHER
        for key in ((endpoint, name, status), (endpoint, OTHER, status), (OTHER, OTHER, 0)):
            if key in self._rows:
                return self._rows[key]
            if self.cells[3] < ROWS - (key[0] != OTHER):
                self._models.add(name)
                return self._new(key)
        raise AssertionError("the last row is kept for everything else")

    def _new(self, key: tuple[str, str, int]) -> int:
        index = self.cells[3]
        label = "\0".join(map(str, key)).encode()[:LABEL_BYTES]
        at = label_at(index)
        self._bytes[at : at + len(label)] = label
        self.cells[3] = index + 1
        self._rows[key] = columns_at(index)
        return self._rows[key]

    def _row(self, index: int) -> Row:
        at, columns = label_at(index), columns_at(index)
        label = bytes(self._bytes[at : at + LABEL_BYTES])
        return Row(label, self.cells[columns : columns + len(COLUMNS)].tolist())
