"""All paths as one Starlette application. A server answers the cold ones with it, a test
client sees all of them."""

from __future__ import annotations

import logging
from collections import defaultdict
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from llmsim.core.errors import NESTED, BadRequest, Failure, FailureKind
from llmsim.core.state import StoreError
from llmsim.server.admin.auth import is_own
from llmsim.server.handler import BROKEN
from llmsim.server.refusals import refusal
from llmsim.server.router import Handler, PatternRoute, Router
from llmsim.transport.asgi import HotRoute
from llmsim.transport.port import Port

log = logging.getLogger("llmsim")


def build(router: Router) -> Starlette:
    """The application. Its errors have the format of the provider whose path it is."""
    by_path: dict[str, dict[str, Handler]] = defaultdict(dict)
    for (method, path), handler in router.hot.items():
        by_path[path][method] = handler
    routes = [
        Route(path, HotRoute(partial(_dispatch, handlers)), methods=list(handlers))
        for path, handlers in by_path.items()
    ]
    routes += [PatternMatch(one) for one in router.patterns]
    app = Starlette(
        routes=[*routes, *router.cold],
        exception_handlers={
            HTTPException: _not_served,
            BadRequest: _refused,
            RecursionError: _nested,
            StoreError: _not_stored,
            500: _broken,
        },
    )
    app.router.redirect_slashes = False
    return app


class PatternMatch(Route):
    """A :class:`PatternRoute` as one of Starlette's."""

    def __init__(self, pattern: PatternRoute) -> None:
        super().__init__("/{path:path}", HotRoute(pattern.handler), methods=[pattern.method])
        self._pattern = pattern

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and not self._pattern.matches(scope["path"]):
            return Match.NONE, {}
        return super().matches(scope)


async def _dispatch(handlers: dict[str, Handler], port: Port) -> None:
    await handlers[port.method](port)


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    method, path = request.method, request.url.path
    if error.status_code != 405:
        return _error(request, Failure(FailureKind.UNKNOWN_PATH, f"Invalid URL ({method} {path})"))
    allowed = ", ".join(sorted(_methods(request)))
    message = f"Not allowed to {method} on {path} (only {allowed})."
    response = _error(request, Failure(FailureKind.METHOD, message))
    response.headers["allow"] = allowed
    return response


def _methods(request: Request) -> set[str]:
    """The methods a path is served by: Starlette itself names only those of its first route."""
    methods: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return methods


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, BadRequest)
    return _error(request, error.failure)


async def _not_stored(request: Request, error: Exception) -> Response:
    log.error("the store does not work: %s", error)
    message = str(error) if is_own(request.url.path) else BROKEN
    return _error(request, Failure(FailureKind.SERVER_ERROR, message))


async def _nested(request: Request, error: Exception) -> Response:
    return _error(request, NESTED)


async def _broken(request: Request, error: Exception) -> Response:
    return _error(request, Failure(FailureKind.SERVER_ERROR, BROKEN))


def _error(request: Request, failure: Failure) -> Response:
    """A failure in the format of the provider whose path this is."""
    url = request.url
    status, headers, body = refusal(failure, url.path, url.query, request.headers.get)
    return Response(body, status, dict(headers))
