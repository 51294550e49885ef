"""``/metrics``: exact, monotone, bounded, in the form that is asked for, and documented."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from llmsim.config import Config, Metrics, Models, Server
from llmsim.core.errors import FailureKind
from llmsim.state.shared_state import key_tables, new_segment
from llmsim.state.shm.key_table import KeyTable
from llmsim.state.shm.labels import MODELS
from llmsim.state.shm.layout import (
    ARRIVAL_LAG,
    DELIVERY_LATENESS,
    DROPPED,
    LOOP_LAG,
    OPENED,
    OUTPUT_LAG,
    RECORDING,
    SERIES,
)
from llmsim.state.shm.step_clocks import ClockStatus
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry import vllm
from llmsim.telemetry.prometheus import (
    ANSWERS,
    GAPS,
    LATE,
    MOST_LIMITS,
    AnswerTimes,
    MetricsReading,
    provider_of,
    render,
)
from llmsim.telemetry.recording import recording_state
from llmsim.telemetry.snapshot import Snapshot, WorkerSnapshot
from tests.telemetry.test_snapshot import counters_of, finish, plain, stream

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
LIMIT = {"rule": "all", "key": "k", "model": "m", "what": "requests", "limit": 9, "remaining": 4}
REPLICA = ClockStatus("m", 1, 3, 5, 8, 0.02, 700, 35000.0)


def reading(made: list[WorkerCounters], **more: Any) -> MetricsReading:
    workers = [
        WorkerSnapshot.of(slot, counters) for slot, counters in enumerate(made) if counters.pid
    ]
    return MetricsReading(Snapshot(made), workers, len(made), 17.5, 10.0, **more)


def tables() -> dict[str, KeyTable]:
    """Empty ones for a thousand keys."""
    return key_tables(new_segment(Config(Server(workers=1, journal_mb=1, max_keys=1000))))


def scraped(read: MetricsReading, config: Metrics | None = None) -> dict[tuple[str, ...], float]:
    """Samples by name and label values, these in the order of the labels' names."""
    body, _ = render(read, config or Metrics(), "", "")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_what_was_counted_is_exposed() -> None:
    one, two = made = counters_of(2)
    finish(one, "a", 200, (10, 20, 5, 1), streamed=True)
    finish(two, "a", 200, (1, 2, 0, 0))
    finish(two, "b", 429)
    two.started()
    two.cells[OPENED] += 1
    one.failed(FailureKind.RATE_LIMIT, False)
    one.failed(FailureKind.RATE_LIMIT, True)
    one.cells[DROPPED] += 3
    metrics = scraped(reading(made, limits=[LIMIT]))
    expected = {
        ("llmsim_requests_total", "openai", "/v1/x", "a", "200"): 2,
        ("llmsim_requests_total", "openai", "/v1/x", "b", "429"): 1,
        ("llmsim_active_requests",): 1,
        ("llmsim_open_streams",): 1,
        ("llmsim_tokens_total", "prompt", "a"): 11,
        ("llmsim_tokens_total", "completion", "a"): 22,
        ("llmsim_tokens_total", "reasoning", "a"): 5,
        ("llmsim_tokens_total", "cached", "a"): 1,
        ("llmsim_errors_total", "false", "rate_limit"): 1,
        ("llmsim_errors_total", "true", "rate_limit"): 1,
        ("llmsim_errors_total", "false", "overloaded"): 0,
        ("llmsim_rate_limited_total",): 1,
        ("llmsim_log_lines_dropped_total",): 3,
        ("llmsim_start_time_seconds",): 17.5,
        ("llmsim_workers",): 2,
        ("llmsim_rate_limit", "k", "m", "all", "requests"): 9,
        ("llmsim_rate_limit_remaining", "k", "m", "all", "requests"): 4,
    }
    assert {key: metrics[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "bounds", "record", "values"),
    [
        ("request_duration", ANSWERS, "timed", [0.0, 0.0001, 0.001024, 0.5, 3.0, 500.0]),
        ("time_to_first_token", ANSWERS, "timed", [0.0, 0.0001, 0.001024, 0.5, 3.0, 500.0]),
        ("queue", ANSWERS, "queued", [0.0, 0.25, 0.262143, 0.262144]),
        ("inter_token_latency", GAPS, "apart", [0.0, 0.0001, 0.02, 0.02, 0.049151, 0.049152, 60.0]),
        ("frame_lateness", LATE, "late", [0.0, 0.000063, 0.000064, 0.02, 3.0, 70.0]),
        ("arrival_lag", LATE, ARRIVAL_LAG, [0.0, 0.000063, 0.000064, 0.02, 30.0]),
        ("output_lag", LATE, OUTPUT_LAG, [0.0, 0.000063, 0.000064, 0.02, 30.0]),
        ("delivery_lateness", LATE, DELIVERY_LATENESS, [0.0, 0.000063, 0.000064, 0.02, 30.0]),
        ("event_loop_lag", LATE, LOOP_LAG, [0.0, 0.000063, 0.000064, 0.02, 30.0]),
    ],
)
def test_histograms_estimate_nothing(
    name: str, bounds: Any, record: str | int, values: list[float]
) -> None:
    (one,) = made = counters_of(1)
    for value in values:
        us = round(value * 1e6)
        match record:
            case "timed":
                one.timed(stream(one), us / 1e6, us / 1e6)
            case "queued":
                one.queued(us / 1e6)
            case "apart":
                one.apart(stream(one), us)
            case "late":
                one.late(us, 1)
            case int():
                one.lag(record, us)
    metrics = scraped(reading(made))
    full = f"llmsim_{name}_seconds"
    head, tail = (("/v1/x",), ("m", "true")) if record in ("timed", "apart") else ((), ())
    assert metrics[f"{full}_count", *head, *tail] == len(values)
    assert metrics[f"{full}_bucket", *head, "+Inf", *tail] == len(values)
    assert metrics[f"{full}_sum", *head, *tail] == pytest.approx(sum(values))
    for bound in bounds.seconds:
        below = sum(round(value * 1e6) < round(bound * 1e6) for value in values)
        assert metrics[f"{full}_bucket", *head, repr(bound), *tail] == below, bound


