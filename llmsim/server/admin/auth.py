"""Admin auth: who may use llmsim's own endpoints.

Three questions, in this order; a request that fails one never reaches the endpoint:

1. Is the server addressed by a name of its own (:class:`AllowedHosts`)? A page can make a browser
   believe that its own name is this server's (DNS rebinding); what it sends then still has that
   name.
2. Does a page of another site want to change something (:func:`is_cross_site`)?
3. Does it carry the token of ``control.token``, where one is configured?

The first is asked about everything under ``/llmsim``, the others about what shows or changes
something; ``control.protect_metrics`` adds ``/metrics`` to both. With ``control.enabled: false``
there is nothing to ask about: :func:`switch_off`. Providers' paths, and the images that their
answers link to, have API-key auth (:mod:`llmsim.server.api_key_auth`) instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from hmac import compare_digest
from ipaddress import ip_address
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from llmsim.config import Config, Control, Server
from llmsim.core import Headers
from llmsim.server.admin.json_response import error_response
from llmsim.server.resources import image_links
from llmsim.server.router import Handler, Router
from llmsim.transport.port import Port

Header: TypeAlias = Callable[[str], str | None]

ROOT: Final = "/llmsim"
OWN: Final = "/llmsim/"
METRICS: Final = "/metrics"
# The dashboard's page holds no data and asks for the token itself.
PAGES: Final = (ROOT, OWN)
ASSETS: Final = "/llmsim/web/"
SAFE: Final = ("GET", "HEAD", "OPTIONS")
_HOST: Final = re.compile(
    r"(\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(:[0-9]*)?", re.IGNORECASE | re.ASCII
)
CHALLENGE: Final = ("www-authenticate", 'Bearer realm="llmsim"')


class AllowedHosts:
    """The names this server may be addressed by: IP addresses and localhost, which no other site
    can have, and those that match one of ``patterns``."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = tuple(pattern.lower() for pattern in patterns)

    def refused(self, header: Header) -> str | None:
        """The name by which a request addresses this server, if it is not one of its own.

        Every browser sends one. A proxy says by which name it was addressed itself: that counts
        as well.
        """
        for name in (header("host"), *(header("x-forwarded-host") or "").split(",")):
            if name and not self._allowed(name.strip()):
                return name.strip()
        return None

    def _allowed(self, host: str) -> bool:
        name = hostname(host)
        if name is None:
            return False
        if _is_address(name) or name == "localhost" or name.endswith(".localhost"):
            return True
        return any(fnmatchcase(name, pattern) for pattern in self._patterns)


class AdminAuth:
    """Checks every request to llmsim's own endpoints."""

    def __init__(self, control: Control, server: Server) -> None:
        self._token = None if control.token is None else control.token.encode()
        self._protect_metrics = control.protect_metrics
        self._origins = frozenset(control.cors)
        self._hosts = AllowedHosts(server.allowed_hosts)

    def protect(self, router: Router) -> None:
        """Check what comes to any of the router's paths that is one of llmsim's own endpoints."""
        for (method, path), handler in router.hot.items():
            if self.covers(path):
                router.hot[method, path] = partial(self._checked, self.needs_token(path), handler)
        for route in router.cold:
            if isinstance(route, Route) and self.covers(route.path):
                route.app = ProtectedApp(self, self.needs_token(route.path), route.app)

    def covers(self, path: str) -> bool:
        """Whether a path, or a template of paths, is one of llmsim's own endpoints."""
        if path == METRICS:
            return self._protect_metrics
        return is_own(path)

    def needs_token(self, path: str) -> bool:
        """Whether one of these shows or changes something: the dashboard's files do not."""
        return self.covers(path) and path not in PAGES and not path.startswith(ASSETS)

    def refusal(self, needs_token: bool, method: str, header: Header) -> Response | None:
        """The response to a request that is refused; None for one that may pass."""
        host = self._hosts.refused(header)
        if host is not None:
            allowed = "an IP address, localhost or one of server.allowed_hosts"
            return error_response(403, f"host: must be {allowed}, not {host!r}")
        if not needs_token:
            return None
        from_page = method not in SAFE and header("origin") not in self._origins
        if from_page and is_cross_site(header):
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

    async def _checked(self, needs_token: bool, handler: Handler, port: Port) -> None:
        refusal = self.refusal(needs_token, port.method, port.header)
        if refusal is None:
            await handler(port)
            return
        headers: Headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in refusal.raw_headers
        ]
        port.respond(refusal.status_code, headers, bytes(refusal.body))


class ProtectedApp:
    """An ASGI application behind :class:`AdminAuth`."""

    def __init__(self, auth: AdminAuth, needs_token: bool, app: ASGIApp) -> None:
        self._auth = auth
        self._needs_token = needs_token
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        refusal = self._auth.refusal(self._needs_token, request.method, request.headers.get)
        await (refusal or self._app)(scope, receive, send)


def is_own(path: str) -> bool:
    """Whether a path is under ``/llmsim``, and no image of a provider's answer."""
    own = path == ROOT or path.startswith(OWN)
    return own and not path.startswith(image_links.PATH)


def switch_off(router: Router) -> None:
    """Answer 404 to everything under ``/llmsim`` that the router has not got."""
    missing = error_response(404, "control.enabled is false: this server has no control API")
    router.cold += [Route(path, missing) for path in (ROOT, OWN + "{path:path}")]


def open_door(config: Config) -> str | None:
    """What anyone may do at a server of this configuration, and how to keep them from it; None
    where nobody else can, or where that is expected: on this machine alone, without API keys."""
    if not config.control.enabled or config.control.token is not None:
        return None
    local = ip_address(config.server.host).is_loopback
    if local and not config.keys:
        return None
    ways = ["set control.token (LLMSIM_TOKEN)", "control.enabled: false"]
    if not local:
        ways.append("server.host: 127.0.0.1")
    keys = "keys do not protect /llmsim: " if config.keys else ""
    listening = f"{config.server.host} port {config.server.port}"
    return (
        f"{keys}whoever reaches {listening} can read prompts and change the configuration there; "
        f"to close it, {' or '.join(ways)}"
    )


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
    try:
        try:
            there = urlsplit(origin).netloc
        except ValueError:  # no browser names such an origin
            return True
        return there != (here or "").partition(",")[0].strip()
    except ValueError:  # no URL, so no page of this server
        return True


def hostname(host: str) -> str | None:
    """The name or address in a Host header, in lower case; None if it is none."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    return (found["address"] or found["name"]).lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
