"""The series of a worker's counters: times of requests, by endpoint, model and whether streamed.

A series is a histogram for each of :data:`~llmsim.state.shm.layout.TIMES`, one after another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llmsim.state.shm.labels import LabelTable
from llmsim.state.shm.layout import HISTOGRAM, TIMES, all_series_at, series_at


class TimeSeries:
    """A worker's series. Series i has label i."""

    def __init__(self, cells: memoryview, labels: LabelTable) -> None:
        self._cells = cells
        self.labels = labels
        self._at: dict[tuple[str, str, int], int] = {}

    def at(self, endpoint: str, model: str, streamed: bool) -> int:
        """Where the first histogram of that series is."""
        at = self._at.get((endpoint, model, streamed))
        return self._found(endpoint, model, streamed) if at is None else at

    def _found(self, endpoint: str, model: str, streamed: bool) -> int:
        number = self.labels.number(endpoint, model, int(streamed))
        at = series_at(number)
        self._at[self.labels.all()[number]] = at
        return at

    def numbers(self, series: int) -> NDArray[np.int64]:
        """Those of the first so many series, shape (series, times, 1 + buckets)."""
        flat = np.array(self._cells[all_series_at(series)])
        return flat.reshape(-1, len(TIMES), HISTOGRAM)