@pytest.mark.parametrize(
    ("bounds", "shortest", "longest"), [(ANSWERS, 1e-4, 120), (GAPS, 1e-4, 4), (LATE, 1e-4, 60)]
)
def test_buckets_reach_from_a_tenth_of_a_millisecond(
    bounds: Any, shortest: float, longest: float
) -> None:
    assert bounds.seconds[0] <= shortest
    assert bounds.seconds[-1] >= longest


def test_a_worker_is_up_while_its_heart_beats() -> None:
    made = counters_of(3)
    made[0].sampled(9_000_000, 250_000, 4096, 1500, 3)
    made[1].sampled(4_000_000, 1, 1, 1, None)
    metrics = scraped(reading(made))
    assert [metrics["llmsim_worker_up", str(slot)] for slot in range(3)] == [1, 0, 0]
    assert metrics["llmsim_worker_cpu_seconds_total", "0"] == 0.25
    assert metrics["llmsim_worker_resident_memory_bytes", "0"] == 4096
    assert metrics["llmsim_worker_event_loop_lag_seconds", "0"] == 0.0015
    assert metrics["llmsim_worker_open_connections", "0"] == 3
    assert ("llmsim_worker_open_connections", "1") not in metrics
    assert ("llmsim_worker_resident_memory_bytes", "2") not in metrics


def test_no_counter_goes_backwards_when_workers_die() -> None:
    one, two = made = counters_of(2)
    for number in range(2 * MODELS):
        finish(one, f"m{number}", 200, (3, 4, 1, 1), streamed=True)
        finish(two, f"n{number % 7}", 500)
    one.sampled(9_000_000, 250_000, 4096, 1500, 3)
    one.started()
    before = counters(reading(made))
    made[0].take_over(7)
    finish(two, "m0", 200, (1, 1, 1, 1))
    after = counters(reading(made))
    assert before.keys() <= after.keys()
    assert not [key for key, value in before.items() if after[key] < value]
    assert after["llmsim_worker_restarts_total", "0"] == 1
    assert after["llmsim_requests_lost_total",] == 1


def counters(read: MetricsReading) -> dict[tuple[str, ...], float]:
    ends = ("_total", "_count", "_sum", "_bucket")
    return {key: value for key, value in scraped(read).items() if key[0].endswith(ends)}


