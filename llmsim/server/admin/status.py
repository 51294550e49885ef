"""What llmsim tells about itself: health, statistics, what was asked and how it went."""

from __future__ import annotations

import time
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim import __version__
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import JournalEntry
from llmsim.telemetry.snapshot import Snapshot
from llmsim.telemetry.stats import stats

MOST_LISTED = 1000


def routes(shared: SharedState) -> list[Route]:
    """``/health``, ``/ready`` and everything under ``/llmsim/``."""

    async def health(request: Request) -> Response:
        return json_response({"status": "ok", "version": __version__})

    async def ready(request: Request) -> Response:
        return json_response({"status": "ready", "workers": len(shared.workers())})

    async def show_stats(request: Request) -> Response:
        return json_response(stats_document(shared, shared.snapshot()))

    async def show_limits(request: Request) -> Response:
        return json_response({"limits": shared.limits()})

    async def show_requests(request: Request) -> Response:
        given = request.query_params.get("limit", "20")
        if not given.isascii() or not given.isdigit() or not 0 < int(given) <= MOST_LISTED:
            return error_response(400, f"limit: must be a whole number from 1 to {MOST_LISTED}")
        return json_response({"requests": [describe(entry) for entry in shared.latest(int(given))]})

    async def show_request(request: Request) -> Response:
        name = request.path_params["id"]
        entry = shared.entry(name)
        if entry is None:
            return error_response(404, f"no request {name!r} is remembered")
        return json_response(describe(entry) | {"request": _body(entry.body)})

    return [
        Route("/health", health),
        Route("/ready", ready),
        Route("/llmsim/stats", show_stats),
        Route("/llmsim/limits", show_limits),
        Route("/llmsim/requests", show_requests),
        Route("/llmsim/requests/{id}", show_request),
    ]


def stats_document(shared: SharedState, snapshot: Snapshot) -> dict[str, Any]:
    """What ``/llmsim/stats`` tells at this moment."""
    uptime = time.time() - shared.segment.started
    return stats(snapshot, shared.workers(), uptime, time.monotonic(), shared.limits())


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(value), status, media_type="application/json")


def error_response(status: int, message: str) -> Response:
    """An error of llmsim's own endpoints."""
    return json_response({"error": {"message": message}}, status)


def describe(entry: JournalEntry) -> dict[str, Any]:
    """A remembered request; times in milliseconds after arrival, null until known."""
    return {
        "id": entry.mark,
        "endpoint": entry.endpoint,
        "model": entry.model,
        "status": entry.status or None,
        "seed": entry.seed,
        "arrived": entry.arrived,
        "planned": {"ttft_ms": _ms(entry.planned_ttft), "total_ms": _ms(entry.planned_total)},
        "actual": {"first_ms": _ms(entry.first), "total_ms": _ms(entry.end)},
        "lateness_max_ms": _ms(entry.lateness),
        "frames": {"planned": entry.frames, "sent": entry.sent},
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e3, 3)


def _body(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
