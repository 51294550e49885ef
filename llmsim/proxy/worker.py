"""The process that proxies: an RSGI application."""

from __future__ import annotations

import asyncio
import ctypes
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # re-exported

from llmsim.core import Headers, Stamp
from llmsim.core.errors import Failure, FailureKind
from llmsim.providers import registry
from llmsim.proxy.exchange import Exchange, Exchanges
from llmsim.proxy.headers import passed_here, to_upstream
from llmsim.proxy.recorder import Recorder
from llmsim.proxy.upstreams import AllowedAddresses, Upstream, UpstreamError
from llmsim.recordings.anonymise.anonymiser import AnonymiseRules
from llmsim.recordings.recording import Payload, RecordedRequest, ResponseEnd
from llmsim.recordings.writer import RecordingWriter
from llmsim.transport.connection import Connection

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
MARK_DIGITS: Final = 26
LOOK: Final = 1 << 20
"""Bytes between two looks at how far a client has come."""

PAUSE: Final = 0.01
"""Seconds from one look at a slow client to the next."""

FLUSHED: Final = 0.05
"""Seconds after which what was passed on is surely with the kernel."""

LOOP: Final = Failure(
    FailureKind.BAD_GATEWAY, "The request has been here before: it goes in circles."
)
HEALTHY: Final = b'{"status":"ok"}'
JSON: Final = ("content-type", "application/json")


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What to proxy and where to keep it.

    ``upstreams`` are by provider, ``allow`` names addresses that may be called though they are
    private. ``rules`` None keeps everything but credentials. ``timeout`` is for how many seconds a
    service may say nothing, ``max_unsent`` how many bytes may wait for one client before no more is
    read for it, ``max_body`` how large a request may be, ``max_size`` the folder (None: no bound).
    """

    upstreams: Mapping[str, Upstream]
    out: Path
    rules: AnonymiseRules | None = field(default_factory=AnonymiseRules)
    allow: tuple[str, ...] = ()
    timeout: float = 600.0
    max_unsent: int = 4 * 2**20
    max_body: int = 64 * 2**20
    max_size: int | None = None


class ProxyApp:
    """Passes every request on to its provider's service, and records it."""

    def __init__(self, settings: ProxySettings) -> None:
        self._settings = settings
        self._allowed = AllowedAddresses(settings.allow)
        self._mark = f"llmsim-{secrets.token_hex(8)}"
        self._exchanges = Exchanges()
        self._recorder = Recorder(
            RecordingWriter(settings.out, max_size=settings.max_size), settings.rules
        )
        self._client: httpx.AsyncClient | None = None

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        if sys.platform == "linux":  # a launcher that is killed would leave the port taken
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=1024)
        self._client = httpx.AsyncClient(
            http2=True,
            limits=limits,
            timeout=httpx.Timeout(self._settings.timeout, connect=10.0),
            follow_redirects=False,
            trust_env=False,
        )

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._recorder.close()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if scope.proto != "http":
            protocol.close(501)
            return
        if scope.path == "/health":
            protocol.response_bytes(200, [JSON], HEALTHY)
            return
        if scope.path == "/llmsim/recording":
            self._respond_status(protocol)
            return
        with suppress(ProtocolClosed):
            await self._proxied(scope, protocol)

    async def _proxied(self, scope: Any, protocol: Any) -> None:
        headers: Headers = scope.headers.items()
        provider = registry.of_request(scope.path, scope.query_string, scope.headers.get)
        upstream = self._settings.upstreams.get(provider.name)

        def refuse(failure: Failure) -> None:
            stamp = Stamp(secrets.token_hex(MARK_DIGITS // 2), 0)
            status, head, body = provider.errors.refusal(failure, stamp)
            protocol.response_bytes(status, head, body)

        if upstream is None:
            message = f"{provider.name} has no upstream here: --upstream {provider.name}=URL"
            refuse(Failure(FailureKind.UNKNOWN_PATH, message))
            return
        if passed_here(headers, self._mark):
            refuse(LOOP)
            return
        arrived = time.time()
        body = await self._body(protocol)
        if body is None:
            refuse(Failure(FailureKind.TOO_LARGE, "The request body is too large to be proxied."))
            return
        request = RecordedRequest(
            method=scope.method,
            path=scope.path,
            query=scope.query_string,
            headers=headers,
            body=Payload.of(body),
        )
        exchange = Exchange(self._exchanges, provider.name, request, arrived)
        client = RSGIClient(scope, protocol, self._settings.max_unsent)
        target = upstream.target(scope.path, scope.query_string)
        opened = self._open(scope.method, target, headers, body)
        failure = await self._watched(exchange.run(opened, client), protocol)
        if failure is not None:
            refuse(failure)
        elif exchange.end in (ResponseEnd.CUT, ResponseEnd.TIMEOUT):
            await client.break_off()
        client.close()
        self._recorder.record(exchange.recording())

    async def _watched(self, running: Any, protocol: Any) -> Failure | None:
        """The result; None, with the exchange ended, if the client leaves meanwhile."""
        task = asyncio.ensure_future(running)
        leaving = asyncio.ensure_future(protocol.client_disconnect())
        try:
            await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                failure: Failure | None = task.result()
                return failure
            task.cancel()
            await asyncio.wait({task})
            return None
        finally:
            leaving.cancel()

    async def _open(
        self, method: str, target: str, headers: Headers, body: bytes
    ) -> httpx.Response:
        assert self._client is not None
        try:
            await asyncio.to_thread(self._allowed.check, target)
        except UpstreamError as error:
            raise httpx.ConnectError(str(error)) from None
        request = self._client.build_request(
            method, target, headers=to_upstream(headers, self._mark), content=body
        )
        return await self._client.send(request, stream=True)

    async def _body(self, protocol: Any) -> bytes | None:
        """The whole body; None if it is too large."""
        parts, size = [], 0
        async for part in protocol:
            size += len(part)
            if size > self._settings.max_body:
                return None
            parts.append(part)
        return b"".join(parts)

    def _respond_status(self, protocol: Any) -> None:
        recorder = self._recorder
        said = {
            "recording": not recorder.problem,
            "problem": recorder.problem,
            "written": recorder.written,
            "lost": recorder.lost,
            "open": self._exchanges.open.total(),
        }
        protocol.response_bytes(200, [JSON], orjson.dumps(said))


class RSGIClient:
    """Whoever asked, over RSGI. What it does not read waits in this process, so no more is read
    for it while more than ``max_unsent`` bytes do."""

    def __init__(self, scope: Any, protocol: Any, max_unsent: int) -> None:
        self._scope = scope
        self._protocol = protocol
        self._max_unsent = max_unsent
        self._transport: Any = None
        self._sent = self._looked = 0

    async def begin(self, status: int, headers: Headers) -> None:
        """The head of the response."""
        self._transport = self._protocol.response_stream(status, headers)

    async def frame(self, content: bytes) -> bool:
        """One more piece of the body; False if the client has gone."""
        try:
            await self._transport.send_bytes(content)
        except ProtocolClosed:
            return False
        self._sent += len(content)
        if self._sent - self._looked >= LOOK:
            await self._read()
        return True

    async def break_off(self) -> None:
        """End the connection as the service did: in the middle."""
        await asyncio.sleep(FLUSHED)
        self._connection().hang_up(reset=False)

    def close(self) -> None:
        """End the response, which ends with the last reference to it."""
        self._transport = None

    async def _read(self) -> None:
        """Wait until the client has read enough of what was passed on."""
        connection = self._connection()
        while (written := connection.written()) is not None:
            if self._sent - written <= self._max_unsent:
                break
            await asyncio.sleep(PAUSE)
        self._looked = self._sent

    def _connection(self) -> Connection:
        plain = self._scope.http_version != "2" and self._scope.scheme == "http"
        return Connection(self._scope.client, plain)
