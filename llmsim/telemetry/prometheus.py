"""``/metrics``: what was counted, as Prometheus and OpenMetrics write it."""

from __future__ import annotations

import gzip
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prometheus_client.core import CollectorRegistry, InfoMetricFamily
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from llmsim import __version__
from llmsim.config import Metrics
from llmsim.providers import registry
from llmsim.state.shm.key_table import KeyTable
from llmsim.state.shm.labels import OTHER
from llmsim.state.shm.step_clocks import ClockStatus
from llmsim.telemetry import build, recording, replicas, vllm, workers
from llmsim.telemetry.families import BucketBounds, counter, gauge, one
from llmsim.telemetry.snapshot import Snapshot, WorkerSnapshot
from llmsim.telemetry.vllm import NO_ADAPTERS, Adapters

ANSWERS = BucketBounds(0.00009, 120.0)
GAPS = BucketBounds(0.00009, 4.0)
LATE = BucketBounds(0.00006, 60.0)
SERIES = ("endpoint", "model", "stream")
OPENMETRICS = "application/openmetrics-text"
# No name here needs escaping. The library's own, where it is asked for, spoils the colon in vLLM's.
UNESCAPED = f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8"
TOKENS = ("prompt", "completion", "cached", "reasoning")
MOST_LIMITS = 200


class AnswerTimes(NamedTuple):
    """An answer by its request's id: the labels of its series, its TTFT (negative where there was
    no token) and duration in seconds, and when it ended (Unix time)."""

    request: str
    labels: tuple[str, str, str]
    first: float
    end: float
    at: float


@dataclass(frozen=True, slots=True)
class MetricsReading:
    """All that is exposed, read at one moment: ``second`` on the monotonic clock.

    ``started`` is the Unix time of the launch, ``expected`` how many workers there should be.
    ``limits`` are the buckets of the rate limits, ``examples`` the latest answers. ``hung``
    is how many workers were killed as they hung. ``tables`` are those that ``server.max_keys``
    bounds, ``replicas`` those of models under load, ``recording`` how that
    goes. ``spans`` says whether there are any. ``adapters`` are those of vLLM's models.
    """

    snapshot: Snapshot
    workers: Sequence[WorkerSnapshot]
    expected: int
    started: float
    second: float
    limits: Sequence[Mapping[str, Any]] = ()
    examples: Sequence[AnswerTimes] = ()
    hung: int = 0
    tables: Mapping[str, KeyTable] = field(default_factory=dict)
    replicas: Sequence[ClockStatus] = ()
    recording: dict[str, Any] | None = None
    spans: bool = False
    adapters: Adapters = NO_ADAPTERS


