"""Sends requests when they are due and remembers when each part of their answers came.

One thread and one epoll loop over raw sockets. Answers are timed by the kernel where it can
(``SO_TIMESTAMPNS`` on a TCP socket: Linux says with each read when the last of its data came), so
that how soon this process gets a processor is in no figure but in the client's own lateness, which
is kept: by how much a request left after it was due, and a read came after its data. Elsewhere
the time of reading is all there is.

All times are Unix times in seconds, as the kernel's stamps and llmsim's journal have them.
"""

from __future__ import annotations

import gc
import heapq
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from llmsim.overhead.http1 import HttpError, ResponseReader

SO_TIMESTAMPNS: Final = 35
"""asm-generic/socket.h; Python does not name it."""
STAMP: Final = struct.Struct("=qq")
ANCILLARY: Final = socket.CMSG_SPACE(STAMP.size)
READ: Final = 1 << 18
TICK: Final = 0.2
"""Seconds between two calls of ``on_tick``."""
PAUSE: Final = 0.1
"""Seconds after a failure in which a stream that is kept open does not begin again."""
SPIN: Final = 0.0012
"""Seconds before a request is due in which the loop no longer sleeps: epoll counts milliseconds."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where requests go: an address that is looked up once, TLS if ``context`` is there."""

    host: str
    address: tuple[str, int]
    family: socket.AddressFamily
    context: ssl.SSLContext | None = None


