"""The worker processes in ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import Metric

from llmsim.telemetry.families import counter, gauge, one
from llmsim.telemetry.snapshot import WorkerSnapshot

# A worker that has not written its gauges for so many seconds does not answer either.
SILENT = 5.0
GAUGES = (
    ("resident_memory_bytes", "Resident memory of a worker.", "rss"),
    ("event_loop_lag_seconds", "How late the event loop ran its last timer.", "lag"),
    ("open_connections", "Open connections of a worker.", "connections"),
)


def families(
    workers: Sequence[WorkerSnapshot], deaths: Sequence[int], hung: int, second: float
) -> Iterator[Metric]:
    """The families of ``workers``. ``deaths`` are those of each slot, ``hung`` how many of them
    were killed as they hung, ``second`` is now on the monotonic clock."""
    label = ("worker",)
    up: dict[tuple[str, ...], float] = {
        (str(worker.slot),): worker.beat is not None and second - worker.beat < SILENT
        for worker in workers
    }
    yield gauge(
        "llmsim_worker_up",
        "1 if the worker has reported its state within the last 5 seconds, else 0.",
        label,
        up,
    )
    yield counter(
        "llmsim_worker_restarts",
        "Times a worker died and was replaced.",
        label,
        {(str(slot),): died for slot, died in enumerate(deaths)},
    )
    yield counter(
        "llmsim_workers_hung",
        "Workers killed because they had not reported for server.hang_timeout_ms.",
        (),
        one(hung),
    )
    yield counter(
        "llmsim_worker_cpu_seconds",
        "Processor time used by a worker and those it replaced.",
        label,
        {(str(worker.slot),): worker.cpu_slot for worker in workers},
    )
    for name, meaning, attribute in GAUGES:
        values: dict[tuple[str, ...], float] = {}
        for worker in workers:
            value = getattr(worker, attribute)
            if value is not None:
                values[(str(worker.slot),)] = value
        yield gauge(f"llmsim_worker_{name}", meaning, label, values)