def test_series_are_bounded() -> None:
    (one,) = made = counters_of(1)
    for number in range(3000):
        finish(one, f"m{number}", 200 + number % 300)
        one.timed(one.series("/v1/x", f"m{number}", number % 2 == 0), 1.0, 1.0)
    limits = [LIMIT | {"key": str(number)} for number in range(3000)]
    metrics = scraped(reading(made, limits=limits))
    assert sum(key[0] == "llmsim_requests_total" for key in metrics) <= 512
    assert sum(key[0] == "llmsim_tokens_total" for key in metrics) <= 4 * (MODELS + 1)
    assert sum(key[0] == "llmsim_rate_limit" for key in metrics) == MOST_LIMITS
    assert sum(key[0] == "llmsim_request_duration_seconds_sum" for key in metrics) <= SERIES
    assert sum(v for key, v in metrics.items() if key[0] == "llmsim_requests_total") == 3000


@pytest.mark.parametrize("name", ['a"b', "back\\slash", "new\nline", "ünï", "{}", "x" * 80])
def test_any_model_can_be_exposed(name: str) -> None:
    (one,) = made = counters_of(1)
    finish(one, name, 200, (1, 0, 0, 0))
    assert scraped(reading(made))["llmsim_tokens_total", "prompt", name] == 1


@pytest.mark.parametrize(
    ("accept", "encodings", "media_type", "encoding"),
    [
        ("", "", "text/plain; version=0.0.4; charset=utf-8", None),
        ("*/*", "deflate, br", "text/plain; version=0.0.4; charset=utf-8", None),
        ("text/plain", "gzip", "text/plain; version=0.0.4; charset=utf-8", "gzip"),
        (OPENMETRICS, "gzip, br", "application/openmetrics-text; version=1.0.0", "gzip"),
    ],
)
def test_the_form_is_the_one_asked_for(
    accept: str, encodings: str, media_type: str, encoding: str | None
) -> None:
    body, head = render(reading(counters_of(1)), Metrics(), accept, encodings)
    assert head["content-type"].startswith(media_type)
    assert head.get("content-encoding") == encoding
    assert head["vary"] == "accept, accept-encoding"
    text = (gzip.decompress(body) if encoding else body).decode()
    assert text.endswith("# EOF\n") == (accept == OPENMETRICS)


def test_openmetrics_has_examples_of_what_is_in_a_bucket() -> None:
    (one,) = made = counters_of(1)
    for seconds in (3.0, 2.5):
        one.timed(plain(one), seconds, 0.25)
    key = ("/v1/x", "m", "false")
    examples = [
        AnswerTimes("mark1", key, 0.25, 3.0, 1700.0004),
        AnswerTimes("mark2", key, -1.0, 2.5, 1699.0),
        AnswerTimes("mark3", ("/v1/x", "m", "true"), 0.25, 3.0, 1699.0),
    ]
    body, _ = render(reading(made, examples=examples), Metrics(), OPENMETRICS, "")
    found = {
        (sample.name, sample.labels["le"]): sample.exemplar
        for family in openmetrics_families(body.decode())
        for sample in family.samples
        if sample.exemplar
    }
    name = "llmsim_request_duration_seconds_bucket"
    assert {key: one.labels["request_id"] for key, one in found.items()} == {
        (name, "3.145728"): "mark1",
        ("llmsim_time_to_first_token_seconds_bucket", "0.262144"): "mark1",
    }
    metrics = found[name, "3.145728"]
    assert (metrics.value, float(metrics.timestamp)) == (3.0, 1700.0)


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("/v1/chat/completions", "openai"),
        ("/v1/responses", "openai"),
        ("/v1/messages", "anthropic"),
        ("/v1/messages/batches", "anthropic"),
        ("/v1beta/models:generateContent", "gemini"),
        ("other", "other"),
    ],
)
def test_the_provider_is_the_endpoints(endpoint: str, name: str) -> None:
    assert provider_of(endpoint) == name


def test_vllm_is_exposed_where_it_is_wanted() -> None:
    one, two = made = counters_of(2)
    finish(one, "a", 200, (10, 20, 5, 1), streamed=True)
    finish(two, "a", 499)
    finish(two, "b", 429)
    for _ in range(5):
        two.started()
    one.apart(stream(one), 20_000)
    assert not [key for key in scraped(reading(made)) if key[0].startswith("vllm:")]
    metrics = scraped(reading(made), Metrics(True, "mine", 4))
    expected = {
        ("vllm:num_requests_running", "0", "mine"): 4,
        ("vllm:num_requests_waiting", "0", "mine"): 1,
        ("vllm:kv_cache_usage_perc", "0", "mine"): 1,
        ("vllm:prompt_tokens_total", "0", "mine"): 10,
        ("vllm:generation_tokens_total", "0", "mine"): 20,
        ("vllm:prefix_cache_hits_total", "0", "mine"): 1,
        ("vllm:request_success_total", "0", "stop", "mine"): 1,
        ("vllm:request_success_total", "0", "abort", "mine"): 1,
        ("vllm:inter_token_latency_seconds_count", "0", "mine"): 1,
    }
    assert {key: metrics[key] for key in expected} == expected
    names = {key[0] for key in metrics}
    assert {"vllm:cache_config_info", "vllm:lora_requests_info"} <= names


