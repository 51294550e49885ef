"""The sum of all counters_of, as one reading."""

import pytest

from llmsim.core.errors import FailureKind
from llmsim.state.shm import layout
from llmsim.state.shm.labels import MODELS, OTHER, Labels
from llmsim.state.shm.layout import CLOSED, OPENED, SERIES
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.snapshot import ErrorCounts, Snapshot, WorkerSnapshot


def counters_of(number: int) -> list[WorkerCounters]:
    labels = Labels()
    made = [WorkerCounters(memoryview(bytearray(layout.SIZE)), labels) for _ in range(number)]
    for slot, one in enumerate(made):
        one.take_over(100 + slot)
    return made


def finish(
    one: WorkerCounters,
    model: str = "m",
    status: int = 200,
    tokens: tuple[int, int, int, int] = (0, 0, 0, 0),
    streamed: bool = False,
    second: int = 1000,
    failed: bool = False,
) -> None:
    one.started()
    one.finished(one.row("/v1/x", model, status), second, tokens, streamed, failed)


def plain(one: WorkerCounters) -> int:
    """Where answers are timed that are not streamed."""
    return one.series("/v1/x", "m", False)


def stream(one: WorkerCounters) -> int:
    """Where streams are timed."""
    return one.series("/v1/x", "m", True)


def test_no_counters_sum_to_nothing() -> None:
    snapshot = Snapshot([])
    assert (snapshot.started, snapshot.finished, snapshot.active, snapshot.frames) == (0, 0, 0, 0)
    assert snapshot.latency.quantile(0.5) == snapshot.latency.mean == snapshot.longest == 0.0


def test_counters_are_summed() -> None:
    one, two, unused = counters_of(3)
    finish(one, "a", 200, (10, 20, 5, 1), streamed=True)
    finish(two, "a", 200, (1, 2, 0, 0))
    finish(two, "b", 429)
    two.started()
    snapshot = Snapshot([one, two, unused])
    assert (snapshot.started, snapshot.finished, snapshot.active) == (4, 3, 1)
    assert snapshot.by("model") == {"a": 2, "b": 1}
    assert snapshot.by("status") == {"200": 2, "429": 1}
    assert snapshot.by("endpoint") == {"/v1/x": 3}
    assert snapshot.by("model", "completion") == {"a": 22, "b": 0}
    assert snapshot.total("prompt") == 11
    assert snapshot.total("streamed") == 1


def test_times_are_of_all_slots() -> None:
    one, two, unused = counters_of(3)
    one.timed(plain(one), 0.5, 0.1)
    two.timed(plain(two), 1.5, 0.3)
    one.late(400, 2)
    two.late(900, 1)
    snapshot = Snapshot([one, two, unused])
    assert snapshot.latency.mean == pytest.approx(1.0)
    assert snapshot.ttft.mean == pytest.approx(0.2)
    assert (snapshot.shortest, snapshot.longest, snapshot.latest) == (0.5, 1.5, 0.0009)
    assert (snapshot.frames, snapshot.lateness.count) == (3, 3)
    assert snapshot.latency.quantile(0.5) == pytest.approx(0.5, rel=1 / 16)
    assert snapshot.latency.quantile(1.0) == pytest.approx(1.5, rel=1 / 16)


def test_gauges_are_differences_and_lost_requests_are_not_active() -> None:
    one, two = counters_of(2)
    for each in (one, two):
        each.started()
        each.cells[OPENED] += 1
    assert (Snapshot([one, two]).active, Snapshot([one, two]).streams_open) == (2, 2)
    two.repair()
    snapshot = Snapshot([one, two])
    assert (snapshot.active, snapshot.streams_open, snapshot.lost) == (1, 1, 1)
    one.cells[CLOSED] += 1
    assert Snapshot([one, two]).streams_open == 0


@pytest.mark.parametrize(
    ("now", "uptime", "rate"),
    [
        (1000.9, 500.0, 0.0),  # the second that runs is left out
        (1001.2, 500.0, 3 / 60),
        (1002.0, 500.0, 5 / 60),
        (1002.0, 10.0, 5 / 10),
        (1002.0, 0.1, 5.0),
        (1060.9, 500.0, 5 / 60),
        (1061.0, 500.0, 2 / 60),
        (1062.0, 500.0, 0.0),
    ],
)
def test_rate_is_over_the_last_minute(now: float, uptime: float, rate: float) -> None:
    one, two = counters_of(2)
    for each, second in ((one, 1000), (one, 1000), (two, 1000), (one, 1001), (two, 1001)):
        finish(each, second=second)
    assert Snapshot([one, two]).rates(now, uptime)[0] == pytest.approx(rate)


