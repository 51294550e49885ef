"""How the time between tokens follows the load: the step clock's α, β, γ and N.

All sequences of a replica advance one token a step, and a step lasts T(n, p) = α + β·n + γ·p with n
of them decoding and p tokens of prompts prefilled in it. At most N decode at a time and others
wait: N is what n comes to while requests wait longer for their first token than they do without
load.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from llmsim.recordings.fit.distributions import LEAST
from llmsim.recordings.fit.observed import Values
from llmsim.recordings.fit.prefill import CONFIDENT, Slope
from llmsim.recordings.fit.regression import plane

LEVELS: Final = 3
"""Different numbers of sequences that are needed."""

PER_LEVEL: Final = 20
"""Samples of a level below which it is left out."""

FEW: Final = 0.01
"""The share of waiting requests that may see more decode than N: times are never exact."""

FULL: Final = 0.75
"""The share of N that half of the waiting requests see decode, at least, where N is why they wait:
the others are being prefilled."""

BEYOND: Final = 0.05
"""The share of tokens, at most, that come while more than N decode."""


SYSTEMATIC: Final = 0.05
"""The relative error of γ that is not by chance, where times between tokens tell it."""


class Steps(NamedTuple):
    """Of each token: ``sequences`` that decoded, ``prefilled`` tokens of prompts meanwhile, and
    the time since the token before (``itl``)."""

    sequences: Values
    prefilled: Values
    itl: Values


class LoadFit(NamedTuple):
    """``base`` (α), ``per_sequence`` (β) and ``per_prefill_token`` (γ) in seconds, and γ as it is
    seen in times between tokens alone (``prefill``); ``max_sequences`` (N) is None where nobody
    waited for others. ``levels`` are pairs of sequences and the mean time between tokens without
    prefill, ``error`` the median of the relative error on the half that was not fitted."""

    base: float
    per_sequence: float
    per_prefill_token: float
    prefill: Slope
    max_sequences: int | None
    levels: tuple[tuple[int, float], ...]
    error: float

    def step(self, sequences: Values) -> Values:
        """The time of a step in seconds with so many sequences, and no prefill."""
        return self.base + self.per_sequence * sequences


class Unidentified(NamedTuple):
    """Why nothing can be said about load."""

    problem: str


def load(fitted: Steps, judged: Steps, known: Slope | None = None) -> LoadFit | Unidentified:
    """The step clock of these times between tokens, if they tell of one. γ is what is ``known`` of
    it from elsewhere where that is the more certain."""
    seen = by_level(fitted.sequences, fitted.itl)
    if len(seen) < LEVELS:
        return Unidentified(
            f"how many were answered at once did not vary: {len(seen)} levels with {PER_LEVEL} "
            f"tokens or more, {LEVELS} are needed"
        )
    prefill = _prefill(fitted)
    certain = prefill if known is None or prefill.uncertain < known.uncertain else known
    found = LoadFit(0.0, 0.0, certain.per_token, prefill, None, (), 0.0)
    itl = without_prefill(fitted, found)
    (base, slope), errors = plane([np.ones_like(itl), fitted.sequences], itl)
    if slope < CONFIDENT * errors[1]:
        return Unidentified("the time between tokens did not follow the requests in flight")
    found = found._replace(base=max(float(base), 0.0), per_sequence=float(slope))
    levels, held = (_decoding(half, found) for half in (fitted, judged))
    said = found.step(np.array([level for level, _ in held], dtype=np.float64))
    times = np.array([time for _, time in held])
    wrong = float(np.median(np.abs(said - times) / times)) if held else float("nan")
    return found._replace(levels=levels, error=wrong)


def _prefill(steps: Steps) -> Slope:
    """What prefill adds, as these times tell. Long gaps have more of it, which makes it seem more
    than it is: hence SYSTEMATIC."""
    if not steps.prefilled.any():
        return Slope(0.0, float("inf"))
    columns = [np.ones_like(steps.itl), steps.sequences, steps.prefilled]
    found, errors = plane(columns, steps.itl)
    each = max(float(found[2]), 0.0)
    return Slope(each, float(np.hypot(errors[2], SYSTEMATIC * each)))


def _decoding(half: Steps, found: LoadFit) -> tuple[tuple[int, float], ...]:
    return by_level(half.sequences, without_prefill(half, found))


def without_prefill(steps: Steps, found: LoadFit) -> Values:
    """Times between tokens less what prefill added to them."""
    return np.maximum(steps.itl - found.per_prefill_token * steps.prefilled, 0.0)


def by_level(sequences: Values, itl: Values) -> tuple[tuple[int, float], ...]:
    """The median time between tokens for each number of sequences that is known, and was seen
    often enough."""
    whole = np.rint(sequences)
    order = np.argsort(whole, kind="stable")
    numbers, begins = np.unique(whole[order], return_index=True)
    parts = np.split(itl[order], begins[1:])
    return tuple(
        (int(number), float(part.mean()))
        for number, part in zip(numbers, parts, strict=False)
        if number > 0 and part.size >= PER_LEVEL
    )


def most_sequences(while_waiting: Values, sequences: Values) -> int | None:
    """N, where it was reached. ``while_waiting`` is how many sequences decoded when each of the
    requests that waited for others still did, ``sequences`` how many when each token came."""
    if while_waiting.size < LEAST:
        return None
    few = max(round(FEW * while_waiting.size), 2)
    most = round(float(np.sort(while_waiting)[-few - 1]))
    if np.median(while_waiting) < FULL * most or (sequences > most + 0.5).mean() > BEYOND:
        return None
    return most
