"""Times beside Locust's own: they count as no requests, and fractions of a millisecond stay."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

DIGITS: Final = 3
"""Significant digits that are kept of a time."""
SHOWN: Final = (0.5, 0.9, 0.95, 0.99)


class Measures:
    """Times in milliseconds by the name of their row, as counts of rounded values."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[float]] = {}

    def add(self, row: str, milliseconds: float) -> None:
        self.rows.setdefault(row, Counter())[rounded(milliseconds)] += 1

    def taken(self) -> dict[str, list[tuple[float, int]]]:
        """What was added since the last time, as plain data: for a worker's report."""
        found = {row: list(counts.items()) for row, counts in self.rows.items()}
        self.rows = {}
        return found

    def merge(self, taken: Mapping[str, list[tuple[float, int]]]) -> None:
        """Add what a worker has reported."""
        for row, counts in taken.items():
            mine = self.rows.setdefault(row, Counter())
            for value, count in counts:
                mine[value] += count

    def percentile(self, row: str, part: float) -> float | None:
        """The least value that so great a part is not above; None without values."""
        counts = self.rows.get(row)
        if not counts:
            return None
        left = math.ceil(part * counts.total())
        for value in sorted(counts):
            left -= counts[value]
            if left <= 0:
                return value
        return None

    def lines(self) -> Iterator[str]:
        """A table of all rows."""
        if self.rows:
            heads = "".join(f"{f'p{part * 100:g}':>12}" for part in SHOWN)
            yield f"{'milliseconds':<32}{'count':>10}{heads}"
        for row in sorted(self.rows):
            cells = "".join(f"{self.percentile(row, part):>12.4g}" for part in SHOWN)
            yield f"{row:<32}{self.rows[row].total():>10}{cells}"


def rounded(value: float) -> float:
    """To significant digits."""
    if not value:
        return 0.0
    return round(value, DIGITS - 1 - math.floor(math.log10(abs(value))))
