"""The rows of a worker's counters: finished requests, by endpoint, model and status."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llmsim.state.shm.labels import Label, LabelTable
from llmsim.state.shm.layout import COLUMNS, columns_at, rows_at


class Row:
    """A row's label and numbers."""

    __slots__ = ("columns", "endpoint", "model", "status")

    def __init__(self, label: Label, columns: Sequence[int]) -> None:
        self.endpoint, self.model, self.status = label
        self.columns = dict(zip(COLUMNS, columns, strict=True))


class Rows:
    """A worker's rows. Row i has label i."""

    def __init__(self, cells: memoryview, labels: LabelTable) -> None:
        self._cells = cells
        self.labels = labels
        self._at: dict[tuple[str, str, int], int] = {}

    @property
    def finished(self) -> int:
        """The requests in all rows."""
        return int(self.numbers(len(self.labels.all()))[:, 0].sum())

    def numbers(self, rows: int) -> NDArray[np.int64]:
        """Those of the first so many rows, shape (rows, columns)."""
        flat = np.array(self._cells[rows_at(rows)])
        return flat.reshape(-1, len(COLUMNS))

    def at(self, endpoint: str, model: str, status: int) -> int:
        """Where the numbers of that row are."""
        at = self._at.get((endpoint, model, status))
        return self._found(endpoint, model, status) if at is None else at

    def _found(self, endpoint: str, model: str, status: int) -> int:
        number = self.labels.number(endpoint, model, status)
        at = columns_at(number)
        self._at[self.labels.all()[number]] = at
        return at
