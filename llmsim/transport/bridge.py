"""From RSGI to ASGI, for everything that is not hot: listings, pages, llmsim's own endpoints."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Scope

from llmsim.transport.port import Stream
from llmsim.transport.rsgi import RSGIPort

log = logging.getLogger("llmsim")


async def bridge(app: ASGIApp, port: RSGIPort, body: bytes) -> None:
    """Answer one HTTP request through an ASGI application."""
    exchange = _Exchange(port, body)
    try:
        await app(_scope(port), exchange.receive, exchange.send)
    except Exception:
        if not exchange.begun:
            raise
        # The application has answered with that error itself.
        log.exception("could not answer %s %s", port.method, port.path)


def _scope(port: RSGIPort) -> Scope:
    scope = port.scope
    host, _, number = scope.client.rpartition(":")
    server, _, listening = scope.server.rpartition(":")
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in port.headers()]
    if scope.authority and all(name != b"host" for name, _ in headers):
        headers.append((b"host", scope.authority.encode("latin-1")))
    raw = port.path.encode()
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": scope.http_version,
        "method": port.method,
        "scheme": scope.scheme,
        "path": unquote_to_bytes(raw).decode(errors="replace"),
        "raw_path": raw,
        "query_string": port.query.encode(),
        "root_path": "",
        "headers": headers,
        "client": (host, int(number)) if number.isdigit() else None,
        "server": (server, int(listening)) if listening.isdigit() else None,
        "state": {},
    }


class _Exchange:
    """The two callables of one ASGI call."""

    def __init__(self, port: RSGIPort, body: bytes) -> None:
        self._port = port
        self._body: bytes | None = body
        self._status = 500
        self._headers: list[tuple[str, str]] = []
        self._stream: Stream | None = None
        self._over = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Whether anything was sent."""
        return self._over.is_set() or self._stream is not None

    async def receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        gone = asyncio.ensure_future(self._port.left())
        over = asyncio.ensure_future(self._over.wait())
        await asyncio.wait((gone, over), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        over.cancel()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message.get("headers", ())
            ]
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._stream is None and not more:
            self._port.respond(self._status, self._headers, body)
        else:
            if self._stream is None:
                self._stream = self._port.open(self._status, self._headers)
            if body and not self._stream.send(body):
                raise OSError("the client has gone")
        if not more:
            self._over.set()
            if self._stream is not None:
                self._stream.close()
