"""The web dashboard: a page at ``/llmsim/``, what it is made of, and the events it lives on."""

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
from llmsim.server.admin import status
from llmsim.server.broadcast import Broadcast
from llmsim.server.router import Router
from llmsim.server.services import Services
from llmsim.telemetry.recent import Recent
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

# What the page may do: load and ask this server, nothing else. Text from requests that got into
# the page as markup could still do no harm.
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
    """A file of the page; ``tag`` is its entity tag."""

    content: bytes
    type: str
    tag: str


def add(paths: Router, context: Services) -> None:
    """``/llmsim/``, its assets and ``/llmsim/events``.

    An event tells what ``/llmsim/stats`` does and, as ``recent``, the times of the last seconds.
    """
    shared, recent = context.shared, Recent()

    def message() -> bytes:
        snapshot = shared.snapshot()
        document = status.stats_document(shared, snapshot)
        document["recent"] = recent.times(snapshot, time.monotonic())
        return sse.event(orjson.dumps(document), b"stats")

    broadcast = Broadcast(message)

    async def events(port: Port) -> None:
        broadcast.join(port.open(200, STREAMING), GREETING)

    async def page(request: Request) -> Response:
        return told(assets()[PAGE], request.headers.get("if-none-match"))

    async def asset(request: Request) -> Response:
        found = assets().get(request.path_params["name"])
        if found is None:
            return status.error_response(404, "no such file")
        return told(found, request.headers.get("if-none-match"))

    async def moved(request: Request) -> Response:
        return RedirectResponse("llmsim/")

    paths.hot["GET", EVENTS] = events
    paths.on_shutdown.append(broadcast.end)
    paths.cold += [
        Route("/llmsim", moved),
        Route("/llmsim/", page),
        Route("/llmsim/web/{name:path}", asset),
    ]


@cache
def assets() -> dict[str, Asset]:
    """The files of the page by the name they are asked for."""
    found = {}
    folder = files("llmsim") / "web"
    for file in folder.iterdir():
        kind = TYPES.get(file.name.rpartition(".")[2])
        if kind is not None:
            content = file.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
            found[file.name] = Asset(content, kind, tag)
    return found


def told(asset: Asset, known: str | None) -> Response:
    """The response with a file, or that the browser has it: ``known`` is If-None-Match."""
    headers = {**HEADERS, "etag": asset.tag}
    if known is not None and asset.tag in (
        one.strip().removeprefix("W/") for one in known.split(",")
    ):
        return Response(status_code=304, headers=headers)
    return Response(asset.content, headers={**headers, "content-type": asset.type})
