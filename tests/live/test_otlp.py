"""Each request is a span at a collector, off the way of the request."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")

from tests.live.http1 import chat, in_turn, post
from tests.live.watch import until
from tests.serving import Server
from tests.telemetry.otlp.collector import Collector, collecting, plain

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONFIG = """
latency: {{ttft_ms: 30, itl_ms: 2}}
errors: {{rules: [{{model: bad, overloaded_rate: 1}}]}}
telemetry: {{otlp: {{url: "{url}", service_name: simulated}}}}
"""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server], collector: Collector) -> Iterator[Server]:
    with configured(CONFIG.format(url=collector.url)) as server:
        yield server
        assert "Traceback" not in server.output()


def spans(collector: Collector, count: int) -> list[Any]:
    """The spans, once there are so many."""
    return until(lambda: collector.spans, lambda found: len(found) >= count)


def test_requests_are_spans(sim: Server, collector: Collector) -> None:
    traced = f"traceparent: 00-{TRACE}-{PARENT}-01"
    body = chat(model="gpt-4o", stream=True, max_tokens=5)
    answer, refused = in_turn(sim.port, post(body, traced), post(chat(model="bad")))
    assert (answer.status, refused.status) == (200, 503)
    found = {plain(one.attributes)["gen_ai.request.model"]: one for one in spans(collector, 2)}
    assert collector.paths[0] == "/v1/traces"
    assert collector.resources[0]["service.name"] == "simulated"

    good, bad = found["gpt-4o"], found["bad"]
    assert good.name == "chat gpt-4o"
    assert (good.trace_id.hex(), good.parent_span_id.hex()) == (TRACE, PARENT)
    attributes = plain(good.attributes)
    assert attributes["gen_ai.response.finish_reasons"] == ["length"]
    assert attributes["gen_ai.response.id"].startswith("chatcmpl-")
    assert attributes["gen_ai.usage.output_tokens"] == 5
    assert attributes["gen_ai.request.max_tokens"] == 5
    at = {one.name: (one.time_unix_nano - good.start_time_unix_nano) / 1e6 for one in good.events}
    assert at["llmsim.first_token.planned"] == pytest.approx(30, abs=0.1)
    assert at["llmsim.end.planned"] == pytest.approx(38, abs=0.1)
    assert at["llmsim.first_token"] > 29
    duration = (good.end_time_unix_nano - good.start_time_unix_nano) / 1e6
    assert at["llmsim.end"] == pytest.approx(duration, abs=0.01)

    assert not bad.parent_span_id
    assert bad.trace_id.hex() != TRACE
    assert (bad.status.code, plain(bad.attributes)["error.type"]) == (2, "overloaded")
    assert plain(bad.attributes)["llmsim.rule"] == "errors.rules[0]"


def metrics(sim: Server) -> dict[str, float]:
    with urlopen(f"{sim.url}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("llmsim_spans")
    }


def test_a_collector_that_takes_none_disturbs_nobody(sim: Server, collector: Collector) -> None:
    before = until(lambda: metrics(sim), lambda one: one["llmsim_spans_total"] == 2)
    collector.status = 400
    try:
        assert in_turn(sim.port, post(chat(max_tokens=1)))[0].status == 200
        until(lambda: metrics(sim), lambda one: one["llmsim_spans_dropped_total"] == 1)
    finally:
        collector.status = 200
    assert before["llmsim_spans_dropped_total"] == 0
    assert sim.output().count("spans are not taken") == 1
