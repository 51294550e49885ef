"""Counters in shared memory: what is counted is there, once, whoever owns them."""

import time
from collections import Counter
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from numpy.typing import NDArray

from llmsim.core.errors import FailureKind
from llmsim.state.shm import layout
from llmsim.state.shm.histogram import BUCKETS, bucket
from llmsim.state.shm.labels import MODELS, OTHER, Labels
from llmsim.state.shm.layout import (
    ARRIVAL_LAG,
    BEAT,
    CLOSED,
    COLUMNS,
    CONNECTIONS,
    COUNTERS,
    CPU,
    CPU_BEFORE,
    DIED,
    FRAMES,
    GAUGES,
    HEADER,
    HISTOGRAM,
    ITL,
    LAG,
    LATENCY,
    LATENESS,
    LATEST,
    LONGEST,
    LOOP_LAG,
    LOST,
    OPENED,
    OUTPUT_LAG,
    QUEUE,
    RATES,
    REAL,
    ROWS,
    RSS,
    SECONDS,
    SERIES,
    SHORTEST,
    STARTED,
    TTFT,
    columns_at,
    series_at,
)
from llmsim.state.shm.rows import Row
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.snapshot import Snapshot

NOTHING = (0, 0, 0, 0)


Memory = tuple[memoryview, Labels]


def fresh() -> tuple[Memory, WorkerCounters]:
    memory = memoryview(bytearray(layout.SIZE)), Labels()
    one = WorkerCounters(*memory)
    one.take_over(100)
    return memory, one


def finish(
    one: WorkerCounters, model: str, status: int = 200, tokens: tuple[int, ...] = NOTHING
) -> None:
    one.started()
    one.finished(one.row("/v1/x", model, status), 5, tokens, False)


def counts(one: WorkerCounters) -> dict[tuple[str, str, int], int]:
    return {(row.endpoint, row.model, row.status): row.columns["count"] for row in rows(one)}


def rows(one: WorkerCounters) -> list[Row]:
    return Snapshot([one]).rows


def times(one: WorkerCounters, series: int, start: int) -> NDArray[np.int64]:
    """The sum and the buckets of one histogram of a series."""
    return np.array(one.cells[series + start : series + start + HISTOGRAM])


def test_a_new_worker_has_counted_nothing() -> None:
    before = time.time()
    _, one = fresh()
    assert (one.pid, one.owners, one.active, rows(one)) == (100, 1, 0, [])
    assert before - 0.001 <= one.since <= time.time()
    assert not one.histogram(LATENESS).any()
    assert {(count, tokens) for _, count, tokens in one.rates()} == {(0, 0)}


def test_a_finished_request_is_in_its_row() -> None:
    _, one = fresh()
    one.started()
    assert one.active == 1
    one.finished(one.row("/v1/x", "gpt-ü", 200), 5, (1, 2, 3, 4), True, True)
    (row,) = rows(one)
    assert (row.endpoint, row.model, row.status) == ("/v1/x", "gpt-ü", 200)
    assert row.columns == {
        "count": 1,
        "prompt": 1,
        "completion": 2,
        "reasoning": 3,
        "cached": 4,
        "streamed": 1,
        "failed": 1,
    }
    assert one.active == 0


def test_a_request_is_counted_by_the_last_write() -> None:
    """So one whose worker is killed while it is recorded has not been counted."""
    _, one = fresh()
    place = one.row("/v1/x", "m", 200)
    written: list[int] = []

    class Cells:
        def __init__(self, cells: Any) -> None:
            self._cells = cells

        def __getitem__(self, index: int) -> int:
            return self._cells[index]

        def __setitem__(self, index: int, value: int) -> None:
            written.append(index)
            self._cells[index] = value

    one.cells = Cells(one.cells)
    one.finished(place, 5, (1, 2, 3, 4), True, True)
    assert len(written) >= len(COLUMNS)
    assert written[-1] == place
    assert written.count(place) == 1


def test_models_beyond_the_first_share_a_row() -> None:
    _, one = fresh()
    for number in range(MODELS + 50):
        finish(one, f"m{number}")
    finish(one, "m3")
    found = counts(one)
    assert found.pop(("/v1/x", OTHER, 200)) == 50
    assert found.pop(("/v1/x", "m3", 200)) == 2
    assert found == {("/v1/x", f"m{n}", 200): 1 for n in range(MODELS) if n != 3}


