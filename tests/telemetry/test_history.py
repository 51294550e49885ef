"""The history: what happened from one reading to the next, second by second and in steps of 15."""

import math

import pytest

from llmsim.state.shm.histogram import BUCKETS, bucket
from llmsim.state.shm.history_ring import SIZE
from llmsim.telemetry.history import (
    LONGEST_GAP,
    SERIES,
    TIMES,
    CountersReading,
    HistoryWriter,
    history,
)

START = 1_800_000_000  # a multiple of 15


class Counted:
    """Counters that grow, and the history that is made of them."""

    def __init__(self) -> None:
        self.memory = memoryview(bytearray(SIZE))
        self.writer = HistoryWriter(self.memory, ())
        self.requests = self.errors = 0
        self.active = 0
        self.latencies = [0] * BUCKETS
        self.cpu = {1: 0.0, 2: 0.0}

    def look(self, at: int) -> None:
        times = {name: [0] * BUCKETS for name in TIMES} | {"latency": list(self.latencies)}
        counted = (self.requests, self.errors, 0, 0)
        gauges = (float(self.active), 0.0, 0.0)
        self.writer.add(at, CountersReading(float(at), counted, times, dict(self.cpu), gauges))

    def answer(self, count: int, ms: float) -> None:
        self.requests += count
        self.latencies[bucket(int(ms * 1000))] += count

    def series(self, name: str, since: int, until: int, step: int = 1) -> list[float | None]:
        found = history(self.memory, START + since, START + until, step)
        values = found["series"][name]
        assert found["times"] == list(range(found["times"][0], START + until + 1, step))
        return [None if math.isnan(one) else one for one in values]


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_rates_are_of_the_second_that_ended(counted: Counted) -> None:
    for second, requests in enumerate((0, 4, 0, 7)):
        counted.answer(requests, 10)
        counted.look(START + second)
    assert counted.series("requests_per_second", 0, 4) == [None, 4, 0, 7, None]


def test_quantiles_are_of_the_last_ten_seconds(counted: Counted) -> None:
    counted.look(START)
    counted.answer(100, 1000)
    for second in range(1, 13):
        counted.look(START + second)
        counted.answer(1, 10)
    found = counted.series("latency_ms.p99", 1, 12)
    assert found[:10] == pytest.approx([1000] * 10, rel=0.07)
    assert found[10:] == pytest.approx([10, 10], rel=0.07)


def test_steps_of_15_have_their_own_quantiles_and_the_greatest_gauge(counted: Counted) -> None:
    for second in range(46):
        counted.look(START + second)
        counted.active = 9 if second == 20 else 1
        counted.answer(2, 10)
    assert counted.series("requests_per_second", 15, 45, 15) == pytest.approx([2, 2, 2])
    assert counted.series("active", 30, 45, 15) == [9, 1]
    assert counted.series("latency_ms.p50", 30, 30, 15) == pytest.approx([10], rel=0.07)
    assert counted.series("requests_per_second", 30, 60, 30) == [2, 2]


def test_larger_steps_are_means_of_rates_and_the_greatest_of_all_else(counted: Counted) -> None:
    for second in range(11):
        counted.active = second
        counted.look(START + second)
        counted.answer(second, 10)
    assert counted.series("requests_per_second", 5, 10, 5) == [2, 7]
    assert counted.series("active", 5, 10, 5) == [5, 10]


def test_processors_are_those_of_workers_that_were_there_before(counted: Counted) -> None:
    counted.look(START)
    counted.cpu = {1: 0.5, 3: 60.0}
    counted.look(START + 1)
    assert counted.series("cpu_mean", 1, 1) == [0.5]
    assert counted.series("cpu_busiest", 1, 1) == [0.5]


def test_a_late_reading_speaks_for_the_seconds_that_were_missed(counted: Counted) -> None:
    counted.look(START)
    counted.answer(6, 10)
    counted.look(START + 3)
    assert counted.series("requests_per_second", 1, 3) == [2, 2, 2]


@pytest.mark.parametrize("jump", [LONGEST_GAP + 1, 4000, -100])
def test_a_clock_that_jumps_leaves_a_gap(counted: Counted, jump: int) -> None:
    counted.look(START)
    counted.answer(1000, 10)
    counted.look(START + jump)
    counted.answer(3, 10)
    counted.look(START + jump + 1)
    assert counted.series("requests_per_second", jump, jump + 1) == [None, 3]


def test_two_looks_in_a_second_are_one(counted: Counted) -> None:
    counted.look(START)
    counted.answer(3, 10)
    counted.look(START)
    counted.look(START + 1)
    assert counted.series("requests_per_second", 1, 1) == [3]


def test_every_series_is_there(counted: Counted) -> None:
    found = history(counted.memory, START - 10, START, 1)
    assert tuple(found["series"]) == SERIES
    assert {len(column) for column in found["series"].values()} == {len(found["times"])}


@pytest.mark.parametrize(
    ("since", "until", "step", "moments"),
    [
        (START - 10**9, START, 1, 3601),
        (START - 10**9, START, 15, 5761),
        (START - 10**9, START, 3600, 25),
        (START + 10**12, START, 1, 1),
        (0, 0, 15, 1),
        (START + 1, START + 2, 15, 0),
        (START + 1, START + 1.5, 60, 0),
    ],
)
def test_there_are_never_more_moments_than_are_kept(
    counted: Counted, since: float, until: float, step: int, moments: int
) -> None:
    assert len(history(counted.memory, since, until, step)["times"]) <= moments