def destination(host: str, port: int, netloc: str, context: ssl.SSLContext | None) -> Destination:
    """Raises OSError if there is no such host."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return Destination(netloc, (str(address[0]), int(address[1])), family, context)


@dataclass(slots=True)
class RawAnswer:
    """One request and what came of it. ``error`` is None for a whole response of any status."""

    number: int
    due: float
    sent: float = 0.0
    ended: float = 0.0
    fresh: bool = False
    """Whether it had a new connection."""
    response: ResponseReader = field(default_factory=ResponseReader)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SendTimes:
    """When to send: ``at``, seconds after the beginning. With ``again_until`` each request that has
    ended is followed by another until so many seconds have gone by."""

    at: Iterable[float]
    again_until: float = 0.0


class _Connection:
    """One socket, and the request that is on it."""

    def __init__(self, to: Destination) -> None:
        self.socket = socket.socket(to.family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":
            with suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.exchange: RawAnswer | None = None
        self.out = b""
        self.events = 0
        self.used = False
        self.ready = False
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls: ssl.SSLObject | None = None
        if to.context is not None:
            name = to.host.rpartition(":")[0] or to.host
            self.tls = to.context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)

    def receive(self) -> tuple[bytes, float, float]:
        """What has come, when the kernel had the last of it, and now; empty where the other side
        has closed. Raises BlockingIOError and OSError."""
        data, ancillary, _, _ = self.socket.recvmsg(READ, ANCILLARY)
        now = time.time()
        for _, _, payload in ancillary:
            if len(payload) == STAMP.size:
                seconds, nanoseconds = STAMP.unpack(payload)
                if 0 <= now - seconds < 3600:
                    return data, min(seconds + nanoseconds / 1e9, now), now
        return data, now, now

    def plain(self, data: bytes) -> bytes:
        """What came, without TLS."""
        if self.tls is None:
            return data
        self.incoming.write(data)
        found = []
        with suppress(ssl.SSLWantReadError):
            while part := self.tls.read(READ):
                found.append(part)
        return b"".join(found)

    def sealed(self, data: bytes) -> bytes:
        if self.tls is None:
            return data
        self.tls.write(data)
        return self.outgoing.read()


class LoadClient:
    """Requests to one destination over connections that are kept. ``request`` makes the bytes of
    the request of a number."""

    def __init__(
        self, to: Destination, request: Callable[[int], bytes], timeout: float = 30.0
    ) -> None:
        self._to = to
        self._request = request
        self._timeout = timeout
        self._poller = select.epoll() if hasattr(select, "epoll") else None
        self._connections: dict[int, _Connection] = {}
        self._idle: list[_Connection] = []
        self._deadlines: list[tuple[float, int, RawAnswer]] = []
        self._done: list[RawAnswer] = []
        self.in_flight = 0

    def turn(
        self,
        times: SendTimes,
        first: int = 0,
        on_tick: Callable[[int, int], None] = lambda done, in_flight: None,
    ) -> list[RawAnswer]:
        """Send requests, numbered from ``first``, and await all answers. ``on_tick`` is called
        now and then with how many are done and in flight."""
        self._done = []
        collecting = gc.isenabled()
        gc.collect()
        gc.disable()
        try:
            self._loop(times, first, on_tick)
        finally:
            if collecting:
                gc.enable()
            self._deadlines.clear()
        return self._done

    def close(self) -> None:
        for one in list(self._connections.values()):
            self._drop(one)
        if self._poller is not None:
            self._poller.close()

    def _loop(self, times: SendTimes, number: int, on_tick: Callable[[int, int], None]) -> None:
        begun = time.time()
        waiting = [begun + one for one in times.at]
        heapq.heapify(waiting)
        until, seen, ticked = begun + times.again_until, 0, begun
        while waiting or self.in_flight:
            now = time.time()
            while waiting and waiting[0] <= now:
                self._begin(RawAnswer(number, heapq.heappop(waiting)))
                number += 1
            if now - ticked > TICK:
                on_tick(len(self._done), self.in_flight)
                ticked = now
            self._expire(now)
            self._poll(min((waiting[0] if waiting else now + TICK) - time.time(), TICK))
            if times.again_until and (now := time.time()) < until:
                for ended in self._done[seen:]:
                    heapq.heappush(waiting, now + (PAUSE if ended.error else 0.0))
                seen = len(self._done)

    def _poll(self, wait: float) -> None:
        wait = 0.0 if wait < SPIN else wait - SPIN
        for descriptor, events in self._ready(wait):
            connection = self._connections.get(descriptor)
            if connection is not None:
                self._act(connection, events)

    def _ready(self, wait: float) -> Iterable[tuple[int, int]]:
        if self._poller is not None:
            return self._poller.poll(wait)
        poller = select.poll()
        for descriptor, one in self._connections.items():
            poller.register(descriptor, one.events)
        return poller.poll(wait * 1e3)

    def _begin(self, exchange: RawAnswer, new: bool = False) -> None:
        self.in_flight += 1
        heapq.heappush(self._deadlines, (time.time() + self._timeout, exchange.number, exchange))
        data = self._request(exchange.number)
        while self._idle and not new:
            connection = self._idle.pop()
            if connection.socket.fileno() >= 0:
                connection.exchange = exchange
                self._send(connection, connection.sealed(data))
                return
        exchange.fresh = True
        self._dial(exchange, data)

    def _dial(self, exchange: RawAnswer, data: bytes) -> None:
        connection = _Connection(self._to)
        connection.exchange, connection.out = exchange, data
        self._connections[connection.socket.fileno()] = connection
        self._watch(connection, select.POLLOUT)
        try:
            connection.socket.connect(self._to.address)
        except BlockingIOError:
            pass
        except OSError as error:
            self._fail(connection, error)

    def _watch(self, connection: _Connection, events: int) -> None:
        if self._poller is not None and events != connection.events:
            if connection.events:
                self._poller.modify(connection.socket.fileno(), events)
            else:
                self._poller.register(connection.socket.fileno(), events)
        connection.events = events

    def _act(self, connection: _Connection, events: int) -> None:
        try:
            if not connection.ready:
                self._connected(connection, events)
            elif connection.out and events & (select.POLLOUT | select.POLLHUP):
                data, connection.out = connection.out, b""
                self._push(connection, data)
            else:
                self._receive(connection)
        except BlockingIOError:
            pass
        except (OSError, HttpError) as error:
            self._fail(connection, error)

    def _connected(self, connection: _Connection, events: int) -> None:
        """The connection is made, or another step of its TLS handshake."""
        code = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, "connection failed")
        if connection.tls is not None:
            if events & select.POLLIN:
                data, _, _ = connection.receive()
                connection.incoming.write(data) if data else connection.incoming.write_eof()
            try:
                connection.tls.do_handshake()
            except ssl.SSLWantReadError:
                connection.socket.sendall(connection.outgoing.read())
                self._watch(connection, select.POLLIN)
                return
        connection.ready = True
        data, connection.out = connection.out, b""
        self._send(connection, connection.sealed(data))

    def _send(self, connection: _Connection, data: bytes) -> None:
        assert connection.exchange is not None
        connection.exchange.sent = time.time()
        try:
            self._push(connection, data)
        except OSError as error:
            self._fail(connection, error)

    def _push(self, connection: _Connection, data: bytes) -> None:
        try:
            count = connection.socket.send(data)
        except BlockingIOError:
            count = 0
        connection.out = data[count:]
        self._watch(connection, select.POLLOUT if connection.out else select.POLLIN)

    def _receive(self, connection: _Connection) -> None:
        data, arrived, now = connection.receive()
        exchange = connection.exchange
        if exchange is None:  # closed, or chatter on an idle connection
            self._drop(connection)
            return
        if not data:
            if exchange.response.closed():
                self._finish(connection, now)
            else:
                raise ConnectionResetError(0, "closed before the end of the response")
        elif exchange.response.feed(connection.plain(data), arrived, now):
            self._finish(connection, now)

    def _finish(self, connection: _Connection, now: float) -> None:
        exchange = connection.exchange
        assert exchange is not None
        exchange.ended = now
        self._done.append(exchange)
        self.in_flight -= 1
        connection.exchange, connection.used = None, True
        if exchange.response.kept:
            self._idle.append(connection)
        else:
            self._drop(connection)

    def _fail(self, connection: _Connection, error: Exception) -> None:
        exchange = connection.exchange
        stale = connection.used and exchange is not None and not exchange.response.begun
        self._drop(connection)
        if exchange is None or exchange.error is not None:
            return
        self.in_flight -= 1
        if stale:  # a kept connection that was closed meanwhile: asked again over a new one
            self._begin(RawAnswer(exchange.number, exchange.due), new=True)
            return
        exchange.error = failure_kind(connection, error)
        exchange.ended = time.time()
        self._done.append(exchange)

    def _expire(self, now: float) -> None:
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, exchange = heapq.heappop(self._deadlines)
            for connection in list(self._connections.values()):
                if connection.exchange is exchange:
                    self._drop(connection)
                    exchange.error, exchange.ended = "timeout", now
                    self.in_flight -= 1
                    self._done.append(exchange)

    def _drop(self, connection: _Connection) -> None:
        self._connections.pop(connection.socket.fileno(), None)
        if self._poller is not None and connection.socket.fileno() >= 0:
            with suppress(OSError):
                self._poller.unregister(connection.socket.fileno())
        if connection in self._idle:
            self._idle.remove(connection)
        connection.socket.close()


def failure_kind(connection: Any, error: Exception) -> str:
    """What a failure is counted as."""
    if isinstance(error, HttpError):
        return "not HTTP"
    if isinstance(error, ssl.SSLError):
        return "TLS"
    return "connection lost" if connection.ready else "not connected"
