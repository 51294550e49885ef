"""The worker processes in ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import Metric

from llmsim.telemetry.families import counter, gauge
from llmsim.telemetry.snapshot import WorkerSnapshot

# A worker that has not written its gauges for so many seconds does not answer either.
SILENT = 5.0
GAUGES = (
    ("resident_memory_bytes", "Resident memory.", "rss"),
    ("event_loop_lag_seconds", "How late the last timer of the event loop was.", "lag"),
    ("open_connections", "Connections.", "connections"),
)


def families(
    workers: Sequence[WorkerSnapshot], deaths: Sequence[int], second: float
) -> Iterator[Metric]:
    """The families of ``workers``. ``deaths`` are those of each slot, ``second`` is now on the
    monotonic clock."""
    label = ("worker",)
    up: dict[tuple[str, ...], float] = {
        (str(worker.slot),): worker.beat is not None and second - worker.beat < SILENT
        for worker in workers
    }
    yield gauge(
        "llmsim_worker_up",
        "1 if a worker has written its gauges within the last seconds, else 0.",
        label,
        up,
    )
    yield counter(
        "llmsim_worker_restarts",
        "Workers that died and were replaced.",
        label,
        {(str(slot),): died for slot, died in enumerate(deaths)},
    )
    yield counter(
        "llmsim_worker_cpu_seconds",
        "Processor time of a worker and those before it.",
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
