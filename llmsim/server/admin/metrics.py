"""``GET /metrics``: the counters of all workers, rendered off the event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.config import Config
from llmsim.server.admin.limits import SHOWN
from llmsim.server.pipeline_state import offload
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import JournalEntry
from llmsim.state.shm.segment import Cursor
from llmsim.telemetry import vllm
from llmsim.telemetry.prometheus import (
    OPENMETRICS,
    AnswerTimes,
    MetricsReading,
    render,
    series_labels,
)
from llmsim.telemetry.recording import recording_state
from llmsim.telemetry.snapshot import Snapshot, workers

EXEMPLARS = 64
"""Latest requests that are looked through for exemplars."""


def route(shared: SharedState, config: Callable[[], Config]) -> Route:
    """The one path. ``config`` gives the configuration in effect."""

    async def show_metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        encodings = request.headers.get("accept-encoding", "")
        # Locks protect the limits from other processes, not from other threads: read them here.
        limits = shared.limits(0, SHOWN)
        body, headers = await offload(exposition, shared, config(), limits, accept, encodings)
        return Response(body, headers=headers)

    return Route("/metrics", show_metrics)


def exposition(
    shared: SharedState,
    config: Config,
    limits: Sequence[Mapping[str, Any]] = (),
    accept: str = "",
    encodings: str = "",
) -> tuple[bytes, dict[str, str]]:
    """Body and headers at this moment. Only OpenMetrics has room for exemplars."""
    snapshot = Snapshot(shared.all_counters)
    reading = MetricsReading(
        snapshot,
        workers(shared.all_counters),
        config.server.workers,
        shared.segment.started,
        time.monotonic(),
        limits,
        _exemplars(shared) if OPENMETRICS in accept else (),
        shared.segment.reached(Cursor.HUNG),
        shared.key_tables,
        list(shared.step_clocks.statuses(time.monotonic())),
        recording_state(shared.all_counters),
        config.telemetry.otlp.url is not None,
        vllm.adapters(snapshot, config.models) if config.metrics.vllm else vllm.NO_ADAPTERS,
    )
    return render(reading, config.metrics, accept, encodings)


def _exemplars(shared: SharedState) -> list[AnswerTimes]:
    """The latest successful requests."""
    return [
        AnswerTimes(
            entry.mark,
            series_labels(entry.endpoint, entry.model, entry.streamed),
            _ttft(entry),
            entry.end,
            entry.arrived + entry.end,
        )
        for entry in shared.latest(EXEMPLARS)
        if entry.end is not None and entry.status < 400
    ]


def _ttft(entry: JournalEntry) -> float:
    """The time to first token as it is counted; negative if there was none."""
    if entry.streamed:
        return -1.0 if entry.first is None else entry.first
    return entry.planned_ttft + (entry.lateness or 0.0)
