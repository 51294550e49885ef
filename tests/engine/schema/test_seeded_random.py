"""Chance from a seed."""

from collections import Counter

import pytest

from llmsim.engine.schema.seeded_random import Exhausted, SeededRandom


def test_same_seed_same_rolls() -> None:
    one, other = SeededRandom(5, 10), SeededRandom(5, 10)
    assert [one.below(10**n) for n in range(1, 40)] == [other.below(10**n) for n in range(1, 40)]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10])
def test_every_face_comes_up_about_as_often(n: int) -> None:
    rng = SeededRandom(1, 10)
    counts = Counter(rng.below(n) for _ in range(1000 * n))
    assert sorted(counts) == list(range(n))
    assert all(850 < count < 1150 for count in counts.values())


def test_neighbouring_seeds_are_unrelated() -> None:
    first = Counter(SeededRandom(seed, 10).below(10) for seed in range(10_000))
    assert all(850 < first[face] < 1150 for face in range(10))


@pytest.mark.parametrize("n", [2**32, 2**64, 2**100, 10**50])
def test_large_ranges_are_filled(n: int) -> None:
    rng = SeededRandom(9, 10)
    rolls = [rng.below(n) for _ in range(200)]
    assert all(0 <= roll < n for roll in rolls)
    assert max(rolls) > 0.9 * n
    assert min(rolls) < 0.1 * n


def test_between_includes_both_ends() -> None:
    rng = SeededRandom(3, 10)
    assert {rng.between(-1, 1) for _ in range(100)} == {-1, 0, 1}


def test_steps_run_out() -> None:
    rng = SeededRandom(1, 4)
    rng.spend()
    assert not rng.scarce
    rng.spend()
    rng.spend()
    assert rng.scarce
    rng.spend()
    with pytest.raises(Exhausted):
        rng.spend()


def test_wildness_ends() -> None:
    rng = SeededRandom(1, 1)
    with rng.wildly():
        with rng.wildly():
            assert rng.wild
        assert rng.wild
    assert not rng.wild
