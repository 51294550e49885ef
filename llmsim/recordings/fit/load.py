"""How the time between tokens follows the load: the step clock's α, β and N.

All sequences of a replica advance one token a step, and a step lasts T(n) = α + β·n with n of them
decoding, beside what prefill adds (:mod:`~llmsim.recordings.fit.occupancy`). So the time between
tokens is a straight line over n. At most N decode at a time and others wait: N is what n comes
to while requests wait longer for their first token than they do without load.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from llmsim.recordings.fit.distributions import LEAST
from llmsim.recordings.fit.observed import Values
from llmsim.recordings.fit.prefill import CONFIDENT, line

LEVELS: Final = 3
"""Different numbers of sequences that are needed."""

PER_LEVEL: Final = 20
"""Samples of a level below which it is left out."""

HIGH: Final = 0.95
"""The share of waiting requests that see no more decode than N: times are never exact."""

FULL: Final = 0.75
"""The share of N that half of the waiting requests see decode, at least, where N is why they wait:
the others are being prefilled."""

BEYOND: Final = 0.05
"""The share of tokens, at most, that come while more than N decode."""


class LoadFit(NamedTuple):
    """``base`` (α) and ``per_sequence`` (β) in seconds; ``max_sequences`` (N) is None where nobody
    waited for others. ``levels`` are pairs of sequences and the median time between tokens,
    ``error`` the median of the relative error on the half that was not fitted."""

    base: float
    per_sequence: float
    max_sequences: int | None
    levels: tuple[tuple[int, float], ...]
    error: float

    def step(self, sequences: Values) -> Values:
        """The time of a step in seconds with so many sequences."""
        return self.base + self.per_sequence * sequences


class Unidentified(NamedTuple):
    """Why nothing can be said about load."""

    problem: str


def load(
    sequences: Values, itl: Values, judged_sequences: Values, judged_itl: Values
) -> LoadFit | Unidentified:
    """The step clock of these times between tokens, if they tell of one."""
    levels = by_level(sequences, itl)
    if len(levels) < LEVELS:
        return Unidentified(
            f"how many were answered at once did not vary: {len(levels)} levels with {PER_LEVEL} "
            f"tokens or more, {LEVELS} are needed"
        )
    numbers, counts = np.unique(np.rint(sequences), return_counts=True)
    kept = np.isin(numbers, [level for level, _ in levels])
    times = np.array([time for _, time in levels])
    base, slope, error = line(numbers[kept], times, counts[kept])
    if slope < CONFIDENT * error:
        return Unidentified("the time between tokens did not follow the requests in flight")
    found = LoadFit(max(base, 0.0), slope, None, levels, 0.0)
    held = by_level(judged_sequences, judged_itl)
    said = found.step(np.array([level for level, _ in held], dtype=np.float64))
    seen = np.array([time for _, time in held])
    wrong = float(np.median(np.abs(said - seen) / seen)) if held else float("nan")
    return found._replace(error=wrong)


def by_level(sequences: Values, itl: Values) -> tuple[tuple[int, float], ...]:
    """The median time between tokens for each number of sequences that is known, and was seen
    often enough."""
    whole = np.rint(sequences)
    order = np.argsort(whole, kind="stable")
    numbers, begins = np.unique(whole[order], return_index=True)
    parts = np.split(itl[order], begins[1:])
    return tuple(
        (int(number), float(np.median(part)))
        for number, part in zip(numbers, parts, strict=False)
        if number > 0 and part.size >= PER_LEVEL
    )


def most_sequences(while_waiting: Values, sequences: Values) -> int | None:
    """N, where it was reached. ``while_waiting`` is how many sequences decoded when each of the
    requests that waited for others still did, ``sequences`` how many when each token came."""
    if while_waiting.size < LEAST:
        return None
    most = round(float(np.quantile(while_waiting, HIGH)))
    if np.median(while_waiting) < FULL * most or (sequences > most + 0.5).mean() > BEYOND:
        return None
    return most
