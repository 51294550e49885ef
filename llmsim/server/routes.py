"""Which path leads where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.dialects import openai, openai_models
from llmsim.dialects.openai_chat import OpenAIChat
from llmsim.errors import BadRequest, Failure, Kind
from llmsim.server import admin
from llmsim.server.answering import Answering, Endpoint
from llmsim.server.books import Books
from llmsim.server.ports import Port
from llmsim.server.ports.asgi import HotRoute
from llmsim.server.rulebook import Rulebook

Handler = Callable[[Port], Awaitable[None]]
Hot = Mapping[tuple[str, str], Handler]

OPENAI_PREFIXES = ("/v1", "/openai/v1")


def hot(answering: Answering) -> Hot:
    """The paths that carry the load, by method and path."""
    chat = Endpoint("/v1/chat/completions", OpenAIChat())
    table = {}
    for prefix in OPENAI_PREFIXES:
        table["POST", f"{prefix}/chat/completions"] = partial(answering.answer, endpoint=chat)
    return table


def cold(hot_paths: Hot, rulebook: Rulebook, books: Books) -> Starlette:
    """The application that answers everything; the hot paths too, where it stands alone."""
    routes = [
        Route(path, HotRoute(handler), methods=[method])
        for (method, path), handler in hot_paths.items()
    ]
    for prefix in OPENAI_PREFIXES:
        routes += _models(prefix, rulebook)
    routes += admin.routes(books)
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _not_served, BadRequest: _refused, 500: _broken},
    )
    app.router.redirect_slashes = False
    return app


def _models(prefix: str, rulebook: Rulebook) -> list[Route]:
    async def many(request: Request) -> Response:
        return _json(openai_models.models(rulebook.models()))

    async def one(request: Request) -> Response:
        return _json(openai_models.model(rulebook.model(request.path_params["id"])))

    return [Route(f"{prefix}/models", many), Route(f"{prefix}/models/{{id:path}}", one)]


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    asked = f"{request.method} {request.url.path}"
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"Not allowed to {request.method} on {request.url.path} (only {allowed})."
        response = _spelled(Failure(Kind.METHOD, message))
        response.headers["allow"] = allowed
        return response
    return _spelled(Failure(Kind.UNKNOWN_PATH, f"Invalid URL ({asked})"))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, BadRequest)
    return _spelled(error.failure)


async def _broken(request: Request, error: Exception) -> Response:
    message = "The server had an error while processing your request. Sorry about that!"
    return _spelled(Failure(Kind.SERVER_ERROR, message))


def spelled(failure: Failure) -> tuple[int, bytes]:
    """Status and body of a failure that no handler answered."""
    return openai.failure(failure)


def _spelled(failure: Failure) -> Response:
    status, body = spelled(failure)
    return _json(body, status)
