"""Labels that all workers share, numbered in the order in which they came up: what requests are
counted under.

A table is one int64, how many labels are in use, and then the labels, of :data:`LABEL_BYTES` each:
endpoint, model and a number (a status, or 1 for streams), separated by NUL. A label is written
before it is counted, under a lock, and stays for good: who reads takes no lock, and every worker
has the same number for it. So there is one bound over all workers: what comes up beyond it is
counted under a label with :data:`OTHER` in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, NamedTuple

from llmsim.state.shm.layout import ROWS, SERIES

LABEL_BYTES: Final = 128
MODELS: Final = 100
"""Models whose requests are told apart, and those whose times are: half of it."""
OTHER: Final = "other"

_NAME_BYTES: Final = 80


class Label(NamedTuple):
    """What is counted under one number. ``value`` is a status, or 1 for streams."""

    endpoint: str
    model: str
    value: int


LAST: Final = Label(OTHER, OTHER, 0)
"""The label of everything else once all are in use."""


class LabelTable:
    """At most ``most`` labels, of ``models`` models and of all others together, in ``memory``.

    ``locked`` keeps other processes from adding one.
    """

    def __init__(
        self,
        memory: memoryview,
        most: int,
        models: int,
        locked: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._used = memory[:8].cast("q")
        self._bytes = memory[8 : table_size(most)]
        self._most = most
        self._most_models = models
        self._locked = locked
        self._labels: list[Label] = []
        self._numbers: dict[Label, int] = {}
        self._models: set[str] = set()
        self._reading = threading.Lock()

    def all(self) -> list[Label]:
        """All labels in use, by number. Any thread may ask."""
        if len(self._labels) < self._used[0]:
            with self._reading:
                for number in range(len(self._labels), self._used[0]):
                    at = number * LABEL_BYTES
                    self._add(_read(bytes(self._bytes[at : at + LABEL_BYTES])))
        return self._labels

    def number(self, endpoint: str, model: str, value: int) -> int:
        """The number under which that is counted; a new one the first time, while there are. Only
        one thread asks."""
        name = model.replace("\0", " ").encode()[:_NAME_BYTES].decode(errors="ignore")
        label = self._fitting(endpoint, name, value)
        found = self._numbers.get(label)
        if found is not None:
            return found
        with self._locked():
            self.all()
            label = self._fitting(endpoint, name, value)
            found = self._numbers.get(label)
            return self._new(label) if found is None else found

    def _fitting(self, endpoint: str, name: str, value: int) -> Label:
        if name not in self._models and len(self._models - {OTHER}) >= self._most_models:
            name = OTHER
        for label in (Label(endpoint, name, value), Label(endpoint, OTHER, value)):
            if label in self._numbers or len(self._labels) < self._most - 1:
                return label
        return LAST

    def _new(self, label: Label) -> int:
        number = len(self._labels)
        written = "\0".join(map(str, label)).encode()
        at = number * LABEL_BYTES
        self._bytes[at : at + LABEL_BYTES] = written[:LABEL_BYTES].ljust(LABEL_BYTES, b"\0")
        self._used[0] = number + 1
        self.all()
        return number

    def _add(self, label: Label) -> None:
        self._models.add(label.model)
        self._numbers[label] = len(self._labels)
        self._labels.append(label)


class Labels:
    """The labels of the rows and of the series, in the memory of all workers or, without any, in
    memory of its own."""

    def __init__(
        self,
        memory: memoryview | None = None,
        locked: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        memory = memoryview(bytearray(SIZE)) if memory is None else memory
        self.rows = LabelTable(memory, ROWS, MODELS, locked)
        self.series = LabelTable(memory[table_size(ROWS) :], SERIES, MODELS // 2, locked)


def _read(written: bytes) -> Label:
    endpoint, model, value = written.rstrip(b"\0").decode(errors="replace").split("\0")
    return Label(endpoint, model, int(value))


def table_size(most: int) -> int:
    """The bytes of a table of so many labels."""
    return 8 + most * LABEL_BYTES


SIZE: Final = -(-(table_size(ROWS) + table_size(SERIES)) // 4096) * 4096
