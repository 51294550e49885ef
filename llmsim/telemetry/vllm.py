"""The same numbers under the names of vLLM's ``/metrics``, for what is built on those.

Names, labels and meanings: vLLM's documentation, "Production Metrics".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import time

from prometheus_client.metrics_core import Metric

from llmsim.config import Metrics, Models
from llmsim.core.catalog.servers import ADAPTER
from llmsim.state.shm.step_clocks import ClockStatus
from llmsim.telemetry.families import BucketBounds, counter, gauge
from llmsim.telemetry.snapshot import Snapshot

ANSWERS = BucketBounds(0.00009, 120.0)
GAPS = BucketBounds(0.00009, 4.0)
LABELS = ("model_name", "engine")
GONE = 499

CACHE_CONFIG = {
    "block_size": "16",
    "cache_dtype": "auto",
    "calculate_kv_scales": "False",
    "cpu_offload_gb": "0",
    "enable_prefix_caching": "True",
    "engine": "0",
    "gpu_memory_utilization": "0.9",
    "is_attention_free": "False",
    "num_cpu_blocks": "None",
    "num_gpu_blocks": "65536",
    "num_gpu_blocks_override": "None",
    "prefix_caching_hash_algo": "sha256",
    "sliding_window": "None",
    "swap_space": "4",
    "swap_space_bytes": "4294967296",
}
"""What a server with a cache of a million tokens says; nothing here is simulated by blocks."""

LORA = ("max_lora", "running_lora_adapters", "waiting_lora_adapters")


@dataclass(frozen=True, slots=True)
class Adapters:
    """LoRA adapters by their names: those that requests ``used``, and all that are ``known``."""

    used: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


NO_ADAPTERS = Adapters()


def adapters(snapshot: Snapshot, models: Models) -> Adapters:
    """The adapters (``base:adapter``) of models that vLLM serves, as they are configured and as
    requests named them."""
    used = {name for row in snapshot.rows if (name := _adapter(row.model, models))}
    listed = {name for model in models.available or () if (name := _adapter(model, models))}
    return Adapters(tuple(sorted(used)), tuple(sorted(used | listed)))


def _adapter(model: str, models: Models) -> str:
    """The name of the adapter that a model is; empty for any other."""
    return model.partition(ADAPTER)[2] if models.server(model) == "vllm" else ""


def families(
    snapshot: Snapshot,
    config: Metrics,
    replicas: Sequence[ClockStatus] = (),
    lora: Adapters = NO_ADAPTERS,
) -> Iterator[Metric]:
    """The families of a server with one engine."""
    key = (config.vllm_model, "0")
    running, waiting, capacity = _occupation(snapshot, config, replicas)
    for name, meaning, value in (
        ("num_requests_running", "Requests that are being answered.", float(running)),
        ("num_requests_waiting", "Requests that wait for that.", float(waiting)),
        (
            "kv_cache_usage_perc",
            "Running requests as a share of those that can.",
            running / capacity,
        ),
    ):
        yield gauge(f"vllm:{name}", meaning, LABELS, {key: value})
    yield from _tokens(snapshot, key)
    yield gauge(
        "vllm:cache_config_info",
        "The configuration of the cache.",
        tuple(CACHE_CONFIG),
        {tuple(CACHE_CONFIG.values()): 1.0},
    )
    yield gauge(
        "vllm:lora_requests_info",
        "Adapters that requests used; their models are served as any other.",
        LORA,
        {(str(len(lora.known)), ",".join(lora.used), ""): time()},
    )
    yield counter(
        "vllm:request_success",
        "Finished requests, by finish reason.",
        (*LABELS, "finished_reason"),
        {(*key, reason): count for reason, count in _ended(snapshot).items()},
    )
    yield from _times(snapshot, key)


def _tokens(snapshot: Snapshot, key: tuple[str, str]) -> Iterator[Metric]:
    """The counters of tokens, and of requests put off for others."""
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


def _times(snapshot: Snapshot, key: tuple[str, str]) -> Iterator[Metric]:
    """The histograms."""
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


def _occupation(
    snapshot: Snapshot, config: Metrics, replicas: Sequence[ClockStatus]
) -> tuple[int, int, int]:
    """Requests that run, that wait, and how many can run: what replicas know where models are
    under load, else active requests up to ``metrics.vllm_capacity`` and beyond."""
    if replicas:
        running, waiting, capacity = (
            sum(values)
            for values in zip(
                *((one.running, one.waiting, one.capacity) for one in replicas), strict=True
            )
        )
        return running, waiting, capacity
    running = min(snapshot.active, config.vllm_capacity)
    return running, snapshot.active - running, config.vllm_capacity


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
