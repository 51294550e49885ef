"""What ``GET /llmsim/stats`` says about the counters_of."""

import pytest

from llmsim import __version__
from llmsim.core.errors import FailureKind
from llmsim.state.shm.labels import MODELS, OTHER
from llmsim.state.shm.layout import OPENED
from llmsim.state.shm.step_clocks import ClockStatus
from llmsim.telemetry import build
from llmsim.telemetry.snapshot import Snapshot, WorkerSnapshot
from llmsim.telemetry.stats import stats
from tests.telemetry.test_snapshot import counters_of, finish, plain, stream


def test_stats_of_a_server_that_has_done_nothing() -> None:
    shown = stats(Snapshot(counters_of(2)), [], 0.0, 5.0)
    assert shown["requests"] == {
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
    assert shown["errors"] == {"total": 0, "by_status": {}, "by_kind": {}}
    nothing = {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    assert shown["latency_ms"] == {"avg": 0.0, "min": 0.0, "max": 0.0, **nothing}
    assert shown["ttft_ms"] == {"avg": 0.0, **nothing}
    assert shown["itl_ms"] == {"avg": 0.0, **nothing}
    for name in (
        "queue_ms",
        "arrival_lag_ms",
        "output_lag_ms",
        "delivery_lateness_ms",
        "loop_lag_ms",
    ):
        assert shown[name] == {"avg": 0.0, **nothing, "count": 0}
    assert shown["lateness_ms"] == {"frames": 0, "max": 0.0, **nothing}
    assert shown["version"] == __version__
    assert shown["build"] == build.kind()
    assert shown["tokens"]["per_second"] == 0.0
    assert shown["models"] == {}
    assert (shown["worker_restarts"], shown["rate_limited"], shown["rate_limits"]) == (0, 0, [])


def test_stats_tell_everything_in_milliseconds() -> None:
    one, two = counters_of(2)
    finish(one, "a", 200, (10, 20, 5, 1), streamed=True)
    finish(two, "a", 200, (1, 2, 0, 0))
    finish(two, "b", 500, failed=True)
    finish(one, "b", 499, streamed=True)
    for each in (one, two):
        each.started()
    one.cells[OPENED] += 1
    two.take_over(101)
    one.failed(FailureKind.OVERLOADED, True)
    two.failed(FailureKind.QUOTA, False)
    one.apart(stream(one), 20_000)
    two.queued(0.125)
    one.timed(plain(one), 0.5, 0.25)
    one.late(1500, 4)
    shown = stats(
        Snapshot([one, two]),
        [
            WorkerSnapshot(0, 100, 17.0),
            WorkerSnapshot(1, 101, 18.5, 99.0, 3.25, 4.0, 8192, 0.0015, 7),
        ],
        12.3456,
        1001.0,
        [{"rule": "all"}],
    )
    assert shown["uptime_s"] == 12.346
    assert shown["workers"] == [
        {
            "slot": 0,
            "pid": 100,
            "since": 17.0,
            "rss_bytes": None,
            "cpu_s": None,
            "lag_ms": None,
            "open_connections": None,
        },
        {
            "slot": 1,
            "pid": 101,
            "since": 18.5,
            "rss_bytes": 8192,
            "cpu_s": 3.25,
            "lag_ms": 1.5,
            "open_connections": 7,
        },
    ]
    assert shown["worker_restarts"] == 1
    assert shown["rate_limits"] == [{"rule": "all"}]
    assert shown["requests"] == {
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
    assert shown["endpoints"] == {"/v1/x": 4}
    assert shown["models"] == {
        "a": {"requests": 2, "prompt": 11, "completion": 22, "errors": 0},
        "b": {"requests": 2, "prompt": 0, "completion": 0, "errors": 1},
    }
    assert shown["statuses"] == {"200": 2, "500": 1, "499": 1}
    assert shown["errors"] == {
        "total": 2,
        "by_status": {"500": 1},
        "by_kind": {
            "quota": {"injected": 0, "real": 1},
            "overloaded": {"injected": 1, "real": 0},
        },
    }
    assert shown["rate_limited"] == 1
    assert shown["tokens"] == {
        "prompt": 11,
        "completion": 22,
        "reasoning": 5,
        "cached": 1,
        "per_second": round(22 / 12.3456, 3),
    }
    assert shown["latency_ms"]["avg"] == 500.0
    assert shown["latency_ms"]["min"] == shown["latency_ms"]["max"] == 500.0
    assert shown["latency_ms"]["p99"] == pytest.approx(500.0, rel=1 / 16)
    assert shown["ttft_ms"]["p50"] == pytest.approx(250.0, rel=1 / 16)
    assert shown["itl_ms"]["avg"] == 20.0
    assert shown["queue_ms"]["avg"] == 125.0
    assert shown["queue_ms"]["count"] == 1
    assert shown["lateness_ms"]["frames"] == 4
    assert shown["lateness_ms"]["max"] == 1.5


def test_no_quantile_is_beyond_the_longest_time() -> None:
    (one,) = counters_of(1)
    one.timed(plain(one), 0.513, 0.1)
    shown = stats(Snapshot([one]), [], 1.0, 1.0)["latency_ms"]
    assert shown["p50"] <= shown["p95"] <= shown["p99"] <= shown["max"] == 513.0


def test_models_beyond_the_bound_are_shown_together() -> None:
    one, two = counters_of(2)
    for number in range(MODELS):
        finish(one, f"one-{number}", tokens=(3, 2, 0, 0))
        finish(one, f"one-{number}")
    for number in range(MODELS):
        finish(two, f"two-{number}", 500, tokens=(3000, 2000, 0, 0), failed=True)
    shown = stats(Snapshot([one, two]), [], 1.0, 1.0)["models"]
    assert len(shown) <= MODELS + 1
    assert shown["one-7"] == {"requests": 2, "prompt": 3, "completion": 2, "errors": 0}
    assert sum(one["errors"] for one in shown.values()) == shown[OTHER]["errors"] == MODELS
    assert sum(one["prompt"] for one in shown.values()) == 3003 * MODELS


def test_errors_are_the_sum_of_their_kinds_and_a_client_that_left_is_none() -> None:
    """Also those that broke off with status 200, and whichever model they are of."""
    one, two = counters_of(2)
    for counters, status in ((one, 429), (two, 500), (two, 200)):
        counters.failed(FailureKind.SERVER_ERROR, status == 500)
        finish(counters, f"m{status}", status, failed=True)
    finish(one, "m200", 200)
    finish(one, "m499", 499)
    shown = stats(Snapshot([one, two]), [], 1.0, 1.0)
    errors = shown["errors"]
    assert errors["total"] == 3
    assert errors["total"] == sum(
        one["injected"] + one["real"] for one in errors["by_kind"].values()
    )
    assert errors["by_status"] == {"429": 1, "500": 1}
    assert {name: one["errors"] for name, one in shown["models"].items()} == {
        "m429": 1,
        "m500": 1,
        "m200": 1,
        "m499": 0,
    }


def test_replicas_are_shown() -> None:
    replica = ClockStatus("m", 1, 3, 5, 8, 0.02, 700, 35000.0)
    shown = stats(Snapshot(counters_of(1)), [], 1.0, 1.0, replicas=[replica])
    assert shown["replicas"] == [
        {
            "model": "m",
            "replica": 1,
            "running": 3,
            "waiting": 5,
            "step_ms": 20.0,
            "prefill_tokens": 700,
            "prefill_tokens_per_second": 35000.0,
        }
    ]
