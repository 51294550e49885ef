"""The web dashboard: a page at ``/llmsim/``, its assets, and the events it shows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from llmsim.core import Headers
from llmsim.providers.wire import sse
from llmsim.server.admin.json_response import error_response
from llmsim.server.admin.status import stats_document
from llmsim.server.broadcast import Broadcast
from llmsim.server.router import Router
from llmsim.server.services import Services
from llmsim.state.shm.segment import Cursor
from llmsim.telemetry.recent import Recent
from llmsim.telemetry.snapshot import Snapshot
from llmsim.transport.port import Port

PAGE = "index.html"
EVENTS = "/llmsim/events"

TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}

# The page may load from and talk to this server, nothing else: text of a request that got into the
# page as markup could still do no harm.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

STREAMING: Headers = [
    ("content-type", sse.CONTENT_TYPE),
    ("cache-control", "no-store"),
    ("x-accel-buffering", "no"),  # nginx would hold the events back
]
GREETING = b"retry: 1000\n"


class Asset(NamedTuple):
    """A file of the page with its entity tag."""

    content: bytes
    content_type: str
    etag: str


def add(router: Router, services: Services) -> None:
    """``/llmsim/``, its assets and ``/llmsim/events``.

    An event is what ``/llmsim/stats`` answers and, as ``recent``, latencies of the last seconds;
    ``generation`` is another one once the configuration in effect has changed.
    """
    shared, recent = services.shared, Recent()

    def message() -> bytes:
        snapshot = Snapshot(shared.all_counters)
        document = stats_document(shared, snapshot, services.last_minute)
        document["recent"] = recent.times(snapshot, time.monotonic())
        document["generation"] = shared.segment.reached(Cursor.GENERATION)
        return sse.event(orjson.dumps(document), b"stats")

    broadcast = Broadcast(message)

    async def events(port: Port) -> None:
        broadcast.join(port.open(200, STREAMING), GREETING)

    async def page(request: Request) -> Response:
        return _response(assets()[PAGE], request)

    async def asset(request: Request) -> Response:
        found = assets().get(request.path_params["name"])
        if found is None:
            return error_response(404, f"there is no file {request.url.path}")
        return _response(found, request)

    async def redirect(request: Request) -> Response:
        return RedirectResponse("llmsim/")

    router.hot["GET", EVENTS] = events
    router.on_shutdown.append(broadcast.end)
    router.cold += [
        Route("/llmsim", redirect),
        Route("/llmsim/", page),
        Route("/llmsim/web/{name:path}", asset),
    ]


@cache
def assets() -> dict[str, Asset]:
    """The files of the page by name."""
    found = {}
    folder = files("llmsim") / "web"
    parts = [("", folder), *((f"{one.name}/", one) for one in folder.iterdir() if one.is_dir())]
    for prefix, part in parts:
        for file in part.iterdir():
            content_type = TYPES.get(file.name.rpartition(".")[2])
            if content_type is not None and file.is_file():
                content = file.read_bytes()
                etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
                found[prefix + file.name] = Asset(content, content_type, etag)
    return found


def _response(asset: Asset, request: Request) -> Response:
    """A file, or 304 for a browser that has it already."""
    headers = {**HEADERS, "etag": asset.etag}
    cached = request.headers.get("if-none-match", "").split(",")
    if asset.etag in (etag.strip().removeprefix("W/") for etag in cached):
        return Response(status_code=304, headers=headers)
    return Response(asset.content, headers={**headers, "content-type": asset.content_type})