def test_models_are_bounded_over_all_slots() -> None:
    """Whichever worker a model comes to first, and however often it comes later."""
    one, two = counters_of(2)
    for number in range(MODELS):
        finish((one, two)[number % 2], f"one-{number}")
    for number in range(MODELS):
        finish(one, f"one-{number}")
        finish(two, f"two-{number}")
        finish(two, f"two-{number}")
    models = Snapshot([one, two]).by("model")
    assert len(models) <= MODELS + 1
    assert sum(models.values()) == 4 * MODELS
    assert models[OTHER] == 2 * MODELS
    assert all(models[f"one-{number}"] == 2 for number in range(MODELS))


def test_times_are_told_apart_by_endpoint_model_and_stream_over_all_slots() -> None:
    one, two = counters_of(2)
    sets = [
        ("/v1/x", "m", False),
        ("/v1/x", "m", True),
        ("/v1/y", "m", False),
        ("/v1/x", "n", True),
    ]
    for place, key in enumerate(sets):
        for counters in (one, two) if place % 2 else (two, one):
            counters.timed(counters.series(*key), 1.0 + place, 0.1)
    two.apart(two.series("/v1/x", "n", True), 5000)
    found = {(s.endpoint, s.model, s.streamed): s for s in Snapshot([one, two]).series}
    assert found.keys() == set(sets)
    for place, key in enumerate(sets):
        times = found[key]
        assert (times.latency.count, times.latency.sum) == (2, 2.0 * (1 + place))
        assert (times.ttft.count, times.itl.count) == (2, int(place == 3))


def test_series_are_bounded_over_all_slots() -> None:
    made = counters_of(2)
    for number in range(4 * SERIES):
        one = made[number % 2]
        one.timed(one.series(f"/v1/{number % 3}", f"m{number}", number % 5 == 0), 1.0, 0.5)
    found = Snapshot(made).series
    assert len(found) <= SERIES
    assert len({times.model for times in found}) == MODELS // 2 + 1
    assert sum(times.latency.count for times in found) == 4 * SERIES
    assert {times.endpoint for times in found if times.model == OTHER} == {
        "/v1/0",
        "/v1/1",
        "/v1/2",
    }


def test_an_answer_without_a_token_has_no_time_to_first_token() -> None:
    (one,) = counters_of(1)
    one.timed(plain(one), 0.4, 0.4)
    one.timed(plain(one), 0.001, -1.0)
    snapshot = Snapshot([one])
    assert (snapshot.latency.count, snapshot.ttft.count, snapshot.ttft.mean) == (2, 1, 0.4)


def test_rate_of_tokens_is_over_the_same_minute() -> None:
    one, two = counters_of(2)
    finish(one, tokens=(9, 20, 5, 1), second=1000)
    finish(two, tokens=(9, 10, 5, 1), second=1001)
    assert Snapshot([one, two]).rates(1002.5, 10.0) == (0.2, 3.0)
    assert Snapshot([one, two]).rates(1061.5, 100.0) == (1 / 60, 10 / 60)


def test_errors_are_of_all_slots_and_limits_are_those_that_are_real() -> None:
    one, two = counters_of(2)
    for each in (one, two):
        for kind in (
            FailureKind.RATE_LIMIT,
            FailureKind.TOKEN_LIMIT,
            FailureKind.QUOTA,
            FailureKind.OVERLOADED,
        ):
            each.failed(kind, False)
        each.failed(FailureKind.RATE_LIMIT, True)
    snapshot = Snapshot([one, two])
    assert snapshot.errors[FailureKind.RATE_LIMIT] == ErrorCounts(2, 2)
    assert snapshot.errors[FailureKind.OVERLOADED] == ErrorCounts(2, 0)
    assert snapshot.errors[FailureKind.TIMEOUT] == ErrorCounts(0, 0)
    assert snapshot.limited == 6


def test_deaths_are_of_all_slots() -> None:
    one, two = counters_of(2)
    one.take_over(200)
    one.take_over(201)
    two.resign()
    assert Snapshot([one, two]).died == 2


def test_a_worker_tells_nothing_before_its_first_beat() -> None:
    (one,) = counters_of(1)
    one.sampled(1_000_000, 500_000, 4096, 70, 3)
    one.take_over(7)
    assert WorkerSnapshot.of(4, one) == WorkerSnapshot(4, 7, one.since, cpu_slot=0.5)
    one.sampled(9_500_000, 250_000, 8192, 1500, 0)
    assert WorkerSnapshot.of(4, one) == WorkerSnapshot(
        4, 7, one.since, 9.5, 0.25, 0.75, 8192, 0.0015, 0
    )
    one.sampled(9_500_000, 250_000, 8192, 1500, None)
    assert WorkerSnapshot.of(4, one).connections is None
