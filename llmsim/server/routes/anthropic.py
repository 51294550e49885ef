"""Anthropic's paths."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.core import Stamp
from llmsim.providers.anthropic import errors
from llmsim.providers.anthropic.messages.codec import Anthropic
from llmsim.providers.anthropic.provider import ANTHROPIC, PREFIXES
from llmsim.server.refusals import unlogged_stamp
from llmsim.server.resources.batches import URL, Batches
from llmsim.server.resources.threads import Threads
from llmsim.server.router import Router
from llmsim.server.services import Services

JSON = "application/json"
LINES = "application/x-jsonl"

Answer: TypeAlias = Callable[[Request, Stamp], Awaitable[bytes]]


def add(router: Router, services: Services) -> Threads:
    """``…/messages/batches`` and what is under it. Gives what ``/v1/messages`` remembers."""
    strict = services.config.validation == "strict"
    batches = Batches(
        services.store, services.handler, strict, services.config.server.max_answer_bytes
    )
    for prefix in PREFIXES:
        router.cold += _batches(f"{prefix}/messages/batches", batches)
    return Threads(Anthropic(strict), services.shared)


def _batches(path: str, batches: Batches) -> list[Route]:
    """The paths of message batches."""

    async def create(request: Request, stamp: Stamp) -> bytes:
        api_key = ANTHROPIC.auth.key(request.headers.get, request.url.query)
        return await batches.create(await request.body(), stamp, _url(request, path), api_key)

    async def many(request: Request, stamp: Stamp) -> bytes:
        query = parse_qs(request.url.query, keep_blank_values=True)
        return await batches.list(query, _url(request, path))

    async def one(request: Request, stamp: Stamp) -> bytes:
        return await batches.get(request.path_params["id"], _url(request, path))

    async def cancel(request: Request, stamp: Stamp) -> bytes:
        return await batches.cancel(request.path_params["id"], _url(request, path))

    async def delete(request: Request, stamp: Stamp) -> bytes:
        return await batches.delete(request.path_params["id"])

    async def results(request: Request, stamp: Stamp) -> bytes:
        return await batches.results(request.path_params["id"])

    return [
        _route("POST", path, create),
        _route("GET", path, many),
        _route("GET", f"{path}/{{id}}", one),
        _route("DELETE", f"{path}/{{id}}", delete),
        _route("POST", f"{path}/{{id}}/cancel", cancel),
        _route("GET", f"{path}/{{id}}/results", results, LINES),
    ]


def _route(method: str, path: str, answer: Answer, media_type: str = JSON) -> Route:
    """A path answered with what ``answer`` makes and the headers that Anthropic's answers have."""

    async def handler(request: Request) -> Response:
        stamp = unlogged_stamp()
        body = await answer(request, stamp)
        head = dict(errors.headers(stamp))
        return Response(body, headers=head, media_type=media_type)

    return Route(path, handler, methods=[method])


def _url(request: Request, path: str) -> URL:
    """Where a client that reached this server so finds a batch's results.

    What a proxy says about the client's own way here comes first.
    """
    header, url = request.headers.get, request.url
    scheme = header("x-forwarded-proto", url.scheme)
    host = header("x-forwarded-host") or header("host", url.netloc)
    return lambda name: f"{scheme}://{host}{path}/{name}/results"
