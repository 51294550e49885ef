"""Latency profiles: the table of presets, their names, and what cannot be a profile."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

from llmsim.core.catalog.distribution import NOTHING
from llmsim.core.catalog.profiles import (
    MEASURED,
    PRESETS,
    LatencyProfile,
    UnknownProfile,
    canonical,
    preset,
)

NAMES = [
    "gpt-4", "gpt-4o", "gpt-5", "gpt-5-mini", "o-series", "claude-opus", "claude-sonnet",
    "claude-haiku", "gemini-pro", "gemini-flash", "deepseek", "deepseek-reasoner", "fast",
    "instant",
]  # fmt: skip


def test_table_is_whole() -> None:
    assert list(PRESETS) == NAMES
    assert list(MEASURED) == NAMES[:-2]


@pytest.mark.parametrize("name", MEASURED)
def test_presets_of_models_are_skewed_and_prompts_take_time(name: str) -> None:
    profile = PRESETS[name]
    assert profile.ttft.kind == profile.itl.kind == "lognormal"
    assert profile.ttft.stddev > 0
    assert profile.itl.stddev > 0
    assert profile.prefill > 0


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
    ("values", "named"),
    [
        ({"accept": -0.1}, "accept"),
        ({"prefill": math.nan}, "prefill"),
        ({"reasoning": math.inf}, "reasoning"),
    ],
)
def test_impossible_profiles_name_what_is_wrong(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        LatencyProfile(NOTHING, NOTHING, **values)


def test_profile_crosses_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(PRESETS["gpt-5"])) == PRESETS["gpt-5"]
