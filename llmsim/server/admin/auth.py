"""Admin auth: llmsim's own endpoints are for who has the token, and for no page of another site.

Providers' paths have API-key auth (:mod:`llmsim.server.api_key_auth`) instead.
"""

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
from llmsim.server.admin.json_response import error_response
from llmsim.server.resources import image_links
from llmsim.server.router import Handler, Router
from llmsim.transport.port import Port

Header: TypeAlias = Callable[[str], str | None]

OWN = "/llmsim/"
METRICS = "/metrics"
# The dashboard's page holds no data and asks for the token itself; images are a provider's.
OPEN = ("/llmsim/web/", image_links.PATH)
PAGE = "/llmsim/"
SAFE = ("GET", "HEAD", "OPTIONS")
CHALLENGE = ("www-authenticate", 'Bearer realm="llmsim"')


class AdminAuth:
    """Checks every request to llmsim's own endpoints: the token of ``control.token``, where one is
    configured, and that no page of another site sent it."""

    def __init__(self, control: Control) -> None:
        self._token = None if control.token is None else control.token.encode()
        self._protect_metrics = control.protect_metrics

    def protect(self, router: Router) -> None:
        """Check what comes to any of the router's paths that is one of llmsim's own endpoints."""
        for (method, path), handler in router.hot.items():
            if self.covers(path):
                router.hot[method, path] = partial(self._checked, handler)
        for route in router.cold:
            if isinstance(route, Route) and self.covers(route.path):
                route.app = ProtectedApp(self, route.app)

    def covers(self, path: str) -> bool:
        """Whether a path, or a template of paths, is one of llmsim's own endpoints."""
        if path == METRICS:
            return self._protect_metrics
        return path.startswith(OWN) and path != PAGE and not path.startswith(OPEN)

    def refusal(self, method: str, header: Header) -> Response | None:
        """The response to a request that is refused; None for one that may pass."""
        if method not in SAFE and is_cross_site(header):
            return error_response(403, "origin: requests from pages of other sites are refused")
        if self._token is not None and not self._has_token(header("authorization") or ""):
            message = "authorization: must be Bearer and the token that control.token sets"
            response = error_response(401, message)
            response.headers[CHALLENGE[0]] = CHALLENGE[1]
            return response
        return None

    def _has_token(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        assert self._token is not None
        sent = token.strip().encode(errors="surrogatepass")
        return scheme.lower() == "bearer" and compare_digest(sent, self._token)

    async def _checked(self, handler: Handler, port: Port) -> None:
        refusal = self.refusal(port.method, port.header)
        if refusal is None:
            await handler(port)
            return
        headers: Headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in refusal.raw_headers
        ]
        port.respond(refusal.status_code, headers, bytes(refusal.body))


class ProtectedApp:
    """An ASGI application behind :class:`AdminAuth`."""

    def __init__(self, auth: AdminAuth, app: ASGIApp) -> None:
        self._auth = auth
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        refusal = self._auth.refusal(request.method, request.headers.get)
        await (refusal or self._app)(scope, receive, send)


def is_cross_site(header: Header) -> bool:
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
