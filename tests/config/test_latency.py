"""Which profile paces which model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmsim import config
from llmsim.config.schema.section import plain
from llmsim.core.catalog.distribution import NOTHING, Distribution
from llmsim.core.catalog.profiles import PRESETS, LatencyProfile
from llmsim.core.errors import ConfigError
from llmsim.core.latency import Latency, LatencyRule
from llmsim.core.load.step_cost import Load

OWN = LatencyProfile.of(0.7, 0.1, 0.03, 0.01)


def read(text: str, tmp_path: Path) -> Latency:
    path = tmp_path / "sim.yaml"
    path.write_text(text, encoding="utf-8")
    return config.load(str(path), {}, {}).latency


FAST = PRESETS["fast"]
SEVEN = Distribution(0.007)
SKEWED = Distribution(kind="percentiles", p50=0.007, p95=0.012, p99=0.03)
RECORDED = Distribution(kind="empirical", quantiles=(0.1, 0.2, 0.9))


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{}", OWN),
        ("{profile: auto}", OWN),
        ("{profile: gpt5}", PRESETS["gpt-5"]),
        ("{profile: fast, tbt_mean_ms: 4}", LatencyProfile.of(0.01, 0.002, 0.004, 0)),
        ("{profile: fast, itl_mean_ms: 4}", LatencyProfile.of(0.01, 0.002, 0.004, 0)),
        ("{profile: fast, distribution: normal}",
         LatencyProfile.of(0.01, 0.002, 0.001, 0, "normal")),
        ("{profile: fast, distribution: Gamma}", LatencyProfile.of(0.01, 0.002, 0.001, 0, "gamma")),
        ("{profile: instant, distribution: normal}", LatencyProfile.of(0, 0, 0, 0, "normal")),
        ("{distribution: normal}", LatencyProfile.of(0.7, 0.1, 0.03, 0.01, "normal")),
        ("{profile: auto, ttft_mean_ms: 5}", LatencyProfile.of(0.005, 0.1, 0.03, 0.01)),
        ("{ttft_mean_ms: 5, tbt_mean_ms: 2.5}", LatencyProfile.of(0.005, 0, 0.0025, 0)),
        ("{ttft_mean_ms: 5, ttft_stddev_ms: 1, itl_mean_ms: 2, itl_stddev_ms: 3, "
         "distribution: normal}", LatencyProfile.of(0.005, 0.001, 0.002, 0.003, "normal")),
        ("{ttft_mean_ms: 0, tbt_mean_ms: 0}", LatencyProfile.of(0, 0, 0, 0)),
        ("{profile: fast, itl_ms: {p50: 7, p95: 12, p99: 30}}",
         LatencyProfile(FAST.ttft, SKEWED)),
        ("{profile: fast, ttft_ms: {distribution: empirical, quantiles: [100, 200, 900]}}",
         LatencyProfile(RECORDED, FAST.itl)),
        ("{profile: fast, ttft_ms: {quantiles: [100, 200, 900]}}",
         LatencyProfile(RECORDED, FAST.itl)),
        ("{profile: fast, itl_ms: {mean: 2, stddev: 1, distribution: gamma}}",
         LatencyProfile(FAST.ttft, Distribution(0.002, 0.001, "gamma"))),
        ("{profile: fast, itl_ms: {mean: 2, stddev: 1}}",
         LatencyProfile(FAST.ttft, Distribution(0.002, 0.001))),
        ("{ttft_ms: 7, itl_ms: 7}", LatencyProfile(SEVEN, SEVEN)),
        ("{accept_ms: 20, ttft_overhead_ms: 7, prefill_ms_per_token: 0.02, itl_ms: 7, "
         "reasoning_ms_per_token: 3}", LatencyProfile(SEVEN, SEVEN, 0.02, 2e-5, 0.003, True)),
        ("{prefill_ms_per_token: 0.02, itl_ms: 7}",
         LatencyProfile(NOTHING, SEVEN, 0.0, 2e-5, None, True)),
        ("{prefill_ms_per_token: 0.02, accept_ms: 3}",
         LatencyProfile(OWN.ttft, OWN.itl, 0.003, 2e-5)),
    ],
)  # fmt: skip
def test_the_rule_for_any_model(section: str, expected: LatencyProfile, tmp_path: Path) -> None:
    assert read(f"latency: {section}", tmp_path).for_model("any", OWN) == expected


FOUR = PRESETS["gpt-4"]
GAMMA = replace(FOUR, ttft=FOUR.ttft.varied(kind="gamma"), itl=FOUR.itl.varied(kind="gamma"))

PATTERNS = """\
latency:
  profile: gpt-4
  distribution: gamma
  models:
    gpt-5-mini: {profile: fast}
    "gpt-5*": {profile: instant}
    "claude-[a-h]*": {profile: auto}
    "*-x?": {profile: gemini-pro}
    "O-series": {profile: o-series}
