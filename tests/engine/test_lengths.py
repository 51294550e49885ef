"""How long answers are: a number, or drawn from the request's seed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from llmsim.core import Finish
from llmsim.core.catalog.distribution import Distribution
from llmsim.engine.compose import with_length
from llmsim.engine.sampling import DRAWS, lengths
from tests.engine.asking import asked, planned, settings

SKEWED = Distribution(kind="percentiles", p50=60, p95=200)


def test_a_number_is_the_length_of_all() -> None:
    held = with_length(settings(), 17)
    assert {planned(asked(), held, seed).completion.choices[0].tokens for seed in range(20)} == {17}


def test_lengths_follow_the_distribution_and_the_seed() -> None:
    held = with_length(settings(), SKEWED)
    plans = [planned(asked(), held, seed) for seed in range(2000)]
    tokens = [plan.completion.choices[0].tokens for plan in plans]
    for share, value in SKEWED.percentiles:
        error = 4.5 * math.sqrt(share * (1 - share) / len(tokens))
        assert np.mean(np.array(tokens) <= value) == pytest.approx(share, abs=error + 0.01)
    again = [planned(asked(), held, seed).completion.choices[0].tokens for seed in range(50)]
    assert again == tokens[:50]
    assert held.target_tokens == pytest.approx(np.mean(tokens), rel=0.1)


def test_choices_differ_in_length() -> None:
    held = with_length(settings(), SKEWED)
    choices = planned(asked(n=8), held).completion.choices
    assert len({choice.tokens for choice in choices}) > 3


def test_the_request_bounds_the_length() -> None:
    held = with_length(settings(), SKEWED)
    for seed in range(50):
        choice = planned(asked(max_tokens=60), held, seed).completion.choices[0]
        whole = planned(asked(), held, seed).completion.choices[0]
        assert choice.tokens == min(whole.tokens, 60)
        assert choice.finish is (Finish.LENGTH if whole.tokens > 60 else Finish.STOP)


def test_lengths_are_whole_and_at_least_one() -> None:
    drawn = np.array(lengths(Distribution(0.4, 0.3, "normal")))
    assert drawn.shape == (DRAWS,)
    assert drawn.min() == 1
    assert np.array(lengths(Distribution(900_000, 900_000))).max() == 1_000_000
