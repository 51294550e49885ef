"""Spans are sent, and those that nobody takes are counted."""

import logging

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")

from llmsim.config.settings import OTLPSettings
from llmsim.state.shm.journal import Journal, size
from llmsim.state.shm.layout import SPANS, SPANS_DROPPED
from llmsim.telemetry.otlp.exporter import MOST, RequestSpans, traces_url
from tests.telemetry.otlp.collector import collecting
from tests.telemetry.otlp.test_ended_requests import ended
from tests.telemetry.test_snapshot import counters_of


@pytest.mark.parametrize(
    ("url", "traces"),
    [
        ("http://a:4318", "http://a:4318/v1/traces"),
        ("http://a:4318/", "http://a:4318/v1/traces"),
        ("https://a/otlp/v1/traces", "https://a/otlp/v1/traces"),
    ],
)
def test_where_they_go(url: str, traces: str) -> None:
    assert traces_url(url) == traces


def test_a_collector_that_fails_and_comes_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")
    journal = Journal(memoryview(bytearray(size(1 << 20))), 0, 7)
    (counters,) = counters_of(1)
    with collecting() as collector, caplog.at_level(logging.WARNING, "llmsim"):
        spans = RequestSpans(OTLPSettings(collector.url, 1.0, "tested"), journal, counters)
        collector.status = 400
        for _ in range(2):
            ended(journal)
            assert not spans.send()
        collector.status = 200
        for _ in range(MOST + 1):
            ended(journal)
        assert spans.send()
        assert not spans.send()
        assert not spans.send()
    assert len(collector.spans) == MOST + 1
    assert (counters.cells[SPANS], counters.cells[SPANS_DROPPED]) == (MOST + 1, 2)
    assert collector.resources[0]["service.name"] == "tested"
    assert collector.headers[0]["x-key"] == "secret"
    messages = [record.getMessage().partition(":")[0] for record in caplog.records]
    not_taken = "spans are not taken, see llmsim_spans_dropped_total"
    assert messages == [not_taken, "spans are taken again"]


def test_a_thread_sends_what_there_is_until_it_is_stopped() -> None:
    journal = Journal(memoryview(bytearray(size(1 << 20))), 0, 7)
    (counters,) = counters_of(1)
    with collecting() as collector:
        spans = RequestSpans(OTLPSettings(collector.url), journal, counters)
        spans.start()
        ended(journal)
        spans.stop()
    assert len(collector.spans) == 1
