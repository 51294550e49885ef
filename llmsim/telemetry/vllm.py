"""The same numbers under the names of vLLM's ``/metrics``, for what is built on those.

Names, labels and meanings: vLLM's documentation, "Production Metrics".
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from llmsim.config import Metrics
from llmsim.telemetry.families import BucketBounds, counter, gauge
from llmsim.telemetry.snapshot import Snapshot

ANSWERS = BucketBounds(0.00009, 120.0)
GAPS = BucketBounds(0.00009, 4.0)
LABELS = ("model_name", "engine")
GONE = 499


def families(snapshot: Snapshot, config: Metrics) -> Iterator[Metric]:
    """The families of a server with one engine."""
    key = (config.vllm_model, "0")
    running = min(snapshot.active, config.vllm_capacity)
    for name, meaning, value in (
        ("num_requests_running", "Active requests, up to metrics.vllm_capacity.", float(running)),
        (
            "num_requests_waiting",
            "Active requests beyond metrics.vllm_capacity.",
            float(snapshot.active - running),
        ),
        (
            "kv_cache_usage_perc",
            "Running requests as a share of metrics.vllm_capacity.",
            running / config.vllm_capacity,
        ),
    ):
        yield gauge(f"vllm:{name}", meaning, LABELS, {key: value})
    for name, meaning, count in (
        ("prompt_tokens", "Prompt tokens.", snapshot.total("prompt")),
        ("generation_tokens", "Completion tokens.", snapshot.total("completion")),
        (
            "prefix_cache_queries",
            "Prompt tokens looked up in the prefix cache.",
            snapshot.total("prompt"),
        ),
        ("prefix_cache_hits", "Prompt tokens found in the prefix cache.", snapshot.total("cached")),
        ("num_preemptions", "Preempted requests: always 0.", 0),
    ):
        yield counter(f"vllm:{name}", meaning, LABELS, {key: count})
    yield counter(
        "vllm:request_success",
        "Finished requests, by finish reason.",
        (*LABELS, "finished_reason"),
        {(*key, reason): count for reason, count in _ended(snapshot).items()},
    )
    for name, meaning, bounds, times in (
        ("time_to_first_token", "Time to first token.", ANSWERS, snapshot.ttft),
        ("inter_token_latency", "Time between two chunks of a stream.", GAPS, snapshot.itl),
        ("time_per_output_token", "The same under its older name.", GAPS, snapshot.itl),
        ("e2e_request_latency", "From arrival to end of response.", ANSWERS, snapshot.latency),
        ("request_queue_time", "Time in the queue.", ANSWERS, snapshot.queue),
    ):
        yield bounds.histogram(
            f"vllm:{name}_seconds", meaning, times, labels=dict(zip(LABELS, key, strict=True))
        )


def _ended(snapshot: Snapshot) -> dict[str, int]:
    """Answers that went well, whether they came to their end or to a bound, and those that were
    broken off."""
    answered = gone = 0
    for row in snapshot.rows:
        if row.status == GONE:
            gone += row.columns["count"]
        elif 200 <= row.status < 300:
            answered += row.columns["count"]
    return {"stop": answered, "abort": gone + snapshot.lost}
