"""``GET /metrics``: the boards, rendered off the event loop."""

from __future__ import annotations

import time
from asyncio import to_thread
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.config import Config
from llmsim.state.shared_state import SharedState
from llmsim.telemetry.prometheus import OPENMETRICS, MetricsReading, render

EXAMPLES = 64


def route(shared: SharedState, config: Config) -> Route:
    """The path and what it tells."""

    async def show_metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        encodings = request.headers.get("accept-encoding", "")
        # The limits are kept from other processes by locks, not from other threads.
        limits = shared.limits()
        body, head = await to_thread(exposition, shared, config, limits, accept, encodings)
        return Response(body, headers=head)

    return Route("/metrics", show_metrics)


def exposition(
    shared: SharedState,
    config: Config,
    limits: Sequence[Mapping[str, Any]] = (),
    accept: str = "",
    encodings: str = "",
) -> tuple[bytes, dict[str, str]]:
    """What is told at this moment, and the head of the response. Only OpenMetrics has room for
    examples."""
    reading = MetricsReading(
        shared.snapshot(),
        shared.workers(),
        config.server.workers,
        shared.segment.started,
        time.monotonic(),
        limits,
        _examples(shared) if OPENMETRICS in accept else (),
    )
    return render(reading, config.metrics, accept, encodings)


def _examples(shared: SharedState) -> list[tuple[float, float, str, float]]:
    """The latest answers that ended well."""
    return [
        (entry.first, entry.end, entry.mark, entry.arrived + entry.end)
        for entry in shared.latest(EXAMPLES)
        if entry.first is not None and entry.end is not None and entry.status < 400
    ]
