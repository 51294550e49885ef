"""``/llmsim/requests``: what was asked, what came of it, and why."""

from __future__ import annotations

import re
from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.runtime.scopes import Scopes
from llmsim.server.admin.json_response import error_response, json_response
from llmsim.server.admin.scope_routes import scope_in, scope_of
from llmsim.server.journal.request_filter import RequestFilter, of_scope, parse
from llmsim.server.journal.request_object import request_object, whole_request_object
from llmsim.server.pipeline_state import offload
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import JournalEntry, number_of

DISORDER = 130.0
"""Seconds by which a request may have arrived later than one with a higher number: its body took
so long."""
_CURSOR = re.compile(r"(?:[0-9a-f]{1,3}-[0-9a-f]{1,10})(?:\.[0-9a-f]{1,3}-[0-9a-f]{1,10})*")


def routes(shared: SharedState, scopes: Scopes | None = None) -> list[Route]:
    """Listing, one request, and forgetting all; in a scope, those that are in it."""

    async def show_requests(request: Request) -> Response:
        try:
            wanted = parse(single(request))
            before = _position(wanted.cursor)
        except ValueError as error:
            return error_response(400, str(error))
        scope = await scope_in(request, scopes)
        if scope is not None:
            quick = (*wanted.quick, of_scope(scope.record.label))
            wanted = replace(wanted, quick=quick)
        return json_response(await offload(page, shared, wanted, before))

    async def show_request(request: Request) -> Response:
        name = request.path_params["id"]
        entry = shared.shown(name)
        scope = await scope_in(request, scopes)
        if entry is None or (scope is not None and entry.scope != scope.record.label):
            return error_response(404, f"id: no request has the id {name!r}, or it is too long ago")
        return json_response(whole_request_object(entry))

    async def forget(request: Request) -> Response:
        name = scope_of(request)
        if name is None or scopes is None:
            shared.clear_journal()
        else:
            await to_thread(scopes.store.change, name, lambda record: record.reset(("journal",)))
        return json_response({"status": "cleared"})

    return [
        Route("/llmsim/requests", show_requests),
        Route("/llmsim/requests", forget, methods=["DELETE"]),
        Route("/llmsim/requests/{id}", show_request),
    ]


def page(shared: SharedState, wanted: RequestFilter, before: Mapping[int, int]) -> dict[str, Any]:
    """The newest requests that are meant, and where the next page begins; ``next_cursor`` is null
    if there is none."""
    found: list[dict[str, Any]] = []
    position = dict(before)
    thorough = bool(wanted.contents or wanted.thorough)
    document = whole_request_object if wanted.contents else request_object
    entries = shared.newest(thorough, before)
    for entry in entries:
        if entry.arrived < wanted.since - DISORDER:
            break
        if wanted.wants(entry) and (not wanted.thorough or wanted.finds(entry)):
            if len(found) == wanted.limit:
                return {"requests": found, "next_cursor": _cursor(position)}
            found.append(document(entry))
        position[_slot(entry)] = number_of(entry.mark)
    return {"requests": found, "next_cursor": None}


def single(request: Request) -> dict[str, str]:
    """The query. Raises ValueError for a parameter that is in it twice."""
    pairs = request.query_params.multi_items()
    query = dict(pairs)
    for name in query:
        if sum(one == name for one, _ in pairs) > 1:
            raise ValueError(f"{name}: set twice")
    return query


def _slot(entry: JournalEntry) -> int:
    return int(entry.mark[:3], 16)


def _cursor(position: Mapping[int, int]) -> str:
    return ".".join(f"{slot:x}-{number:x}" for slot, number in position.items())


def _position(cursor: str) -> dict[int, int]:
    """Below which number of each slot a page begins."""
    if not cursor:
        return {}
    if not _CURSOR.fullmatch(cursor):
        raise ValueError(f"cursor: must be a next_cursor of an earlier page, not {cursor!r}")
    pairs = (part.split("-") for part in cursor.split("."))
    return {int(slot, 16): int(number, 16) for slot, number in pairs}