def test_nothing_is_lost_once_the_rows_are_used_up() -> None:
    memory, one = fresh()
    for number in range(2 * ROWS):
        finish(one, f"m{number % 50}", number)
    found = counts(one)
    assert len(found) == ROWS
    assert sum(found.values()) == 2 * ROWS
    assert one.active == 0
    assert found[OTHER, OTHER, 0] == ROWS + 1
    assert counts(WorkerCounters(*memory)) == found


def test_a_row_is_found_again() -> None:
    _, one = fresh()
    cells = {one.row("/v1/x", "m", 200) for _ in range(3)} | {one.row("/v1/x", "m", 200)}
    assert len(cells) == 1
    assert one.row("/v1/y", "m", 200) not in cells
    assert one.row("/v1/x", "m", 429) not in cells


def test_a_successor_goes_on_counting_and_counts_what_was_open_as_lost() -> None:
    memory, one = fresh()
    finish(one, "m")
    one.started()
    one.started()
    one.cells[OPENED] += 2
    one.cells[CLOSED] += 1
    two = WorkerCounters(*memory)
    two.take_over(200)
    assert (two.pid, two.owners, two.active) == (200, 2, 0)
    assert two.cells[LOST] == 2
    assert two.cells[OPENED] == two.cells[CLOSED] == 2
    finish(two, "m")
    assert counts(two) == {("/v1/x", "m", 200): 2}


def test_a_repair_counts_nothing_twice() -> None:
    _, one = fresh()
    one.started()
    one.repair()
    one.repair()
    assert (one.cells[LOST], one.active) == (1, 0)


def test_times_are_in_their_histograms() -> None:
    _, one = fresh()
    series, other = one.series("/v1/x", "m", True), one.series("/v1/x", "m", False)
    for latency, ttft in ((0.5, 0.25), (0.003, 0.003), (2.0, 0.1)):
        one.timed(series, latency, ttft)
    total, *buckets = times(one, series, LATENCY)
    assert not times(one, other, LATENCY).any()
    assert total == 2_503_000
    assert {index: n for index, n in enumerate(buckets) if n} == Counter(
        bucket(us) for us in (500_000, 3_000, 2_000_000)
    )
    assert times(one, series, TTFT)[0] == 353_000
    assert sum(times(one, series, TTFT)[1:]) == 3
    assert (one.cells[LONGEST], one.cells[SHORTEST]) == (2_000_000, 3_001)


def test_the_shortest_latency_may_be_nothing() -> None:
    _, one = fresh()
    assert one.cells[SHORTEST] == 0
    series = one.series("/v1/x", "m", False)
    one.timed(series, 0.0, 0.0)
    one.timed(series, 1.0, 1.0)
    assert one.cells[SHORTEST] == 1


def test_lateness_is_counted_by_frame_and_never_negative() -> None:
    _, one = fresh()
    one.late(700, 3)
    one.late(-20, 2)
    total, *buckets = one.histogram(LATENESS)
    assert total == 2100
    assert (buckets[bucket(700)], buckets[0], sum(buckets)) == (3, 2, 5)
    assert (one.cells[FRAMES], one.cells[LATEST]) == (5, 700)


def test_rates_hold_the_latest_seconds() -> None:
    _, one = fresh()
    place = one.row("/v1/x", "m", 200)
    for second, completion in ((10, 7), (10, 3), (11, 5), (10 + SECONDS, 2), (10 + SECONDS, 4)):
        one.finished(place, second, (1, completion, 0, 0), False)
    assert {rate for rate in one.rates() if rate[1]} == {(11, 1, 5), (10 + SECONDS, 2, 6)}


def test_gaps_and_waits_are_in_their_histograms() -> None:
    _, one = fresh()
    series = one.series("/v1/x", "m", True)
    for us in (0, 20_000, 90_000):
        one.apart(series, us)
    one.queued(0.25)
    total, *buckets = times(one, series, ITL)
    assert total == 110_000
    assert {index: n for index, n in enumerate(buckets) if n} == {
        0: 1,
        bucket(20_000): 1,
        bucket(90_000): 1,
    }
    assert one.histogram(QUEUE)[0] == 250_000
    assert one.histogram(QUEUE)[1 + bucket(250_000)] == 1


