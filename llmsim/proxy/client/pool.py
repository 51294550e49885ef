"""Connections to services, kept between requests."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias, cast

import certifi

from llmsim.core import Headers
from llmsim.proxy.client.http1 import Http1Connection
from llmsim.proxy.client.http2 import Http2Connection
from llmsim.proxy.client.response import ServiceError, ServiceResponse, ServiceTimeout
from llmsim.proxy.client.target import Origin, Outgoing

CONNECT: Final = 10.0
"""Seconds in which a connection has to be made."""

KEPT: Final = 5.0
"""Seconds for which a connection is kept that nobody uses: services close theirs, too, and a
request must not meet that."""

Connection: TypeAlias = Http1Connection | Http2Connection


class ServiceClient:
    """Sends requests. ``timeout`` is for how many seconds a service may say nothing, ``tls`` whom
    to trust, and what may be spoken."""

    def __init__(self, timeout: float, tls: ssl.SSLContext | None = None) -> None:
        self._timeout = timeout
        self._free: defaultdict[Origin, deque[Http1Connection]] = defaultdict(deque)
        self._shared: defaultdict[Origin, list[Http2Connection]] = defaultdict(list)
        self._opening: defaultdict[Origin, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._alone: set[Origin] = set()
        self._tls = tls

    async def send(self, method: str, url: str, headers: Headers, body: bytes) -> ServiceResponse:
        """Send a request; returns when the head of its answer has come. Raises ServiceError."""
        request = Outgoing.to(method, url, headers, body)
        connection = self._known(request.origin) or await self._another(request.origin)
        response = connection.send(request, self._timeout)
        await response.begun()
        return response

    def _known(self, origin: Origin) -> Connection | None:
        """A connection that is there and takes a request."""
        oldest = asyncio.get_running_loop().time() - KEPT
        for shared in list(self._shared[origin]):
            if shared.idle and shared.idle_since < oldest:
                self._shared[origin].remove(shared)
                shared.close()
            elif shared.takes_more:
                return shared
        free = self._free[origin]
        while free and free[0].idle_since < oldest:
            free.popleft().close()
        while free:
            if (newest := free.pop()).usable:
                return newest
        return None

    async def _another(self, origin: Origin) -> Connection:
        if origin.scheme == "http" or origin in self._alone:
            return await self._connected(origin)
        async with self._opening[origin]:  # all may find room on one
            return self._known(origin) or await self._connected(origin)

    async def _connected(self, origin: Origin) -> Connection:
        loop = asyncio.get_running_loop()
        tls = self._context() if origin.scheme == "https" else None
        free, lost = partial(self._freed, origin), partial(self._lost, origin)
        choice = ProtocolChoice(lambda: Http1Connection(free, lost), lambda: Http2Connection(lost))
        try:
            async with asyncio.timeout(CONNECT):
                await loop.create_connection(lambda: choice, origin.host, origin.port, ssl=tls)
        except TimeoutError:
            raise ServiceTimeout("no connection in time") from None
        except OSError as error:
            raise ServiceError(str(error)) from None
        chosen = choice.chosen
        assert chosen is not None
        if isinstance(chosen, Http2Connection):
            chosen.idle_since = loop.time()
            self._shared[origin].append(chosen)
        elif tls is not None:
            self._alone.add(origin)
        return chosen

    def _freed(self, origin: Origin, connection: Http1Connection) -> None:
        connection.idle_since = asyncio.get_running_loop().time()
        self._free[origin].append(connection)

    def _lost(self, origin: Origin, connection: Connection) -> None:
        with suppress(ValueError):  # it need not have been free
            if isinstance(connection, Http1Connection):
                self._free[origin].remove(connection)
            else:
                self._shared[origin].remove(connection)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            # Those that this machine trusts, and where it has no list, those that Mozilla does.
            self._tls = ssl.create_default_context()
            self._tls.load_verify_locations(certifi.where())
            self._tls.set_alpn_protocols(["h2", "http/1.1"])
        return self._tls


class ProtocolChoice(asyncio.Protocol):
    """Gives a new connection to what both sides have agreed to speak."""

    def __init__(
        self, http1: Callable[[], Http1Connection], http2: Callable[[], Http2Connection]
    ) -> None:
        self._http1, self._http2 = http1, http2
        self.chosen: Connection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tls = transport.get_extra_info("ssl_object")
        two = tls is not None and tls.selected_alpn_protocol() == "h2"
        self.chosen = self._http2() if two else self._http1()
        cast("asyncio.Transport", transport).set_protocol(self.chosen)
        self.chosen.connection_made(transport)
