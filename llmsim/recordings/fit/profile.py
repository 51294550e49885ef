"""Everything that is fitted to one model's traffic, and the configuration it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from llmsim.recordings.fit.alone import Alone, engine
from llmsim.recordings.fit.distributions import Fitted, best
from llmsim.recordings.fit.load import LoadFit, Unidentified
from llmsim.recordings.fit.observed import halves, observed
from llmsim.recordings.fit.occupancy import Occupancy
from llmsim.recordings.fit.prefill import Prefill
from llmsim.recordings.traces.row import TraceRow

DIGITS: Final = 4
"""Digits of a number in the configuration."""


class ModelFit(NamedTuple):
    """What was found of one model, None where there was too little.

    ``lengths`` is of output tokens, ``ttft`` of the time to first token less what the prompt
    takes, ``itl`` of the time between tokens, both as they are without load. ``judged`` is the half
    that was not fitted, without load, too. ``problems`` say what could not be identified.
    """

    model: str
    requests: int
    failed: int
    lengths: Fitted | None
    prefill: Prefill | None
    ttft: Fitted | None
    itl: Fitted | None
    load: LoadFit | Unidentified
    judged: Alone

    @property
    def problems(self) -> list[str]:
        """What could not be identified, and why."""
        found = []
        if self.lengths is None:
            found.append("output tokens: too few answers")
        if self.prefill is None:
            found.append("ttft_ms: too few streams")
        elif self.prefill.problem:
            found.append(f"prefill_ms_per_token: {self.prefill.problem}")
        if self.itl is None:
            found.append("itl_ms: too few streams")
        if isinstance(self.load, Unidentified):
            found.append(f"load: {self.load.problem}")
        elif self.load.max_sequences is None:
            found.append("load.max_sequences: the load never reached it")
        return found


def fit(model: str, rows: Iterable[TraceRow]) -> ModelFit:
    """Fit one model's rows: one half of them, judged by the other."""
    rows = sorted(rows, key=lambda row: row.arrived)
    fitted, judged = (observed(half) for half in halves(rows))
    found = engine(fitted, judged, Occupancy(rows))
    one, other = found.fitted, found.judged
    return ModelFit(
        model,
        fitted.requests + judged.requests,
        fitted.failed + judged.failed,
        best(one.output_tokens, other.output_tokens),
        found.prefill,
        best(one.rest, other.rest),
        best(one.itl, other.itl),
        found.load,
        other,
    )


def by_model(rows: Iterable[TraceRow]) -> list[ModelFit]:
    """The fit of each model, the one with the most requests first."""
    models: dict[str, list[TraceRow]] = {}
    for row in rows:
        models.setdefault(row.model or "*", []).append(row)
    ordered = sorted(models.items(), key=lambda one: -len(one[1]))
    return [fit(model, of_model) for model, of_model in ordered]


def configuration(fits: Iterable[ModelFit]) -> dict[str, Any]:
    """What ``llmsim serve --config`` takes. The length of answers is that of the first model: it
    is the same for all."""
    models: dict[str, Any] = {}
    response: dict[str, Any] = {}
    for one in fits:
        rule = _rule(one)
        if rule:
            models[one.model] = rule
        if one.lengths is not None and not response:
            lengths = _distribution(one.lengths, 1.0)
            whole = isinstance(lengths, float)  # which is a number of tokens then
            response = {"target_tokens": max(round(lengths), 1) if whole else lengths}
    made: dict[str, Any] = {}
    if models:
        made["latency"] = {"models": models}
    if response:
        made["response"] = response
    return made


def _rule(one: ModelFit) -> dict[str, Any]:
    """Nothing for a model of which the times are not known: its rule needs both."""
    if one.ttft is None or one.itl is None or one.prefill is None:
        return {}
    rule: dict[str, Any] = {"ttft_ms": _distribution(one.ttft, 1e3)}
    if one.prefill.per_token:
        rule["prefill_ms_per_token"] = _rounded(one.prefill.per_token * 1e3)
    rule["itl_ms"] = _distribution(one.itl, 1e3)
    if isinstance(one.load, LoadFit):
        rule["load"] = _load(one.load, one.itl.mean)
    return rule


def _load(found: LoadFit, itl: float) -> Mapping[str, Any]:
    """The line through one sequence, whose mean time between tokens is ``itl``, and the most."""
    most = found.max_sequences or found.levels[-1][0]
    alone, slowest = found.step(np.array([1.0, most]))
    made: dict[str, Any] = {"itl_ms_at": {most: _rounded(float(itl * slowest / alone) * 1e3)}}
    if found.max_sequences is not None:
        made["max_sequences"] = found.max_sequences
    return made


def _distribution(one: Fitted, scale: float) -> Any:
    """As the configuration writes it, times ``scale``."""
    if one.kind == "empirical":
        quantiles = [_rounded(value * scale) for value in one.quantiles]
        return {"distribution": "empirical", "quantiles": quantiles}
    mean, stddev = _rounded(one.mean * scale), _rounded(one.std * scale)
    if not mean or not stddev:
        return mean
    return {"distribution": one.kind, "mean": mean, "stddev": stddev}


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