def test_errors_are_counted_by_kind_and_by_whether_they_are_injected() -> None:
    _, one = fresh()
    for kind in FailureKind:
        one.failed(kind, False)
    one.failed(FailureKind.OVERLOADED, True)
    one.failed(FailureKind.OVERLOADED, True)
    assert one.errors() == [(kind, 1, 2 * (kind is FailureKind.OVERLOADED)) for kind in FailureKind]


def test_nothing_is_counted_in_two_places() -> None:
    """Whatever is counted changes cells of its own."""
    cells = [*range(STARTED, STARTED + len(COUNTERS)), *range(BEAT, BEAT + len(GAUGES))]
    cells += [place + injected for place in REAL.values() for injected in (0, 1)]
    cells += range(RATES, RATES + 3 * SECONDS)
    for start in (LATENESS, QUEUE, ARRIVAL_LAG, OUTPUT_LAG, LOOP_LAG):
        cells += range(start, start + 1 + BUCKETS)
    for row in range(ROWS):
        cells += range(columns_at(row), columns_at(row) + len(COLUMNS))
    for series in range(SERIES):
        for start in (LATENCY, TTFT, ITL):
            cells += range(series_at(series) + start, series_at(series) + start + 1 + BUCKETS)
    assert len(cells) == len(set(cells))
    assert min(cells) >= HEADER
    assert 8 * (max(cells) + 1) <= layout.SIZE


def test_gauges_are_the_owners_and_processor_time_goes_on() -> None:
    memory, one = fresh()
    one.sampled(5_000_000, 300, 4096, 70, 0)
    assert [one.cells[at] for at in (BEAT, CPU, RSS, LAG, CONNECTIONS)] == [
        5_000_000,
        300,
        4096,
        70,
        1,
    ]
    two = WorkerCounters(*memory)
    two.take_over(200)
    assert [two.cells[at] for at in (BEAT, CPU, RSS, LAG, CONNECTIONS)] == [0, 300, 0, 0, 0]
    two.sampled(6_000_000, 50, 8192, 0, None)
    assert [two.cells[at] for at in (CPU, CPU_BEFORE, CONNECTIONS)] == [350, 300, 0]


def test_only_owners_that_did_not_resign_have_died() -> None:
    memory, one = fresh()
    one.resign()
    assert one.cells[DIED] == 0
    two = WorkerCounters(*memory)
    two.take_over(200)
    assert two.cells[DIED] == 0
    three = WorkerCounters(*memory)
    three.take_over(300)
    assert three.cells[DIED] == 1
    three.owner_died()
    three.owner_died()
    assert (three.cells[DIED], three.pid) == (2, 0)


class Workers(RuleBasedStateMachine):
    """Counters through the hands of workers that count, die and are replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.memory, self.counters = fresh()
        self.owners = 1
        self.open = 0
        self.lost = 0
        self.finished: Counter[tuple[str, int]] = Counter()
        self.tokens: Counter[str] = Counter()

    @rule()
    def start(self) -> None:
        self.counters.started()
        self.open += 1

    @rule(
        model=st.sampled_from(["a", "b", "ç" * 60]),
        status=st.sampled_from([200, 429, 499]),
        tokens=st.tuples(*[st.integers(0, 1000)] * 4),
        streamed=st.booleans(),
    )
    def finish(
        self, model: str, status: int, tokens: tuple[int, int, int, int], streamed: bool
    ) -> None:
        if not self.open:
            self.start()
        self.counters.finished(self.counters.row("/e", model, status), 9, tokens, streamed)
        self.open -= 1
        self.finished[model[:40], status] += 1
        for column, count in zip(COLUMNS[1:-1], (*tokens, streamed), strict=True):
            self.tokens[column] += count

    @rule()
    def die(self) -> None:
        self.counters = WorkerCounters(*self.memory)
        self.owners += 1
        self.counters.take_over(100 + self.owners)
        self.lost += self.open
        self.open = 0

    @invariant()
    def all_is_counted_once(self) -> None:
        found = rows(WorkerCounters(*self.memory))
        assert {(row.model, row.status): row.columns["count"] for row in found} == self.finished
        for column, total in self.tokens.items():
            assert sum(row.columns[column] for row in found) == total
        assert self.counters.active == self.open
        assert self.counters.cells[LOST] == self.lost
        assert self.counters.owners == self.owners


Workers.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestWorkers = Workers.TestCase
