"""``GET /llmsim/stats/history``: what the charts show, of the last hour and the last day."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.core.codec import dumps
from llmsim.core.spelling import did_you_mean
from llmsim.server.admin.json_response import error_response
from llmsim.server.admin.requests import single
from llmsim.server.journal.request_filter import moment, whole_number
from llmsim.server.pipeline_state import offload
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.history_ring import STEPS
from llmsim.telemetry.history import COARSE, FINE, history

PARAMETERS: Final = ("since", "until", "step")
USUAL: Final = 300
"""Seconds that are shown where none are asked for."""
LONGEST_STEP: Final = 3600


class HistorySpan(NamedTuple):
    """From when to when, Unix times, and how many seconds from one moment to the next."""

    since: float
    until: float
    step: int


def route(shared: SharedState) -> Route:
    """The one path."""

    async def show(request: Request) -> Response:
        try:
            span = parse(single(request), time.time())
        except ValueError as error:
            return error_response(400, str(error))
        # Before its start there was nothing.
        span = span._replace(since=max(span.since, shared.segment.started))
        body = await offload(_body, shared.segment.history(), span)
        return Response(body, media_type="application/json")

    return Route("/llmsim/stats/history", show)


def _body(memory: memoryview, span: HistorySpan) -> bytes:
    return dumps({"now": round(time.time(), 3), **history(memory, *span)})


def parse(query: Mapping[str, str], now: float) -> HistorySpan:
    """What a query asks for. Raises ValueError, which names the parameter."""
    for name in query:
        if name not in PARAMETERS:
            hint = did_you_mean(name, PARAMETERS)
            raise ValueError(f"{name}: unknown parameter{hint}; valid are {', '.join(PARAMETERS)}")
    until = moment("until", query["until"]) if "until" in query else now
    since = moment("since", query["since"]) if "since" in query else until - USUAL
    until = min(until, now)
    if "step" not in query:
        recent = since >= now - STEPS[FINE] * FINE - COARSE
        return HistorySpan(since, until, FINE if recent else COARSE)
    step = whole_number("step", query["step"], 1, LONGEST_STEP)
    if step > COARSE and step % COARSE:
        raise ValueError(f"step: must be 1 to 15, or a multiple of 15, not {step}")
    return HistorySpan(since, until, step)
