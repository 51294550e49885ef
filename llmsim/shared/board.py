"""Counters in shared memory: each worker writes its own board, any worker sums them all.

Layout of a board, in int64:

    0       header: pid of the owner (0 if never owned), when it took over (Unix time, µs),
            how many owners there have been, how many rows are in use
    16      counters, in the order of :data:`COUNTERS`
    64      requests finished in each second: 64 pairs (second of the monotonic clock, count)
    192     histograms, in the order of :data:`HISTOGRAMS`: sum in µs, then the buckets
    …       rows: what was finished, by endpoint, model and status

A row is a label of 128 bytes (endpoint, model and status, separated by NUL) and the numbers of
:data:`COLUMNS`. Everything only ever grows; a gauge is a difference. The count of a row is
written last, so a worker that is killed while it records a request has not counted it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from llmsim.shared.histogram import BUCKETS, bucket

COUNTERS = (
    "requests_started",
    "requests_lost",  # open when their worker died
    "streams_opened",
    "streams_closed",
    "frames_sent",
    "latency_longest_us",
    "latency_shortest_us",  # stored as 1 + µs, 0 where there is none
    "lateness_longest_us",
)
HISTOGRAMS = ("latency", "ttft", "lateness")
COLUMNS = ("count", "prompt", "completion", "reasoning", "cached", "streamed")

ROWS = 512
MODELS = 100
OTHER = "other"
SECONDS = 64

_HEADER = 16
_RATE = 64
_HISTOGRAMS = _RATE + 2 * SECONDS
_HISTOGRAM = 1 + BUCKETS
_ROWS = _HISTOGRAMS + len(HISTOGRAMS) * _HISTOGRAM
_LABEL_BYTES = 128
_NAME_BYTES = 80
_LABEL = _LABEL_BYTES // 8
_ROW = _LABEL + len(COLUMNS)
SIZE = -(-(_ROWS + ROWS * _ROW) * 8 // 4096) * 4096

STARTED, LOST, OPENED, CLOSED, FRAMES, LONGEST, SHORTEST, LATEST = range(
    _HEADER, _HEADER + len(COUNTERS)
)
LATENCY, TTFT, LATENESS = range(_HISTOGRAMS, _HISTOGRAMS + len(HISTOGRAMS) * _HISTOGRAM, _HISTOGRAM)


class Row:
    """A row's label and numbers."""

    __slots__ = ("columns", "endpoint", "model", "status")

    def __init__(self, label: bytes, columns: Sequence[int]) -> None:
        endpoint, model, status = label.rstrip(b"\0").decode(errors="replace").split("\0")
        self.endpoint = endpoint
        self.model = model
        self.status = int(status)
        self.columns = dict(zip(COLUMNS, columns, strict=True))


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
        self.repair()
        cells[0] = pid
        cells[1] = time.time_ns() // 1000
        cells[2] += 1
        for index in range(cells[3]):
            row = self._row(index)
            self._rows[row.endpoint, row.model, row.status] = self._columns_at(index)
            self._models.add(row.model)

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
        finished = sum(cells[self._columns_at(index)] for index in range(cells[3]))
        return cells[STARTED] - finished - cells[LOST]

    def rows(self) -> list[Row]:
        """All rows in use."""
        return [self._row(index) for index in range(self.cells[3])]

    def histogram(self, start: int) -> tuple[int, list[int]]:
        """Sum in µs and buckets of the histogram at ``start`` (LATENCY, TTFT …)."""
        return self.cells[start], self.cells[start + 1 : start + _HISTOGRAM].tolist()

    def rates(self) -> list[tuple[int, int]]:
        """(second of the monotonic clock, requests finished in it), in no order."""
        flat = self.cells[_RATE : _RATE + 2 * SECONDS].tolist()
        return list(zip(flat[0::2], flat[1::2], strict=True))

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
        place = _RATE + 2 * (second % SECONDS)
        if cells[place] != second:
            cells[place + 1] = 0
            cells[place] = second
        cells[place + 1] += 1
        cells[row] += 1

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
        cells[LATENESS + 1 + bucket(us)] += frames
        cells[FRAMES] += frames
        if us > cells[LATEST]:  # noqa: PLR1730  max() takes three times as long
            cells[LATEST] = us

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
        label = "\0".join(map(str, key)).encode()[:_LABEL_BYTES]
        at = (_ROWS + index * _ROW) * 8
        self._bytes[at : at + len(label)] = label
        self.cells[3] = index + 1
        self._rows[key] = self._columns_at(index)
        return self._rows[key]

    def _columns_at(self, index: int) -> int:
        return _ROWS + index * _ROW + _LABEL

    def _row(self, index: int) -> Row:
        at = (_ROWS + index * _ROW) * 8
        columns = self._columns_at(index)
        return Row(
            bytes(self._bytes[at : at + _LABEL_BYTES]),
            self.cells[columns : columns + len(COLUMNS)].tolist(),
        )
