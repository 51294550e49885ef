"""The sum of all boards, and what ``GET /llmsim/stats`` says about it."""

import pytest

from llmsim.shared import layout
from llmsim.shared.board import MODELS, OTHER, Board
from llmsim.shared.layout import CLOSED, OPENED
from llmsim.telemetry.snapshot import Snapshot, Worker
from llmsim.telemetry.stats import stats


def boards(number: int) -> list[Board]:
    made = [Board(memoryview(bytearray(layout.SIZE))) for _ in range(number)]
    for slot, one in enumerate(made):
        one.take_over(100 + slot)
    return made


def finish(
    one: Board,
    model: str = "m",
    status: int = 200,
    tokens: tuple[int, int, int, int] = (0, 0, 0, 0),
    streamed: bool = False,
    second: int = 1000,
) -> None:
    one.started()
    one.finished(one.row("/v1/x", model, status), second, tokens, streamed)


def test_no_boards_say_nothing() -> None:
    snapshot = Snapshot([])
    assert (snapshot.started, snapshot.finished, snapshot.active, snapshot.frames) == (0, 0, 0, 0)
    assert snapshot.latency.quantile(0.5) == snapshot.latency.mean == snapshot.longest == 0.0


def test_boards_are_summed() -> None:
    one, two, unused = boards(3)
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


def test_times_are_of_all_boards() -> None:
    one, two, unused = boards(3)
    one.timed(0.5, 0.1)
    two.timed(1.5, 0.3)
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
    one, two = boards(2)
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
    one, two = boards(2)
    for each, second in ((one, 1000), (one, 1000), (two, 1000), (one, 1001), (two, 1001)):
        finish(each, second=second)
    assert Snapshot([one, two]).rates(now, uptime)[0] == pytest.approx(rate)


def test_models_are_bounded_over_all_boards() -> None:
    one, two = boards(2)
    for number in range(MODELS):
        finish(one, f"one-{number}")
        finish(one, f"one-{number}")
        finish(two, f"two-{number}")
    models = Snapshot([one, two]).by("model")
    assert len(models) <= MODELS + 1
    assert sum(models.values()) == 3 * MODELS
    assert models[OTHER] == MODELS
    assert all(models[f"one-{number}"] == 2 for number in range(MODELS))


def test_stats_of_a_server_that_has_done_nothing() -> None:
    told = stats(Snapshot(boards(2)), [], 0.0, 5.0)
    assert told["requests"] == {
        "total": 0,
        "finished": 0,
        "aborted": 0,
        "lost": 0,
        "active": 0,
        "active_streaming": 0,
        "active_non_streaming": 0,
        "streaming": 0,
        "non_streaming": 0,
        "per_second": 0.0,
    }
    assert told["errors"] == {"total": 0, "by_status": {}}
    nothing = {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    assert told["latency_ms"] == {"avg": 0.0, "min": 0.0, "max": 0.0, **nothing}
    assert told["ttft_ms"] == {"avg": 0.0, **nothing}
    assert told["lateness_ms"] == {"frames": 0, "max": 0.0, **nothing}


def test_stats_tell_everything_in_milliseconds() -> None:
    one, two = boards(2)
    finish(one, "a", 200, (10, 20, 5, 1), streamed=True)
    finish(two, "a", 200, (1, 2, 0, 0))
    finish(two, "b", 500)
    finish(one, "b", 499, streamed=True)
    for each in (one, two):
        each.started()
    one.cells[OPENED] += 1
    two.repair()
    one.timed(0.5, 0.25)
    one.late(1500, 4)
    told = stats(
        Snapshot([one, two]), [Worker(0, 100, 17.0), Worker(1, 101, 18.5)], 12.3456, 1001.0
    )
    assert told["uptime_s"] == 12.346
    assert told["workers"] == [
        {"slot": 0, "pid": 100, "since": 17.0},
        {"slot": 1, "pid": 101, "since": 18.5},
    ]
    assert told["requests"] == {
        "total": 6,
        "finished": 3,
        "aborted": 2,
        "lost": 1,
        "active": 1,
        "active_streaming": 1,
        "active_non_streaming": 0,
        "streaming": 2,
        "non_streaming": 2,
        "per_second": round(4 / 12.3456, 3),
    }
    assert told["endpoints"] == {"/v1/x": 4}
    assert told["models"] == {
        "a": {"requests": 2, "prompt": 11, "completion": 22},
        "b": {"requests": 2, "prompt": 0, "completion": 0},
    }
    assert told["statuses"] == {"200": 2, "500": 1, "499": 1}
    assert told["errors"] == {"total": 2, "by_status": {"500": 1, "499": 1}}
    assert told["tokens"] == {"prompt": 11, "completion": 22, "reasoning": 5, "cached": 1}
    assert told["latency_ms"]["avg"] == 500.0
    assert told["latency_ms"]["min"] == told["latency_ms"]["max"] == 500.0
    assert told["latency_ms"]["p99"] == pytest.approx(500.0, rel=1 / 16)
    assert told["ttft_ms"]["p50"] == pytest.approx(250.0, rel=1 / 16)
    assert told["lateness_ms"]["frames"] == 4
    assert told["lateness_ms"]["max"] == 1.5


def test_no_quantile_is_beyond_the_longest_time() -> None:
    (one,) = boards(1)
    one.timed(0.513, 0.1)
    told = stats(Snapshot([one]), [], 1.0, 1.0)["latency_ms"]
    assert told["p50"] <= told["p95"] <= told["p99"] <= told["max"] == 513.0
