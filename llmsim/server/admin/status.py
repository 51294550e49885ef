"""``/health``, ``/ready``, and the statistics and limits under ``/llmsim/``."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim import __version__
from llmsim.runtime.scopes import Scopes
from llmsim.server.admin.json_response import error_response, json_response
from llmsim.server.admin.limits import SHOWN, describe_limits
from llmsim.server.admin.scope_routes import scope_in
from llmsim.server.journal.request_filter import MAX_LIMIT, whole_number
from llmsim.server.journal.scope_stats import scope_stats
from llmsim.server.pipeline_state import offload
from llmsim.state.scoped import limits_prefix_of
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.layout import WARM
from llmsim.telemetry.recent import LastMinute
from llmsim.telemetry.recording import recording_state
from llmsim.telemetry.snapshot import Snapshot, workers
from llmsim.telemetry.stats import stats

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


def routes(
    shared: SharedState, scopes: Scopes | None = None, last_minute: LastMinute | None = None
) -> list[Route]:
    """What is under ``/llmsim/``."""

    async def show_stats(request: Request) -> Response:
        scope = await scope_in(request, scopes)
        if scope is not None:
            return json_response(await offload(scope_stats, shared, scope.record))
        return json_response(stats_document(shared, Snapshot(shared.all_counters), last_minute))

    async def show_limits(request: Request) -> Response:
        try:
            first = _number(request, "offset", 0, MAX_OFFSET, 0)
            most = _number(request, "limit", 1, MAX_LIMIT, MAX_LIMIT)
        except ValueError as error:
            return error_response(400, str(error))
        describe = shared.limits
        scope = await scope_in(request, scopes)
        if scope is not None:
            config, prefix = scope.runtime.config, limits_prefix_of(scope.record)
            describe = partial(describe_limits, config, shared, scope=prefix)
        limits = []
        for begin in range(first, first + most, SHOWN):
            limits += describe(begin, min(SHOWN, first + most - begin))
            await asyncio.sleep(0)
        accounts = shared.buckets.table.used
        following = first + most if first + most < accounts else None
        return json_response({"limits": limits, "accounts": accounts, "next_offset": following})

    return [
        Route("/llmsim/stats", show_stats),
        Route("/llmsim/limits", show_limits),
    ]


def stats_document(
    shared: SharedState, snapshot: Snapshot, last_minute: LastMinute | None = None
) -> dict[str, Any]:
    """What ``/llmsim/stats`` answers at this moment."""
    uptime = time.time() - shared.segment.started
    limits = shared.limits(0, SHOWN)
    now = time.monotonic()
    replicas = list(shared.step_clocks.statuses(now))
    document = stats(
        snapshot,
        workers(shared.all_counters),
        uptime,
        now,
        limits,
        replicas,
        recording_state(shared.all_counters),
    )
    document["last_minute"] = None if last_minute is None else last_minute.times(snapshot)
    return document


def _number(request: Request, name: str, low: int, high: int, default: int) -> int:
    """A whole number in the query. Raises ValueError for anything else."""
    return whole_number(name, request.query_params.get(name, str(default)), low, high)
