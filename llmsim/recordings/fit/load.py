"""How the time between tokens follows the load: the step clock's α, β and N.

All sequences of a replica advance one token a step, and a step lasts T(n) = α + β·n with n of them
decoding, of which there are at most N at a time: beyond N requests in flight, the others wait and
the step grows no more. So the time between tokens is a straight line up to N and flat after it;
N is where the bend makes the error least.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from llmsim.recordings.fit.observed import Values
from llmsim.recordings.fit.prefill import CONFIDENT, line

LEVELS: Final = 3
"""Different numbers of requests in flight that are needed."""

PER_LEVEL: Final = 20
"""Samples of a level below which it is left out."""

BEND: Final = 0.9
"""The error with a bend, beside that of a straight line, from which on there is one."""


class LoadFit(NamedTuple):
    """``base`` (α) and ``per_sequence`` (β) in seconds; ``max_sequences`` (N) is None where no
    bend was seen. ``levels`` are pairs of requests in flight and the median time between tokens,
    ``error`` the median of the relative error on the half that was not fitted."""

    base: float
    per_sequence: float
    max_sequences: int | None
    levels: tuple[tuple[int, float], ...]
    error: float

    def step(self, in_flight: Values) -> Values:
        """The time of a step in seconds with so many requests in flight."""
        most = np.inf if self.max_sequences is None else self.max_sequences
        return self.base + self.per_sequence * np.minimum(in_flight, most)


class Unidentified(NamedTuple):
    """Why nothing can be said about load."""

    problem: str


def load(
    in_flight: Values, itl: Values, judged_in_flight: Values, judged_itl: Values
) -> LoadFit | Unidentified:
    """The step clock of these times between tokens, if they tell of one."""
    levels = by_level(in_flight, itl)
    if len(levels) < LEVELS:
        return Unidentified(
            f"requests in flight did not vary: {len(levels)} levels with {PER_LEVEL} tokens or "
            f"more, {LEVELS} are needed"
        )
    numbers = np.array([level for level, _ in levels], dtype=np.float64)
    times = np.array([time for _, time in levels])
    base, slope, error = line(numbers, times)
    bend = _bend(numbers, times)
    most = None
    if bend is not None:
        most, base, slope, error = bend
    if slope < CONFIDENT * error:
        return Unidentified("the time between tokens did not follow the requests in flight")
    found = LoadFit(max(base, 0.0), slope, most, levels, 0.0)
    held = by_level(judged_in_flight, judged_itl)
    said = found.step(np.array([level for level, _ in held], dtype=np.float64))
    seen = np.array([time for _, time in held])
    wrong = float(np.median(np.abs(said - seen) / seen)) if held else float("nan")
    return found._replace(error=wrong)


def by_level(in_flight: Values, itl: Values) -> tuple[tuple[int, float], ...]:
    """The median time between tokens for each number of requests in flight that is known, and
    was seen often enough."""
    numbers, places = np.unique(in_flight.astype(np.int64), return_inverse=True)
    return tuple(
        (int(number), float(np.median(itl[places == place])))
        for place, number in enumerate(numbers)
        if number > 0 and (places == place).sum() >= PER_LEVEL
    )


def _bend(numbers: Values, times: Values) -> tuple[int, float, float, float] | None:
    """N, offset, slope and the slope's error of the line that is flat beyond N; None where a
    straight line does as well."""
    base, slope, _ = line(numbers, times)
    straight = float(np.abs(times - base - slope * numbers).sum())
    best: tuple[float, int, float, float, float] | None = None
    for most in numbers[LEVELS - 1 : -1]:
        bent = np.minimum(numbers, most)
        found = line(bent, times)
        wrong = float(np.abs(times - found[0] - found[1] * bent).sum())
        if best is None or wrong < best[0]:
            best = (wrong, int(most), *found)
    if best is None or best[0] >= BEND * straight:
        return None
    return best[1:]
