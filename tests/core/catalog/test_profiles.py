"""Latency profiles: the table of presets, their names, and what cannot be a profile."""

from __future__ import annotations

import math
import pickle

import pytest

from llmsim.core.catalog.profiles import PRESETS, LatencyProfile, UnknownProfile, canonical, preset

TABLE = [
    ("gpt-4", (800, 200), (50, 15)),
    ("gpt-4o", (400, 100), (25, 8)),
    ("gpt-5", (600, 150), (40, 12)),
    ("gpt-5-mini", (300, 80), (20, 6)),
    ("o-series", (2000, 500), (30, 10)),
    ("claude-opus", (1000, 250), (60, 20)),
    ("claude-sonnet", (500, 120), (30, 10)),
    ("claude-haiku", (200, 50), (15, 5)),
    ("gemini-pro", (600, 150), (35, 10)),
    ("gemini-flash", (200, 50), (15, 5)),
    ("deepseek", (500, 120), (30, 10)),
    ("deepseek-reasoner", (1500, 400), (25, 8)),
    ("fast", (10, 2), (1, 0)),
    ("instant", (0, 0), (0, 0)),
]


@pytest.mark.parametrize(("name", "ttft", "itl"), TABLE)
def test_preset_is_the_published_one(
    name: str, ttft: tuple[float, float], itl: tuple[float, float]
) -> None:
    profile = preset(name)
    assert (profile.ttft_mean * 1000, profile.ttft_std * 1000) == pytest.approx(ttft)
    assert (profile.itl_mean * 1000, profile.itl_std * 1000) == pytest.approx(itl)
    assert profile.distribution == "normal"


def test_table_is_whole() -> None:
    assert list(PRESETS) == [name for name, _, _ in TABLE]


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("gpt5", "gpt-5"), ("GPT-5", "gpt-5"), ("gpt5mini", "gpt-5-mini"), ("Gpt4O", "gpt-4o"),
     ("oseries", "o-series"), ("claudeopus", "claude-opus"), ("INSTANT", "instant")],
)  # fmt: skip
def test_hyphens_and_case_do_not_matter(spelling: str, name: str) -> None:
    assert canonical(spelling) == name
    assert preset(spelling) is PRESETS[name]


@pytest.mark.parametrize("name", ["gpt-6", "", "gpt 5", "auto"])
def test_unknown_preset_lists_the_valid_ones(name: str) -> None:
    with pytest.raises(UnknownProfile) as caught:
        preset(name)
    assert isinstance(caught.value, KeyError)
    assert repr(name) in str(caught.value)
    assert all(valid in str(caught.value) for valid in PRESETS)


@pytest.mark.parametrize(
    ("profile", "named"),
    [
        ((-0.1, 0, 0, 0), "ttft_mean"),
        ((0, -1, 0, 0), "ttft_std"),
        ((0, 0, math.nan, 0), "itl_mean"),
        ((0, 0, 0, math.inf), "itl_std"),
        ((0, 0, 0, 0, "gamma"), "normal or lognormal"),
        ((0, 1, 1, 1, "lognormal"), "ttft_mean"),
        ((1, 1, 0, 1, "lognormal"), "itl_mean"),
    ],
)
def test_impossible_profiles_name_what_is_wrong(profile: tuple[object, ...], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        LatencyProfile(*profile)  # type: ignore[arg-type]


def test_lognormal_may_be_zero_or_positive() -> None:
    LatencyProfile(0, 0, 0, 0, "lognormal")
    LatencyProfile(1, 0, 0, 0, "lognormal")
    LatencyProfile(1, 1, 1, 2, "lognormal")


def test_profile_crosses_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(PRESETS["gpt-5"])) == PRESETS["gpt-5"]