def test_adapters_are_those_of_vllm_s_models() -> None:
    one, two = made = counters_of(2)
    for counters, model in (
        (one, "llama:sql"),
        (two, "llama:poems"),
        (two, "llama"),
        (one, "ft:x"),
    ):
        finish(counters, model)
    models = Models(("llama", "llama:idle", "gpt:y"), servers=(("llama*", "vllm"),))
    lora = vllm.adapters(Snapshot(made), models)
    assert lora == vllm.Adapters(("poems", "sql"), ("idle", "poems", "sql"))
    metrics = scraped(reading(made, adapters=lora), Metrics(vllm=True))
    assert [key[1:] for key in metrics if key[0] == "vllm:lora_requests_info"] == [
        ("3", "poems,sql", "")
    ]
    assert vllm.adapters(Snapshot(made), Models()) == vllm.NO_ADAPTERS


def test_replicas_are_exposed() -> None:
    metrics = scraped(reading(counters_of(1), replicas=[REPLICA]))
    assert {key[0]: value for key, value in metrics.items() if key[1:] == ("m", "1")} == {
        "llmsim_sequences_running": 3,
        "llmsim_sequences_waiting": 5,
        "llmsim_step_seconds": 0.02,
        "llmsim_prefill_tokens_total": 700,
    }


def test_replicas_are_what_vllm_s_metrics_show() -> None:
    """Whatever else is active."""
    both = [REPLICA, REPLICA._replace(replica=2, running=1, waiting=0)]
    metrics = scraped(reading(counters_of(1), replicas=both), Metrics(vllm=True, vllm_capacity=99))
    assert metrics["vllm:num_requests_running", "0", "llmsim"] == 4
    assert metrics["vllm:num_requests_waiting", "0", "llmsim"] == 5
    assert metrics["vllm:kv_cache_usage_perc", "0", "llmsim"] == 4 / 16


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "text/plain",
        "text/plain;version=1.0.0;escaping=allow-utf-8",
        "text/plain;version=1.0.0;escaping=underscores",
        OPENMETRICS,
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
        "application/openmetrics-text;version=1.0.0;escaping=underscores",
        "application/openmetrics-text;version=0.0.1",
    ],
)
def test_names_are_the_same_in_every_form(accept: str) -> None:
    body, _ = render(reading(counters_of(1)), Metrics(vllm=True), accept, "")
    assert b'\nvllm:num_requests_running{engine="0",model_name="llmsim"} 0.0\n' in body
    assert b"\nllmsim_active_requests 0.0\n" in body


def exposed() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Name, type and labels of every family, with something in each."""
    made = counters_of(2)
    finish(made[0])
    made[0].apart(stream(made[0]), 1)
    for counters in made:
        counters.sampled(9_000_000, 1, 1, 1, 1)
    made[0].cells[RECORDING] = 1
    more: dict[str, Any] = {"replicas": [REPLICA], "recording": recording_state(made)}
    read = reading(made, limits=[LIMIT], tables=tables(), **more)
    body, _ = render(read, Metrics(vllm=True), "", "")
    for family in text_string_to_metric_families(body.decode()):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        if family.name.startswith("vllm:"):
            labels -= {"model_name", "engine"}
        end = "_total" if family.type == "counter" else ""
        yield family.name + end, family.type, frozenset(labels)


def documented() -> Iterator[tuple[str, str, frozenset[str]]]:
    row = re.compile(r"^\| `([^`]+)` \| (counter|gauge|histogram) \| (.*?)\s*\| .+ \|$", re.M)
    for name, kind, labels in row.findall(DOCUMENT.read_text()):
        yield name, kind, frozenset(re.findall(r"`(\w+)`", labels))


def test_the_document_lists_each_metric() -> None:
    assert len(list(documented())) == len(set(documented()))
    assert set(documented()) == set(exposed())
