"""Anthropic's paths."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.core import Stamp
from llmsim.providers.anthropic import errors
from llmsim.providers.anthropic.messages import strict as messages_strict
from llmsim.providers.anthropic.messages.codec import Anthropic, AnthropicCount
from llmsim.server import providers
from llmsim.server.lifecycle import Endpoint
from llmsim.server.resources.batches import URL, Batches
from llmsim.server.resources.threads import Threads
from llmsim.server.router import Router
from llmsim.server.services import Services
from llmsim.transport.port import Port

PREFIXES = ("/v1", "/anthropic/v1")
JSON = "application/json"
LINES = "application/x-jsonl"

Told: TypeAlias = Callable[[Request, Stamp], Awaitable[bytes]]


def add(paths: Router, context: Services) -> None:
    """Everything under ``/v1/messages``, also with ``/anthropic`` before it."""
    strict = context.config.validation == "strict"
    answer = context.handler.answer
    header_check = _check_version if strict else None
    codec = Anthropic(strict)
    messages = Endpoint("/v1/messages", codec, Threads(codec, context.shared), header_check)
    count = Endpoint("/v1/messages/count_tokens", AnthropicCount(strict), header_check=header_check)
    batches = Batches(context.store, context.handler, strict)
    for prefix in PREFIXES:
        paths.hot["POST", f"{prefix}/messages"] = partial(answer, endpoint=messages)
        paths.hot["POST", f"{prefix}/messages/count_tokens"] = partial(answer, endpoint=count)
        paths.cold += _batches(f"{prefix}/messages/batches", batches)


def _check_version(port: Port) -> None:
    messages_strict.check_version(port.header("anthropic-version"))


def _batches(path: str, batches: Batches) -> list[Route]:
    """The paths of message batches."""

    async def create(request: Request, stamp: Stamp) -> bytes:
        return await batches.create(await request.body(), stamp, _url(request, path))

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


def _route(method: str, path: str, told: Told, media_type: str = JSON) -> Route:
    """A path that tells something, with the headers that every response of Anthropic's has."""

    async def handler(request: Request) -> Response:
        stamp = providers.stamp()
        body = await told(request, stamp)
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
