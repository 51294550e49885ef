"""What the server did, moment by moment: an hour in steps of a second, a day in steps of 15.

The place of a moment follows from its time, so there is no cursor, and a moment that nobody wrote
is known by the time in its place: that is of another one. The two rings are one after the other,
in float64: :data:`WIDTH` numbers a moment, of which the first is its Unix time. Memory that no
moment has touched does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 32
"""Numbers of a moment, its time included."""
STEPS: Final = {1: 3600, 15: 5760}
"""How many moments a ring has, by its step in seconds."""
SIZE: Final = -(-sum(STEPS.values()) * WIDTH * 8 // 4096) * 4096


class HistoryRing:
    """One ring; ``memory`` is that of the whole history. One process writes, others read."""

    def __init__(self, memory: memoryview, step: int) -> None:
        self.step = step
        self._length = STEPS[step]
        before = sum(length for other, length in STEPS.items() if other < step)
        numbers = np.frombuffer(memory, np.float64).reshape(-1, WIDTH)
        self._moments = numbers[before : before + self._length]

    @property
    def seconds(self) -> int:
        """How far back it goes."""
        return self.step * self._length

    def put(self, at: int, values: Sequence[float]) -> None:
        """Remember what was at a Unix time, a multiple of the step; NaN is not known."""
        place = self._moments[at // self.step % self._length]
        place[0] = 0  # whoever reads now sees that it is not whole
        place[1 : 1 + len(values)] = values
        place[0] = at

    def read(self, first: int, count: int) -> NDArray[np.float64]:
        """So many moments from a Unix time on, shape (count, WIDTH - 1); NaN where nothing is
        known."""
        times = np.arange(first, first + count * self.step, self.step)
        found = self._moments[times // self.step % self._length]
        found[found[:, 0] != times] = np.nan
        return found[:, 1:]
