"""Histograms of times: buckets without gaps, quantiles within a bucket of the truth."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.state.shm.histogram import (
    BUCKET_OF,
    BUCKETS,
    LONGEST,
    SHORT,
    UPPER,
    bucket,
    quantile,
    upper,
)

WIDEST = 1 / 16
"""A bucket's width by its lower end, at most."""

times = st.one_of(st.integers(0, 64), st.integers(0, 10_000_000), st.integers(0, LONGEST))


def counted(values: list[int]) -> list[int]:
    counts = [0] * BUCKETS
    for us in values:
        counts[bucket(us)] += 1
    return counts


@pytest.mark.parametrize("index", range(BUCKETS))
def test_bucket_ends_where_the_next_begins(index: int) -> None:
    assert bucket(upper(index) - 1) == index
    assert bucket(upper(index)) == min(index + 1, BUCKETS - 1)


def test_the_table_has_the_bucket_of_every_short_time() -> None:
    assert list(BUCKET_OF) == [bucket(us) for us in range(SHORT)]


def test_bounds_are_those_of_upper_and_reach_the_longest_time() -> None:
    assert list(UPPER) == [upper(index) for index in range(BUCKETS)]
    assert UPPER[-1] == LONGEST + 1


@pytest.mark.parametrize(
    ("us", "index"),
    [(-5, 0), (0, 0), (1, 1), (15, 15), (16, 16), (17, 17), (31, 31), (32, 32), (33, 32), (34, 33),
     (LONGEST, BUCKETS - 1), (LONGEST + 1, BUCKETS - 1), (1 << 60, BUCKETS - 1)],
)  # fmt: skip
def test_bucket(us: int, index: int) -> None:
    assert bucket(us) == index


@given(times)
def test_bucket_is_narrow_and_holds_its_time(us: int) -> None:
    index = bucket(us)
    low = UPPER[index - 1] if index else 0
    assert low <= us < UPPER[index]
    assert UPPER[index] - low <= max(1, low * WIDEST)


@given(st.lists(times, min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_quantile_is_within_a_bucket_of_the_true_one(values: list[int], share: float) -> None:
    wanted = sorted(values)[math.ceil(share * len(values)) - 1]
    found = quantile(counted(values), share) * 1e6
    assert wanted * (1 - WIDEST) - 1 <= found <= wanted * (1 + WIDEST) + 1


@given(st.lists(times, min_size=1, max_size=100))
def test_quantiles_rise_with_their_share(values: list[int]) -> None:
    counts = counted(values)
    found = [quantile(counts, share / 20) for share in range(1, 21)]
    assert found == sorted(found)


def test_quantile_of_nothing_is_zero() -> None:
    assert quantile([0] * BUCKETS, 0.99) == 0.0


def test_quantile_spreads_a_buckets_values_evenly() -> None:
    counts = [0] * BUCKETS
    counts[bucket(1024)] = 100
    assert quantile(counts, 0.25) == pytest.approx((1024 + 16) / 1e6)
    assert quantile(counts, 1.0) == pytest.approx(1088 / 1e6)
