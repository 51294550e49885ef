"""Which profile paces which model."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmsim import config
from llmsim.core.catalog.profiles import PRESETS, LatencyProfile
from llmsim.core.latency import Latency, LatencyRule

OWN = LatencyProfile(0.7, 0.1, 0.03, 0.01)


def read(text: str, tmp_path: Path) -> Latency:
    path = tmp_path / "sim.yaml"
    path.write_text(text, encoding="utf-8")
    return config.load(str(path), {}, {}).latency


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{}", OWN),
        ("{profile: auto}", OWN),
        ("{profile: gpt5}", PRESETS["gpt-5"]),
        ("{profile: fast, tbt_mean_ms: 4}", LatencyProfile(0.01, 0.002, 0.004, 0)),
        ("{profile: fast, distribution: lognormal}",
         LatencyProfile(0.01, 0.002, 0.001, 0, "lognormal")),
        ("{profile: instant, distribution: lognormal}", LatencyProfile(0, 0, 0, 0, "lognormal")),
        ("{distribution: lognormal}", LatencyProfile(0.7, 0.1, 0.03, 0.01, "lognormal")),
        ("{profile: auto, ttft_mean_ms: 5}", LatencyProfile(0.005, 0.1, 0.03, 0.01)),
        ("{ttft_mean_ms: 5, tbt_mean_ms: 2.5}", LatencyProfile(0.005, 0, 0.0025, 0)),
        ("{ttft_mean_ms: 5, ttft_stddev_ms: 1, tbt_mean_ms: 2, tbt_stddev_ms: 3, "
         "distribution: lognormal}", LatencyProfile(0.005, 0.001, 0.002, 0.003, "lognormal")),
        ("{ttft_mean_ms: 0, tbt_mean_ms: 0}", LatencyProfile(0, 0, 0, 0)),
    ],
)  # fmt: skip
def test_the_rule_for_any_model(section: str, expected: LatencyProfile, tmp_path: Path) -> None:
    assert read(f"latency: {section}", tmp_path).for_model("any", OWN) == expected


PATTERNS = """\
latency:
  profile: gpt-4
  distribution: lognormal
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
        ("claude-opus", LatencyProfile(0.8, 0.2, 0.05, 0.015, "lognormal")),
        ("O-series", PRESETS["o-series"]),
        ("o-series", LatencyProfile(0.8, 0.2, 0.05, 0.015, "lognormal")),
        ("my-gpt-5", LatencyProfile(0.8, 0.2, 0.05, 0.015, "lognormal")),
        ("", LatencyProfile(0.8, 0.2, 0.05, 0.015, "lognormal")),
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
