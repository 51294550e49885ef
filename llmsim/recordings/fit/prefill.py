"""How the time to first token follows the prompt: an overhead, and a time per uncached token."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from llmsim.recordings.fit.distributions import LEAST, SMALLEST
from llmsim.recordings.fit.observed import Values
from llmsim.recordings.fit.regression import line

VARIED: Final = 0.1
"""The deviation of prompt lengths, beside their mean, below which nothing follows from them."""

CONFIDENT: Final = 2.0
"""Standard errors by which the slope must be away from 0."""


class Slope(NamedTuple):
    """Seconds for each token of a prompt, and their standard error."""

    per_token: float
    uncertain: float


class Prefill(NamedTuple):
    """``overhead`` in seconds and ``per_token`` in seconds a token; ``problem`` says why the
    latter is 0 where it could not be identified. ``slope`` is the latter as times to first token
    alone show it, None where they do not. ``error`` is the median of the relative error on
    the half that was not fitted, ``residuals`` are the times less what the prompt explains."""

    overhead: float
    per_token: float
    slope: Slope | None
    error: float
    residuals: Values
    problem: str = ""


def prefill(
    tokens: Values,
    ttft: Values,
    judged_tokens: Values,
    judged_ttft: Values,
    known: Slope | None = None,
) -> Prefill | None:
    """Both by robust regression on unloaded requests; None where there are too few. What is
    ``known`` of the slope from elsewhere is taken where it is the more certain."""
    if min(ttft.size, judged_ttft.size) < LEAST:
        return None
    overhead, slope, error = line(tokens, ttft)
    problem = ""
    own = Slope(slope, error)
    varied = tokens.std() >= VARIED * max(tokens.mean(), 1.0)
    if known is not None and known.per_token > 0 and (not varied or known.uncertain < error):
        slope = known.per_token
        overhead = float(np.median(ttft - slope * tokens))
    elif not varied:
        problem = "the prompts are all about as long"
    elif slope < CONFIDENT * error:
        problem = "longer prompts took no longer"
    if problem:
        overhead, slope = float(np.median(ttft)), 0.0
    said = overhead + slope * judged_tokens
    wrong = np.abs(said - judged_ttft) / np.maximum(judged_ttft, SMALLEST)
    residuals = np.maximum(ttft - slope * tokens, 0.0)
    seen = own if varied and not problem else None
    return Prefill(overhead, slope, seen, float(np.median(wrong)), residuals, problem)
