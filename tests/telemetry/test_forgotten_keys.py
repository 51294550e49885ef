"""What the log says when there are more keys than may be."""

import pytest

from llmsim.config import Config, Server
from llmsim.state.shared_state import SharedState, key_tables, new_segment
from llmsim.telemetry.forgotten_keys import QUIET, ForgottenKeys
from llmsim.telemetry.prometheus import MetricsReading
from llmsim.telemetry.snapshot import Snapshot
from tests.telemetry.test_prometheus import scraped

KEYS = 1000


@pytest.fixture
def shared() -> SharedState:
    return SharedState(new_segment(Config(Server(workers=1, journal_mb=1, max_keys=KEYS))))


def count(shared: SharedState, count: int, prefix: str) -> None:
    for number in range(count):
        shared.named_counters.advance(f"{prefix} {number}")


def test_the_log_says_so_once_a_minute(
    shared: SharedState, caplog: pytest.LogCaptureFixture
) -> None:
    """In the launcher, which sees the same memory."""
    watch = ForgottenKeys(key_tables(shared.segment))
    count(shared, KEYS, "first")
    watch.look(100.0)
    assert not caplog.records
    count(shared, 20, "second")
    watch.look(101.0)
    (line,) = caplog.messages
    assert "server.max_keys" in line
    assert "1000 named counters: 20 were forgotten" in line
    count(shared, 20, "third")
    for second in range(102, 161):
        watch.look(float(second))
    assert len(caplog.records) == 1
    watch.look(101.0 + QUIET)
    watch.look(101.0 + 2 * QUIET)
    assert len(caplog.records) == 2
    assert "40 were forgotten" in caplog.messages[1]


def test_metrics_say_how_many_there_are_and_how_many_were_forgotten(shared: SharedState) -> None:
    count(shared, KEYS + 20, "name")
    one = shared.buckets.account("caller", "rule", ("c", "*"), (), None)
    shared.buckets.take(one, (1, 1, 0, 0, 0))
    reading = MetricsReading(Snapshot([]), [], 1, 1.0, 1.0, tables=shared.key_tables)
    metrics = scraped(reading)
    assert metrics["llmsim_keys", "counters"] == metrics["llmsim_max_keys", "counters"] == KEYS
    assert metrics["llmsim_keys_forgotten_total", "counters"] == 20
    assert metrics["llmsim_keys", "rate_limits"] == 1
    assert metrics["llmsim_keys_forgotten_total", "rate_limits"] == 0
