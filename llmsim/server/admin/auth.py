"""Who may use llmsim's own endpoints: whoever has the token, and no page of another site."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hmac import compare_digest
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from llmsim.config import Control
from llmsim.core import Headers
from llmsim.server.admin import status as admin_status
from llmsim.server.resources import image_links
from llmsim.server.router import Handler, Router
from llmsim.transport.port import Port

Header: TypeAlias = Callable[[str], str | None]

OWN = "/llmsim/"
METRICS = "/metrics"
# The dashboard's page holds no data and asks for the token itself; pictures are a provider's.
OPEN = ("/llmsim/web/", image_links.PATH)
PAGE = "/llmsim/"
SAFE = ("GET", "HEAD", "OPTIONS")
CHALLENGE = ("www-authenticate", 'Bearer realm="llmsim"')


class AdminAuth:
    """Looks at the head of each request to what it is put before."""

    def __init__(self, control: Control) -> None:
        self._token = None if control.token is None else control.token.encode()
        self._metrics = control.protect_metrics

    def covers(self, path: str) -> bool:
        """Whether a path, or template of paths, is among llmsim's own endpoints."""
        if path == METRICS:
            return self._metrics
        return path.startswith(OWN) and path != PAGE and not path.startswith(OPEN)

    def refusal(self, method: str, header: Header) -> tuple[int, str] | None:
        """Status and message for a request that is not let in."""
        if method not in SAFE and foreign(header):
            return 403, "requests from the pages of other sites are refused"
        if self._token is not None and not self._known(header("authorization") or ""):
            return 401, "authorization: must be Bearer and the token of control.token"
        return None

    def _known(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        assert self._token is not None
        given = token.strip().encode(errors="surrogatepass")
        return scheme.lower() == "bearer" and compare_digest(given, self._token)

    def over(self, every: Router) -> None:
        """Put it before all that it covers."""
        for (method, path), handler in every.hot.items():
            if self.covers(path):
                every.hot[method, path] = partial(self._let, handler)
        for route in every.cold:
            if isinstance(route, Route) and self.covers(route.path):
                route.app = GuardedApp(self, route.app)

    async def _let(self, handler: Handler, port: Port) -> None:
        refused = self.refusal(port.method, port.header)
        if refused is None:
            await handler(port)
            return
        answer = denied(*refused)
        head: Headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers
        ]
        port.respond(answer.status_code, head, bytes(answer.body))


class GuardedApp:
    """An ASGI application behind a guard."""

    def __init__(self, guard: AdminAuth, app: ASGIApp) -> None:
        self._guard = guard
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        refused = self._guard.refusal(request.method, request.headers.get)
        app = self._app if refused is None else denied(*refused)
        await app(scope, receive, send)


def foreign(header: Header) -> bool:
    """Whether a browser sent this for a page of another site.

    Browsers name the page's origin with everything that is not just read; other clients do not.
    """
    if header("sec-fetch-site") == "cross-site":
        return True
    origin = header("origin")
    if origin is None:
        return False
    here = header("x-forwarded-host") or header("host")
    return urlsplit(origin).netloc != (here or "").partition(",")[0].strip()


def denied(status: int, message: str) -> Response:
    """The response to a request that is not let in."""
    response = admin_status.error_response(status, message)
    if status == 401:
        response.headers[CHALLENGE[0]] = CHALLENGE[1]
    return response
