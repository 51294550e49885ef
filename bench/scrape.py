"""What a scrape of /metrics costs: 8 workers, 50 models.

python -m bench.scrape
"""

from __future__ import annotations

import statistics
import time

from llmsim.config import Config, Metrics
from llmsim.state.shm import layout
from llmsim.state.shm.labels import Labels
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.prometheus import MetricsReading, render
from llmsim.telemetry.snapshot import Snapshot, WorkerSnapshot

WORKERS = 8
SLOTS = 2 * WORKERS + 2  # as a server of so many workers has
MODELS = 50
STATUSES = (200, 400, 429, 499)
ENDPOINTS = ("/v1/chat/completions", "/v1/messages")
ROUNDS = 60
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def busy() -> list[WorkerCounters]:
    """The boards of a server that has answered every model with every status."""
    labels = Labels()
    all_counters = [
        WorkerCounters(memoryview(bytearray(layout.SIZE)), labels) for _ in range(SLOTS)
    ]
    for slot, counters in enumerate(all_counters[:WORKERS]):
        counters.take_over(1000 + slot)
        counters.sampled(1, 1, 1, 1, 1)
        for number in range(MODELS * len(STATUSES) * len(ENDPOINTS)):
            status = STATUSES[number % len(STATUSES)]
            endpoint = ENDPOINTS[number // len(STATUSES) % len(ENDPOINTS)]
            counters.started()
            row = counters.row(endpoint, f"model-{number % MODELS}", status)
            counters.finished(row, number, (10, 20, 1, 2), True)
            series = counters.series(endpoint, f"model-{number % MODELS}", True)
            counters.timed(series, number / 50, number / 500)
            counters.late(number, 3)
            counters.apart(series, number * 50)
    return all_counters


def milliseconds(
    all_counters: list[WorkerCounters],
    config: Metrics,
    accept: str,
    encodings: str,
    rounds: int = ROUNDS,
) -> list[float]:
    """How long each of some scrapes took."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        workers = [
            WorkerSnapshot.of(slot, counters)
            for slot, counters in enumerate(all_counters)
            if counters.pid
        ]
        reading = MetricsReading(Snapshot(all_counters), workers, WORKERS, 0.0, 1.0)
        render(reading, config, accept, encodings)
        took.append((time.perf_counter() - began) * 1e3)
    return took


def main() -> None:
    """Print the median and the longest of each kind of scrape."""
    all_counters = busy()
    vllm = Config(metrics=Metrics(vllm=True)).metrics
    for name, config, accept, encodings in (
        ("text", Metrics(), "", ""),
        ("text, gzip", Metrics(), "", "gzip"),
        ("OpenMetrics, gzip", Metrics(), OPENMETRICS, "gzip"),
        ("text, vLLM's names too", vllm, "", ""),
    ):
        took = milliseconds(all_counters, config, accept, encodings)
        print(f"{name:24} median {statistics.median(took):6.2f} ms  longest {max(took):6.2f} ms")


if __name__ == "__main__":
    main()
