"""The rows of a worker's counters: finished requests, by endpoint, model and status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmsim.state.shm.layout import COLUMNS, LABEL_BYTES, ROW, ROWS, columns_at, label_at, rows_at

MODELS = 100
OTHER = "other"

_IN_USE = 3  # where the header says how many there are
_NAME_BYTES = 80


class Label(NamedTuple):
    """Whose numbers a row has."""

    endpoint: str
    model: str
    status: int


def label(written: bytes) -> Label:
    """A label as it is written."""
    endpoint, model, status = written.rstrip(b"\0").decode(errors="replace").split("\0")
    return Label(endpoint, model, int(status))


class Row:
    """A row's label and numbers."""

    __slots__ = ("columns", "endpoint", "model", "status")

    def __init__(self, label: Label, columns: Sequence[int]) -> None:
        self.endpoint, self.model, self.status = label
        self.columns = dict(zip(COLUMNS, columns, strict=True))


class Rows:
    """A worker's rows. Only their owner makes new ones, and only after it has taken them over."""

    def __init__(self, memory: memoryview) -> None:
        self._bytes = memory
        self._cells = memory.cast("q")
        self._at: dict[tuple[str, str, int], int] = {}
        self._labels: list[Label] = []
        self._models: set[str] = set()

    def take_over(self) -> None:
        """Go on with the rows there are."""
        for index, key in enumerate(self.labels()):
            self._at[key] = columns_at(index)
            self._models.add(key.model)

    @property
    def finished(self) -> int:
        """The requests in all rows."""
        cells = self._cells
        return sum(cells[columns_at(index)] for index in range(cells[_IN_USE]))

    def labels(self) -> list[Label]:
        """Those of all rows in use."""
        for index in range(len(self._labels), self._cells[_IN_USE]):
            at = label_at(index)
            self._labels.append(label(bytes(self._bytes[at : at + LABEL_BYTES])))
        return self._labels

    def numbers(self) -> NDArray[np.int64]:
        """Those of all rows in use, shape (rows, columns)."""
        flat = np.array(self._cells[rows_at(len(self.labels()))])
        return flat.reshape(-1, ROW)[:, -len(COLUMNS) :]

    def all(self) -> list[Row]:
        """All rows in use."""
        numbers = self.numbers().tolist()
        return [Row(*both) for both in zip(self.labels(), numbers, strict=False)]

    def at(self, endpoint: str, model: str, status: int) -> int:
        """Where the numbers of that row are; a new row the first time.

        Names beyond the :data:`MODELS` first ones share one row, and so does everything once
        the rows are used up.
        """
        at = self._at.get((endpoint, model, status))
        return self._named(endpoint, model, status) if at is None else at

    def _named(self, endpoint: str, model: str, status: int) -> int:
        name = model.replace("\0", " ").encode()[:_NAME_BYTES].decode(errors="ignore")
        if name not in self._models and len(self._models) >= MODELS:
            name = OTHER
        for key in ((endpoint, name, status), (endpoint, OTHER, status), (OTHER, OTHER, 0)):
            if key in self._at:
                return self._at[key]
            if self._cells[_IN_USE] < ROWS - (key[0] != OTHER):
                self._models.add(name)
                return self._new(key)
        raise AssertionError("the last row is kept for everything else")

    def _new(self, key: tuple[str, str, int]) -> int:
        index = self._cells[_IN_USE]
        written = "\0".join(map(str, key)).encode()[:LABEL_BYTES]
        at = label_at(index)
        self._bytes[at : at + len(written)] = written
        self._cells[_IN_USE] = index + 1
        self._at[key] = columns_at(index)
        return self._at[key]
