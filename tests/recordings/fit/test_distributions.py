"""Distributions, found again from their own samples."""

import numpy as np
import pytest

from llmsim.recordings.fit.distributions import KINDS, best, candidate, distance, untruncated
from llmsim.recordings.fit.observed import Values

SAMPLES = 20_000


def generator() -> np.random.Generator:
    return np.random.default_rng(20_261_130)


def normal() -> Values:
    return np.abs(generator().normal(0.5, 0.05, SAMPLES))


def lognormal() -> Values:
    return generator().lognormal(-1.0, 0.5, SAMPLES)


def gamma() -> Values:
    return generator().gamma(2.0, 0.1, SAMPLES)


def empirical() -> Values:
    """Two peaks, as no formula has them."""
    return np.where(
        generator().random(SAMPLES) < 0.5,
        generator().normal(0.2, 0.005, SAMPLES),
        np.random.default_rng(1).normal(0.8, 0.02, SAMPLES),
    )


MADE = {"normal": normal, "lognormal": lognormal, "gamma": gamma, "empirical": empirical}


def test_every_kind_is_tried() -> None:
    assert tuple(MADE) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_found_again(kind: str) -> None:
    samples = MADE[kind]()
    found = best(samples[::2], samples[1::2])
    assert found is not None
    assert found.kind == kind
    assert found.ks < 0.02
    assert max(found.errors.values()) < 0.05
    at = np.array([0.5, 0.95, 0.99])
    assert found.percentile(at) == pytest.approx(np.quantile(samples, at), rel=0.05)
    if kind != "normal":  # which says what it was before it was truncated
        assert found.mean == pytest.approx(samples.mean(), rel=0.03)
        assert found.std == pytest.approx(samples.std(), rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_the_distance_tells_a_wrong_one(kind: str) -> None:
    samples = MADE[kind]()
    assert candidate(kind, samples[::2], samples[1::2] * 1.3).ks > 0.08


def test_the_normal_before_truncation() -> None:
    values = generator().normal(0.1, 0.1, 400_000)
    values = values[values > 0]
    mean, std = untruncated(float(values.mean()), float(values.std()))
    assert (mean, std) == pytest.approx((0.1, 0.1), rel=0.05)


def test_too_few_samples_are_not_fitted() -> None:
    assert best(np.ones(5), np.ones(500)) is None


def test_samples_that_are_all_the_same() -> None:
    found = best(np.full(100, 7.0), np.full(100, 7.0))
    assert found is not None
    assert (found.mean, found.std, found.ks, found.errors[99]) == (7.0, 0.0, 0.0, 0.0)


def test_distance() -> None:
    assert distance(np.array([0.25, 0.75]), lambda x: x) == pytest.approx(0.25)


def test_times_of_zero_do_not_break_logarithms() -> None:
    samples = np.concatenate([np.zeros(50), lognormal()])
    assert best(samples[::2], samples[1::2]) is not None
