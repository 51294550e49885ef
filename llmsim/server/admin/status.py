"""``/health``, ``/ready``, and the statistics, limits and latest requests under ``/llmsim/``."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim import __version__
from llmsim.server.admin.json_response import error_response, json_response
from llmsim.server.admin.limits import SHOWN
from llmsim.server.pipeline_state import offload
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import JournalEntry
from llmsim.state.shm.layout import WARM
from llmsim.telemetry.snapshot import Snapshot, workers
from llmsim.telemetry.stats import stats

TOKENS = ("prompt", "completion", "reasoning", "cached")
MAX_LIMIT = 1000
MAX_OFFSET = 10**9


def probes(shared: SharedState, expected: int) -> list[Route]:
    """``/health``: the process lives. ``/ready``: as many workers as expected are warm, or 503."""

    async def health(request: Request) -> Response:
        return json_response({"status": "ok", "version": __version__})

    async def ready(request: Request) -> Response:
        living = [one for one in shared.all_counters if one.pid]
        warm = sum(one.cells[WARM] for one in living)
        if warm < max(expected, len(living)):
            return json_response({"status": "warming up", "workers": len(living)}, 503)
        return json_response({"status": "ready", "workers": len(living)})

    return [Route("/health", health), Route("/ready", ready)]


def routes(shared: SharedState) -> list[Route]:
    """What is under ``/llmsim/``."""

    async def show_stats(request: Request) -> Response:
        return json_response(stats_document(shared, Snapshot(shared.all_counters)))

    async def show_limits(request: Request) -> Response:
        try:
            first = _number(request, "offset", 0, MAX_OFFSET, 0)
            most = _number(request, "limit", 1, MAX_LIMIT, MAX_LIMIT)
        except ValueError as error:
            return error_response(400, str(error))
        limits = []
        for begin in range(first, first + most, SHOWN):
            limits += shared.limits(begin, min(SHOWN, first + most - begin))
            await asyncio.sleep(0)
        accounts = shared.buckets.table.used
        following = first + most if first + most < accounts else None
        return json_response({"limits": limits, "accounts": accounts, "next_offset": following})

    async def show_requests(request: Request) -> Response:
        try:
            limit = _number(request, "limit", 1, MAX_LIMIT, 20)
        except ValueError as error:
            return error_response(400, str(error))
        return await offload(_latest, shared, limit)

    async def show_request(request: Request) -> Response:
        name = request.path_params["id"]
        entry = shared.entry(name)
        if entry is None:
            return error_response(404, f"id: no request has the id {name!r}, or it is too long ago")
        return json_response(request_object(entry) | {"request": _body(entry.body)})

    return [
        Route("/llmsim/stats", show_stats),
        Route("/llmsim/limits", show_limits),
        Route("/llmsim/requests", show_requests),
        Route("/llmsim/requests/{id}", show_request),
    ]


def _latest(shared: SharedState, limit: int) -> Response:
    entries = shared.latest(limit, contents=False)
    return json_response({"requests": [request_object(entry) for entry in entries]})


def stats_document(shared: SharedState, snapshot: Snapshot) -> dict[str, Any]:
    """What ``/llmsim/stats`` answers at this moment."""
    uptime = time.time() - shared.segment.started
    limits = shared.limits(0, SHOWN)
    now = time.monotonic()
    replicas = list(shared.step_clocks.statuses(now))
    return stats(snapshot, workers(shared.all_counters), uptime, now, limits, replicas)


def _number(request: Request, name: str, low: int, high: int, default: int) -> int:
    """A whole number in the query. Raises ValueError for anything else."""
    text = request.query_params.get(name, str(default))
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not digits or not low <= int(text) <= high:
        raise ValueError(f"{name}: must be a whole number from {low} to {high}, not {text!r}")
    return int(text)


def request_object(entry: JournalEntry) -> dict[str, Any]:
    """A request of the journal; times in milliseconds after arrival, null until known."""
    return {
        "id": entry.mark,
        "endpoint": entry.endpoint,
        "model": entry.model,
        "status": entry.status or None,
        "seed": entry.seed,
        "arrived": entry.arrived,
        "planned": {"ttft_ms": _ms(entry.planned_ttft), "total_ms": _ms(entry.planned_total)},
        "actual": {"first_ms": _ms(entry.first), "total_ms": _ms(entry.end)},
        "arrival_lag_ms": _ms(entry.arrival_lag),
        "lateness_max_ms": _ms(entry.lateness),
        "output_lag_max_ms": _ms(entry.output_lag),
        "delivery_lateness_max_ms": _ms(entry.delivery_lateness),
        "frames": {"planned": entry.frames, "sent": entry.sent},
        "stream": entry.streamed,
        "tokens": dict(zip(TOKENS, entry.tokens, strict=True)),
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e3, 3)


def _body(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