"""


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-5-mini", PRESETS["fast"]),
        ("gpt-5-mini-2025", PRESETS["instant"]),
        ("gpt-5", PRESETS["instant"]),
        ("claude-haiku", OWN),
        ("claude-x1", PRESETS["gemini-pro"]),
        ("claude-opus", GAMMA),
        ("O-series", PRESETS["o-series"]),
        ("o-series", GAMMA),
        ("my-gpt-5", GAMMA),
        ("", GAMMA),
    ],
)
def test_the_first_pattern_that_matches_counts(
    model: str, expected: LatencyProfile, tmp_path: Path
) -> None:
    assert read(PATTERNS, tmp_path).for_model(model, OWN) == expected


def test_a_rule_without_overrides_hands_on_the_models_own_profile() -> None:
    assert LatencyRule().on(OWN) is OWN
    assert LatencyRule("fast").on(OWN) is PRESETS["fast"]


def test_a_pattern_is_read_as_a_glob_not_as_an_expression(tmp_path: Path) -> None:
    latency = read("latency: {models: {'gpt-4.1(a|b)': {profile: fast}}}", tmp_path)
    assert latency.for_model("gpt-4.1(a|b)", OWN) == PRESETS["fast"]
    assert latency.for_model("gpt-4.1a", OWN) == OWN


@pytest.mark.parametrize(
    "section",
    [
        {"profile": "gpt-5", "itl_mean_ms": 10, "distribution": "gamma"},
        {"ttft_mean_ms": 5, "ttft_stddev_ms": 1, "itl_mean_ms": 2},
        {"profile": "auto", "itl_ms": {"p50": 7, "p95": 12.5, "p99": 30}},
        {"ttft_overhead_ms": 15, "prefill_ms_per_token": 0.02, "itl_ms": 7, "accept_ms": 20},
        {"ttft_ms": {"distribution": "empirical", "quantiles": [1, 2.25, 9]}, "itl_ms": 1},
        {"profile": "auto", "ttft_ms": {"distribution": "gamma", "mean": 9, "stddev": 3}},
        {"profile": "auto", "reasoning_ms_per_token": 0,
         "models": {"gpt-*": {"profile": "fast"}}},
    ],
)  # fmt: skip
def test_what_is_written_is_what_was_read(section: dict[str, object], tmp_path: Path) -> None:
    latency = read(f"latency: {json.dumps(section)}", tmp_path)
    assert plain(latency) == section


LOADED = "{ttft_ms: 0, itl_ms: 7, prefill_ms_per_token: 0.02, load: %s}"


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        ("{}", Load()),
        ("{itl_ms_at: {64: 8.7}}", Load((64, 0.0087))),
        ("{max_sequences: 64, prefill_tokens_per_step: 512}", Load(None, 64, 512)),
        ("{itl_ms_at: {2: 7}, replicas: 3}", Load((2, 0.007), replicas=3)),
    ],
)
def test_load(load: str, expected: Load, tmp_path: Path) -> None:
    latency = read(f"latency: {LOADED % load}", tmp_path)
    assert latency.load("any") == expected
    written = json.dumps({"latency": plain(latency)})
    assert read(written, tmp_path) == latency


def test_load_is_a_model_s_own(tmp_path: Path) -> None:
    latency = read("latency: {models: {'llama-*': {load: {replicas: 2}}}}", tmp_path)
    assert latency.load("llama-8b") == Load(replicas=2)
    assert latency.load("gpt-4o") is None


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (LOADED % "{itl_ms_at: {1: 8}}", "itl_ms_at: must be one number of sequences"),
        (LOADED % "{itl_ms_at: {2: 8, 3: 9}}", "itl_ms_at: must be one number of sequences"),
        (LOADED % "{itl_ms_at: {many: 8}}", "itl_ms_at: must be one number of sequences"),
        (LOADED % "{itl_ms_at: {64: 6.9}}", "below that of one sequence"),
        (LOADED % "{max_sequences: 0}", "max_sequences: must be a whole number"),
        (LOADED % "{max_sequence: 4}", "unknown key"),
        ("{profile: instant, load: {}}", "load: needs an inter-token latency above 0"),
        ("{ttft_ms: 1, itl_ms: 0, load: {}}", "load: needs an inter-token latency above 0"),
    ],
)
def test_a_load_that_cannot_be(section: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        read(f"latency: {section}", tmp_path)
