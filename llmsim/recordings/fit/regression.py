"""Robust regression: Huber's M-estimator, by iteratively reweighted least squares.

The scale is the median absolute residual over 0.6745 (Huber and Ronchetti, Robust Statistics, 2nd
ed., 7.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from llmsim.recordings.fit.observed import Values

TUNING: Final = 1.345
"""Residuals beyond so many scales count less: 95 % efficient for normal ones."""

SKEWED: Final = 2.5
"""The same for what is skewed: nearly all count in full, so that a mean stays one."""

ROUNDS: Final = 100
LEAST: Final = 1e-9
"""The least that a quantity is taken to be, where errors are relative to it."""


def line(x: Values, y: Values) -> tuple[float, float, float]:
    """Offset, slope and the slope's standard error of a straight line through points."""
    weights = np.ones_like(y)
    offset = slope = 0.0
    for _ in range(ROUNDS):
        total = weights.sum()
        middle, level = (weights * x).sum() / total, (weights * y).sum() / total
        spread = (weights * (x - middle) ** 2).sum()
        before = offset, slope
        slope = float((weights * (x - middle) * (y - level)).sum() / spread) if spread else 0.0
        offset = float(level - slope * middle)
        residuals = y - offset - slope * x
        scale = _scale(residuals)
        if scale <= 0:
            break
        weights = _weights(residuals, TUNING * scale)
        if np.allclose(before, (offset, slope), rtol=1e-9, atol=1e-12):
            break
    residuals = y - offset - slope * x
    spread = float((weights * (x - x.mean()) ** 2).sum())
    variance = float((weights * residuals**2).sum()) / max(y.size - 2, 1)
    return offset, slope, float(np.sqrt(variance / spread)) if spread else float("inf")


def plane(columns: Sequence[Values], y: Values) -> tuple[Values, Values]:
    """A coefficient for each column, and their standard errors, so that the columns add up to
    ``y``, which errs in proportion to what it is."""
    x = np.column_stack(columns)
    weights = np.ones_like(y)
    found: Values = np.zeros(x.shape[1])
    for _ in range(ROUNDS):
        before, root = found, np.sqrt(weights)
        weighted = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)
        found = weighted[0].astype(np.float64)
        said = np.maximum(x @ found, LEAST)
        residuals = y / said - 1
        scale = _scale(residuals)
        weights = (_weights(residuals, SKEWED * scale) if scale > 0 else 1.0) / said**2
        if scale <= 0 or np.allclose(before, found, rtol=1e-6, atol=1e-12):
            break
    variance = float((weights * (y - x @ found) ** 2).sum()) / max(y.size - len(columns), 1)
    spread = np.linalg.pinv((x * weights[:, None]).T @ x)
    return found, np.sqrt(variance * np.diag(spread))


def _scale(residuals: Values) -> float:
    return float(np.median(np.abs(residuals))) / 0.6745


def _weights(residuals: Values, most: float) -> Values:
    weights: Values = np.minimum(1.0, most / np.maximum(np.abs(residuals), 1e-300))
    return weights
