"""llmsim's own profiles, found again in what they play."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmsim.engine.compose import ModelSettings
from llmsim.recordings.fit.profile import configuration, fit
from llmsim.recordings.traces.row import TraceRow
from tests.recordings.fit.played import MODEL, Times, settings, traffic

SAMPLES = 20_000
PERCENTILES = (50, 95, 99)
WITHIN = 0.05


def spread(kind: str, mean: float) -> dict[str, Any]:
    """A distribution that deviates by a third of its mean; an empirical one has two peaks."""
    if kind == "empirical":
        random = np.random.default_rng(4)
        fast, slow = random.normal(0.8, 0.05, 7000), random.normal(1.5, 0.1, 3000)
        shares = np.linspace(0, 1, 51)
        return {"quantiles": (mean * np.quantile(np.r_[fast, slow], shares)).round(4).tolist()}
    return {"mean": mean, "stddev": mean / 3, "distribution": kind}


def profile(kind: str, tokens: float, **rule: Any) -> dict[str, Any]:
    """A configuration with these distributions."""
    times = {"ttft_ms": spread(kind, 300), "prefill_ms_per_token": 0.1, "itl_ms": spread(kind, 20)}
    return {
        "latency": {"models": {MODEL: times | rule}},
        "response": {"target_tokens": spread(kind, tokens)},
    }


def arrivals(rates: list[tuple[int, float]]) -> Times:
    """So many requests at so many a second, one after another."""
    random = np.random.default_rng(1)
    gaps = [random.exponential(1 / rate, count) for count, rate in rates]
    return np.cumsum(np.concatenate(gaps))


def refitted(rows: list[TraceRow], folder: Path) -> ModelSettings:
    """The settings of a server with the configuration that is fitted to these."""
    return settings(configuration([fit(MODEL, rows)]), folder)


def same(seen: Any, made: Any, at_least: float = 0.0) -> None:
    """All percentiles are within 5 %, or so near as can be told."""
    before, after = np.percentile(seen, PERCENTILES), np.percentile(made, PERCENTILES)
    assert after == pytest.approx(before, rel=WITHIN, abs=at_least)


def same_profile(before: ModelSettings, after: ModelSettings) -> None:
    same(before.draws.ttft, after.draws.ttft)
    same(np.diff(before.draws.gaps), np.diff(after.draws.gaps))
    same(before.lengths, after.lengths, at_least=1)
    assert after.draws.prefill == pytest.approx(before.draws.prefill, rel=WITHIN)


@pytest.mark.parametrize("kind", ["normal", "lognormal", "gamma", "empirical"])
def test_a_profile_without_load(kind: str, tmp_path: Path) -> None:
    before = settings(profile(kind, 6), tmp_path)
    rows = traffic(before, arrivals([(SAMPLES, 0.01)]))
    after = refitted(rows, tmp_path)
    same_profile(before, after)
    assert after.replicas is None


def test_a_profile_under_load(tmp_path: Path) -> None:
    """The clock of steps: α, β, γ and N; what is played with the fitted one is the same."""
    load = {"itl_ms_at": {16: 50}, "max_sequences": 16}
    before = settings(profile("lognormal", 24, load=load), tmp_path)
    coming = arrivals([(700, 0.1), (120, 4), (120, 8), (150, 20), (120, 6)])
    rows = traffic(before, coming)
    assert sum(len(one.gaps) for one in rows) > SAMPLES
    after = refitted(rows, tmp_path)
    same_profile(before, after)
    assert before.replicas is not None
    assert after.replicas is not None
    was, now = before.replicas.cost, after.replicas.cost
    assert now.base == pytest.approx(was.base, rel=WITHIN)
    assert now.per_sequence == pytest.approx(was.per_sequence, rel=WITHIN)
    assert now.max_sequences == was.max_sequences
    again = traffic(after, coming)
    for what in (ttft, gaps, total):
        same(what(rows), what(again))


def ttft(rows: list[TraceRow]) -> list[float]:
    return [one.ttft or 0.0 for one in rows]


def gaps(rows: list[TraceRow]) -> list[float]:
    return [gap for one in rows for gap in one.gaps]


def total(rows: list[TraceRow]) -> list[float]:
    return [one.total or 0.0 for one in rows]
