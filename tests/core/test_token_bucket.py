"""Token buckets: nothing is lost or won to rounding, however time is cut up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core.errors import Measure
from llmsim.core.token_bucket import DAY, MINUTE, MOST, PERIODS, Bucket, bounded

buckets = st.builds(
    Bucket,
    st.integers(1, 1_000_000),
    st.integers(1, 1_000_000),
    st.sampled_from((MINUTE, DAY)),
)


@given(buckets, st.integers(0, 10**12), st.lists(st.integers(0, 10**9), max_size=20))
def test_refilling_in_pieces_is_refilling_at_once(
    bucket: Bucket, taken: int, pieces: list[int]
) -> None:
    step = taken
    for piece in pieces:
        step = bucket.refilled(step, piece)
    assert step == bucket.refilled(taken, sum(pieces))


@given(buckets, st.lists(st.tuples(st.integers(0, 10**8), st.integers(1, 1000)), max_size=60))
def test_no_more_is_admitted_than_burst_and_refill(
    bucket: Bucket, attempts: list[tuple[int, int]]
) -> None:
    taken = now = admitted = 0
    for elapsed, amount in attempts:
        now += elapsed
        taken = bucket.refilled(taken, elapsed)
        if bucket.fits(taken, amount):
            taken += amount * bucket.period
            admitted += amount
        assert admitted * bucket.period <= bucket.burst * bucket.period + now * bucket.limit


@given(buckets, st.integers(0, 10**15), st.integers(1, 1_000_000))
def test_after_the_wait_it_fits_and_a_microsecond_before_it_does_not(
    bucket: Bucket, taken: int, amount: int
) -> None:
    wait = bucket.wait(taken, amount)
    if wait is None:
        assert amount > bucket.burst
        return
    assert bucket.fits(bucket.refilled(taken, wait), amount)
    if wait:
        assert not bucket.fits(bucket.refilled(taken, wait - 1), amount)


@given(buckets, st.integers(0, 10**15))
def test_after_the_reset_it_is_full(bucket: Bucket, taken: int) -> None:
    reset = bucket.reset(taken)
    assert bucket.refilled(taken, reset) == 0
    assert bucket.remaining(0) == bucket.burst
    if reset:
        assert bucket.refilled(taken, reset - 1) > 0


@given(buckets, st.integers(0, 10**15), st.integers(1, 1_000_000))
def test_what_remains_is_what_fits(bucket: Bucket, taken: int, amount: int) -> None:
    assert bucket.fits(taken, amount) == (amount <= bucket.remaining(taken))


@pytest.mark.parametrize(
    ("taken", "used", "remaining"),
    [(0, 0, 3), (MINUTE, 1, 2), (MINUTE - 1, 1, 2), (3 * MINUTE, 3, 0), (5 * MINUTE, 5, 0)],
)
def test_whole_requests(taken: int, used: int, remaining: int) -> None:
    bucket = Bucket(6, 3)
    assert (bucket.used(taken), bucket.remaining(taken)) == (used, remaining)


def test_nothing_always_fits() -> None:
    assert Bucket(1, 1).fits(100 * MINUTE, 0)


@pytest.mark.parametrize(("count", "kept"), [(5, 5), (MOST + 1, MOST), (-MOST - 1, -MOST)])
def test_counts_fit_into_memory(count: int, kept: int) -> None:
    assert bounded(count) == kept


def test_every_measure_but_concurrency_has_a_period() -> None:
    assert set(PERIODS) == set(Measure) - {Measure.CONCURRENT}
