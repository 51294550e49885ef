"""The times of the last seconds are those by which the histograms have grown."""

from types import SimpleNamespace
from typing import Any

import pytest

from llmsim.state.shm.histogram import BUCKETS, bucket
from llmsim.telemetry.recent import MINUTE, SECONDS, STALE, LastMinute, Quantiles, Recent


def snapshot(*latencies_ms: int) -> Any:
    counts = [0] * BUCKETS
    for one in latencies_ms:
        counts[bucket(one * 1000)] += 1
    times, none = SimpleNamespace(counts=counts), SimpleNamespace(counts=[0] * BUCKETS)
    others = dict.fromkeys(("ttft", "itl", "queue", "lateness", "arrival_lag", "output_lag"), none)
    return SimpleNamespace(latency=times, **others)


def latency(times: dict[str, Quantiles] | None) -> dict[str, float]:
    assert times is not None
    found = times["latency_ms"]
    assert found is not None
    return found


def test_at_first_nothing_is_known() -> None:
    assert Recent().times(snapshot(5), 100.0) is None


def test_what_was_before_does_not_count() -> None:
    recent = Recent()
    recent.times(snapshot(*[1000] * 50), 100.0)
    found = latency(recent.times(snapshot(*[1000] * 50, *[10] * 50), 101.0))
    assert found["p50"] == pytest.approx(10, rel=0.07)
    assert found["p99"] == pytest.approx(10, rel=0.07)


def test_where_nothing_happened_there_is_no_time() -> None:
    recent = Recent()
    recent.times(snapshot(5), 100.0)
    assert recent.times(snapshot(5), 101.0) == dict.fromkeys(
        ("latency_ms", "ttft_ms", "itl_ms", "lateness_ms", "arrival_lag_ms", "output_lag_ms")
    )


def test_the_window_moves_on() -> None:
    recent = Recent()
    had: list[int] = []
    for second in range(int(SECONDS)):
        recent.times(snapshot(*had), 100.0 + second)
        had.append(1000)
    for second in range(int(SECONDS), 3 * int(SECONDS)):
        found = recent.times(snapshot(*had), 100.0 + second)
        had.append(10)
    assert latency(found)["p99"] == pytest.approx(10, rel=0.07)


def test_after_a_pause_it_begins_anew() -> None:
    recent = Recent()
    recent.times(snapshot(1000), 100.0)
    assert recent.times(snapshot(1000, 10), 100.0 + STALE + 1) is None
    assert latency(recent.times(snapshot(1000, 10, 10), 102.0 + STALE))["p99"] < 20


def test_the_last_minute_leaves_out_what_was_before_it() -> None:
    minute = LastMinute()
    assert minute.times(snapshot(5)) is None
    minute.sample(snapshot(*[1000] * 50), 100.0)
    minute.sample(snapshot(*[1000] * 50, *[100] * 50), 105.0)
    known = snapshot(*[1000] * 50, *[100] * 50, *[10] * 50)
    assert latency(minute.times(known))["p99"] == pytest.approx(100, rel=0.07)
    minute.sample(known, 105.0 + MINUTE)
    assert latency(minute.times(known))["p99"] == pytest.approx(10, rel=0.07)
    minute.sample(known, 110.0 + 2 * MINUTE)
    again = minute.times(known)
    assert again is not None
    assert again["latency_ms"] is None