def render(
    reading: MetricsReading, config: Metrics, accept: str, encodings: str
) -> tuple[bytes, dict[str, str]]:
    """The document and its headers; the format is the one that the headers ``accept`` and
    ``accept-encoding`` ask for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Exposition(reading, config))
    encode, media_type = choose_encoder(accept)
    if media_type.startswith(OPENMETRICS):
        encode, _ = choose_encoder(UNESCAPED)
    document = _inserted(encode(registry), "".join(_times(reading)).encode())
    headers = {"content-type": media_type, "vary": "accept, accept-encoding"}
    if gzip_accepted(encodings):
        headers["content-encoding"] = "gzip"
        document = gzip.compress(document, compresslevel=1)
    return document, headers


END = b"# EOF\n"
"""What OpenMetrics ends with."""


def _inserted(document: bytes, families: bytes) -> bytes:
    """The document with more families at its end."""
    if document.endswith(END):
        return document.removesuffix(END) + families + END
    return document + families


class Exposition(Collector):
    """The families of one reading, but for those that have many series."""

    def __init__(self, reading: MetricsReading, config: Metrics) -> None:
        self._reading = reading
        self._config = config

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering it should not read everything."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        reading = self._reading
        snapshot = reading.snapshot
        yield from _server(reading)
        yield from _requests(snapshot)
        yield from _waits(snapshot)
        yield from _errors(snapshot)
        yield from _limits(reading.limits)
        yield from _keys(reading.tables)
        yield from workers.families(reading.workers, snapshot.deaths, reading.hung, reading.second)
        yield from replicas.families(reading.replicas)
        yield from recording.families(reading.recording)
        if reading.spans:
            yield from _spans(snapshot)
        if self._config.vllm:
            yield from vllm.families(snapshot, self._config, reading.replicas, reading.adapters)


def provider_of(endpoint: str) -> str:
    """The provider whose API an endpoint is part of."""
    return OTHER if endpoint == OTHER else registry.of_path(endpoint).name


def series_labels(endpoint: str, model: str, streamed: bool) -> tuple[str, str, str]:
    """The values of :data:`SERIES`."""
    return endpoint, model, "true" if streamed else "false"


def _server(reading: MetricsReading) -> Iterator[Metric]:
    about = {
        "version": __version__,
        "python": platform.python_version(),
        "build": build.kind(),
    }
    yield InfoMetricFamily(
        "llmsim_build", "The versions of llmsim and of Python, and whether it is compiled.", about
    )
    yield gauge(
        "llmsim_start_time_seconds", "Unix time of the server's start.", (), one(reading.started)
    )
    yield gauge("llmsim_workers", "Configured worker processes.", (), one(reading.expected))
    yield counter(
        "llmsim_log_lines_dropped",
        "Access log lines dropped because too many were waiting to be written.",
        (),
        one(reading.snapshot.dropped),
    )
    yield counter(
        "llmsim_answers_too_large",
        "Requests refused because their answer would exceed server.max_answer_bytes.",
        (),
        one(reading.snapshot.too_large),
    )
    yield counter(
        "llmsim_clients_dropped",
        "Clients disconnected or refused because a bound of the server was reached.",
        ("bound",),
        {(bound,): count for bound, count in reading.snapshot.dropped_clients.items()},
    )


def _requests(snapshot: Snapshot) -> Iterator[Metric]:
    finished: Counter[tuple[str, ...]] = Counter()
    tokens: Counter[tuple[str, ...]] = Counter()
    for row in snapshot.rows:
        columns = row.columns
        finished[provider_of(row.endpoint), row.endpoint, row.model, str(row.status)] += columns[
            "count"
        ]
        for kind in TOKENS:
            tokens[kind, row.model] += columns[kind]
    yield counter(
        "llmsim_requests",
        "Requests answered, or abandoned by their client (status 499).",
        ("dialect", "endpoint", "model", "status"),
        finished,
    )
    yield counter(
        "llmsim_requests_lost",
        "Requests lost because their worker died.",
        (),
        one(snapshot.lost),
    )
    yield gauge(
        "llmsim_active_requests",
        "Requests that have arrived and are not yet fully answered.",
        (),
        one(snapshot.active),
    )
    yield counter("llmsim_streams", "Streams started.", (), one(snapshot.streams_opened))
    yield gauge("llmsim_open_streams", "Streams being sent.", (), one(snapshot.streams_open))
    yield counter(
        "llmsim_frames", "Frames sent; a response not streamed is one.", (), one(snapshot.frames)
    )
    yield counter(
        "llmsim_tokens",
        "Tokens of answered requests; prompt includes cached, completion includes reasoning.",
        ("kind", "model"),
        tokens,
    )


def _times(reading: MetricsReading) -> Iterator[str]:
    """The families of times by :data:`SERIES`, as text."""
    examples = reading.examples
    series = [
        (series_labels(one.endpoint, one.model, one.streamed), one)
        for one in reading.snapshot.series
    ]
    yield ANSWERS.text(
        "llmsim_request_duration_seconds",
        "Time from the arrival of a request to the end of its response.",
        SERIES,
        {key: one.latency for key, one in series},
        ((one.labels, one.end, one.request, one.at) for one in examples),
    )
    yield ANSWERS.text(
        "llmsim_time_to_first_token_seconds",
        "Time from the arrival of a request to its first token, whether or not it was streamed.",
        SERIES,
        {key: one.ttft for key, one in series},
        ((one.labels, one.first, one.request, one.at) for one in examples if one.first >= 0),
    )
    yield GAPS.text(
        "llmsim_inter_token_latency_seconds",
        "Time between two chunks of tokens of a stream, as they were sent.",
        SERIES,
        {key: one.itl for key, one in series if one.streamed},
    )


def _waits(snapshot: Snapshot) -> Iterator[Metric]:
    yield LATE.histogram(
        "llmsim_frame_lateness_seconds",
        "How long after its due time a frame was sent.",
        snapshot.lateness,
    )
    yield LATE.histogram(
        "llmsim_arrival_lag_seconds",
        "Time from the arrival of a request to when its handler had it whole.",
        snapshot.arrival_lag,
    )
    yield LATE.histogram(
        "llmsim_output_lag_seconds",
        "Time from sending a frame to when the kernel had it, of some frames.",
        snapshot.output_lag,
    )
    yield LATE.histogram(
        "llmsim_delivery_lateness_seconds",
        "Time from when a frame was due to when the kernel had it, of some frames.",
        snapshot.delivery_lateness,
    )
    yield LATE.histogram(
        "llmsim_event_loop_lag_seconds",
        "How long after its time a tick of the event loop began.",
        snapshot.loop_lag,
    )
    yield ANSWERS.histogram(
        "llmsim_queue_seconds", "How long requests waited for a concurrency slot.", snapshot.queue
    )


def _errors(snapshot: Snapshot) -> Iterator[Metric]:
    counts: dict[tuple[str, ...], float] = {}
    for kind, errors in snapshot.errors.items():
        counts[kind.value, "false"] = errors.real
        counts[kind.value, "true"] = errors.injected
    yield counter(
        "llmsim_errors",
        "Error responses and streams cut by an error; injected errors are those configured.",
        ("kind", "injected"),
        counts,
    )
    yield counter(
        "llmsim_rate_limited",
        "Requests refused by a rate limit; injected errors are not counted.",
        (),
        one(snapshot.limited),
    )


def _spans(snapshot: Snapshot) -> Iterator[Metric]:
    yield counter(
        "llmsim_spans", "Spans of requests that the collector took.", (), one(snapshot.spans)
    )
    yield counter(
        "llmsim_spans_dropped",
        "Requests without a span: the collector took none, or there were too many.",
        (),
        one(snapshot.spans_dropped),
    )


def _limits(limits: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    labels = ("rule", "key", "model", "what")
    shown = {tuple(str(one[name]) for name in labels): one for one in limits[:MOST_LIMITS]}
    yield gauge(
        "llmsim_rate_limit",
        "Capacity of a rate limit, in requests or tokens.",
        labels,
        {key: one["limit"] for key, one in shown.items()},
    )
    yield gauge(
        "llmsim_rate_limit_remaining",
        "What is left of a rate limit, in requests or tokens.",
        labels,
        {key: one["remaining"] for key, one in shown.items()},
    )


def _keys(tables: Mapping[str, KeyTable]) -> Iterator[Metric]:
    label = ("table",)
    yield gauge(
        "llmsim_keys",
        "Callers of rate limits (rate_limits) and named counters (counters) that are remembered.",
        label,
        {(name,): table.used for name, table in tables.items()},
    )
    yield gauge(
        "llmsim_max_keys",
        "How many of each are exact (server.max_keys).",
        label,
        {(name,): table.shape.keys for name, table in tables.items()},
    )
    yield counter(
        "llmsim_keys_forgotten",
        "Those of which something was forgotten because there were more.",
        label,
        {(name,): table.forgotten for name, table in tables.items()},
    )
