"""How the time to first token follows the prompt: an overhead, and a time per uncached token."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmsim.recordings.fit.distributions import LEAST, SMALLEST
from llmsim.recordings.fit.observed import Values

VARIED: Final = 0.1
"""The deviation of prompt lengths, beside their mean, below which nothing follows from them."""

CONFIDENT: Final = 2.0
"""Standard errors by which the slope must be away from 0."""


class Prefill(NamedTuple):
    """``overhead`` in seconds and ``per_token`` in seconds a token; ``problem`` says why the
    latter is 0 where it could not be identified. ``error`` is the median of the relative error on
    the half that was not fitted, ``residuals`` are the times less what the prompt explains."""

    overhead: float
    per_token: float
    error: float
    residuals: Values
    problem: str = ""


def prefill(
    tokens: Values, ttft: Values, judged_tokens: Values, judged_ttft: Values
) -> Prefill | None:
    """Both by robust regression on unloaded requests; None where there are too few."""
    if min(ttft.size, judged_ttft.size) < LEAST:
        return None
    overhead, slope, error = line(tokens, ttft)
    problem = ""
    if tokens.std() < VARIED * max(tokens.mean(), 1.0):
        problem = "the prompts are all about as long"
    elif slope < CONFIDENT * error:
        problem = "longer prompts took no longer"
    if problem:
        overhead, slope = float(np.median(ttft)), 0.0
    said = overhead + slope * judged_tokens
    wrong = np.abs(said - judged_ttft) / np.maximum(judged_ttft, SMALLEST)
    residuals = np.maximum(ttft - slope * tokens, 0.0)
    return Prefill(overhead, slope, float(np.median(wrong)), residuals, problem)


def line(x: Values, y: Values, counts: NDArray[Any] | None = None) -> tuple[float, float, float]:
    """Offset, slope and the slope's standard error of a robust straight line through points, each
    of which counts as many times as ``counts`` says.

    Huber's M-estimator, by iteratively reweighted least squares; the scale is the median absolute
    residual over 0.6745, k = 1.345 (Huber and Ronchetti, Robust Statistics, 2nd ed., 7.8).
    """
    prior = np.ones_like(y) if counts is None else counts / counts.mean()
    weights = prior
    offset = slope = 0.0
    for _ in range(100):
        total = weights.sum()
        middle, level = (weights * x).sum() / total, (weights * y).sum() / total
        spread = (weights * (x - middle) ** 2).sum()
        before = offset, slope
        slope = float((weights * (x - middle) * (y - level)).sum() / spread) if spread else 0.0
        offset = float(level - slope * middle)
        residuals = y - offset - slope * x
        scale = float(np.median(np.abs(residuals))) / 0.6745
        if scale <= 0:
            break
        weights = prior * np.minimum(1.0, 1.345 * scale / np.maximum(np.abs(residuals), 1e-300))
        if np.allclose(before, (offset, slope), rtol=1e-9, atol=1e-12):
            break
    residuals = y - offset - slope * x
    spread = float((weights * (x - x.mean()) ** 2).sum())
    variance = float((weights * residuals**2).sum()) / max(y.size - 2, 1)
    return offset, slope, float(np.sqrt(variance / spread)) if spread else float("inf")
