"""HTTP/1.1: one request at a time on a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

import httptools

from llmsim.proxy.client.response import ServiceError, ServiceResponse, decoded
from llmsim.proxy.client.target import Outgoing

FINAL: Final = 200
"""The first status of an answer; those before it announce one."""

NO_BODY: Final = (204, 304)


class Http1Connection(asyncio.Protocol):
    """A connection to a service. ``free`` is called with it when it may be used again, ``lost``
    when it is gone."""

    def __init__(
        self,
        free: Callable[[Http1Connection], None],
        lost: Callable[[Http1Connection], None],
    ) -> None:
        self._free, self._lost = free, lost
        self._response: ServiceResponse | None = None
        self._found: list[tuple[bytes, bytes]] = []
        self._bodiless = self._measured = False
        self._transport: asyncio.Transport
        self._parser: httptools.HttpResponseParser
        self.idle_since = 0.0

    @property
    def usable(self) -> bool:
        """Whether it is open, as far as is known."""
        return not self._transport.is_closing()

    def send(self, request: Outgoing, timeout: float) -> ServiceResponse:
        """Send a request on a connection that is free; what comes back is its answer."""
        self._parser = httptools.HttpResponseParser(self)
        self._bodiless = request.method == "HEAD"
        self._response = response = ServiceResponse(self, timeout)
        lines = [f"{request.method} {request.target} HTTP/1.1", f"host: {request.origin.authority}"]
        lines += [f"{name}: {value}" for name, value in (*request.headers, *request.length)]
        head = "\r\n".join((*lines, "", "")).encode()
        self._transport.write(head + request.body)
        return response

    def hold(self, response: ServiceResponse) -> None:
        if response is self._response:
            self._transport.pause_reading()

    def go_on(self, response: ServiceResponse) -> None:
        if response is self._response:
            self._transport.resume_reading()

    def let_go(self, response: ServiceResponse) -> None:
        if response is self._response:
            self.close()

    def close(self) -> None:
        """End the connection."""
        self._response = None
        self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._response is None:  # nothing was asked
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._broke(f"no HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        response = self._response
        if response is not None and response.status and not self._measured and exc is None:
            self._response = None
            response.end()  # such a body ends with its connection
        else:
            self._broke(str(exc or "closed"))
        self._lost(self)

    def _broke(self, why: str) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.end(ServiceError(why))
        self._transport.abort()

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._response is None:  # it says more than it was asked
            self.close()
        self._found = []
        self._measured = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._found.append((name, value))

    def on_headers_complete(self) -> None:
        response, status = self._response, self._parser.get_status_code()
        if response is None or response.status or status < FINAL:
            return
        headers = decoded(self._found)
        self._measured = status in NO_BODY or any(
            name in ("content-length", "transfer-encoding") for name, _ in headers
        )
        response.begin(status, headers)
        if self._bodiless:  # which the parser does not know
            response.end()
            self.close()

    def on_body(self, content: bytes) -> None:
        if self._response is not None:
            self._response.add(content)

    def on_message_complete(self) -> None:
        response = self._response
        if response is None or not response.status:
            return
        self._response = None
        response.end()
        if self._parser.should_keep_alive() and self.usable:
            self._transport.resume_reading()
            self._free(self)
        else:
            self._transport.close()
