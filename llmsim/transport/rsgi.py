"""The port over Granian's RSGI, where the hot path runs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import granian.server.mp as granian_workers
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # re-exported

from llmsim.core import Headers
from llmsim.core.plan import PIECE, Chunk, pieces
from llmsim.core.scopes import SCOPE_HEADER
from llmsim.transport.arrival import CALM, LARGE, ArrivalClock, Waypoints, arrival, precise_us
from llmsim.transport.body_deadline import BodyDeadline
from llmsim.transport.connection import Connection
from llmsim.transport.port import DRAIN, Gone, Stream, too_large
from llmsim.transport.slow_clients import Outflow, SlowClients


class InPieces:
    """Stands for Granian's transport of a response on which something large is sent: it hands over
    a piece each turn of the event loop, as that copies it and everyone else waits meanwhile.

    ``left`` says of what the transport's ``send_bytes`` gave whether the client has gone. The
    response does not end before all has been handed over: until then this holds the transport.
    """

    __slots__ = ("_left", "_sent", "_transport", "_waiting")

    def __init__(self, transport: Any, left: Callable[[Any], bool]) -> None:
        self._transport = transport
        self._left = left
        self._sent: Any = None
        self._waiting: deque[Iterator[bytes]] = deque()

    def send_bytes(self, data: Chunk) -> Any:
        """As Granian's: what it gives is that of the latest piece."""
        idle = not self._waiting
        if idle and len(data) <= PIECE:
            return self._transport.send_bytes(bytes(data))
        self._waiting.append(pieces(data))
        if idle:
            self._next()
        return self._sent

    def _next(self) -> None:
        waiting = self._waiting
        while waiting:
            piece = next(waiting[0], None)
            if piece is None:
                waiting.popleft()
                continue
            self._sent = self._transport.send_bytes(piece)
            if self._left(self._sent):
                waiting.clear()
            else:
                asyncio.get_running_loop().call_soon(self._next)
            return


class RSGIStream:
    """A response body over RSGI.

    ``send_bytes`` queues at once and returns an awaitable that is not worth awaiting; its type
    tells whether the client is still there. Which type means what is learned by awaiting the
    first one of each kind. What is sent is counted in ``outflow``.
    """

    __slots__ = ("_gone", "_outflow", "_transport")

    alive: type | None = None
    dead: type | None = None

    def __init__(self, transport: Any, outflow: Outflow) -> None:
        self._transport = transport
        self._outflow = outflow
        self._gone = False

    def send(self, data: Chunk) -> bool:
        if self._gone:
            return False
        outflow, size = self._outflow, len(data)
        if outflow.sent > outflow.limit:
            outflow.exceeded()
        outflow.sent += size
        if size > PIECE and not isinstance(self._transport, InPieces):
            self._transport = InPieces(self._transport, _left)
        sent = self._transport.send_bytes(data)
        kind = type(sent)
        if kind is RSGIStream.alive:
            return True
        if kind is RSGIStream.dead:
            return False
        learning = asyncio.ensure_future(self._learn(sent))
        _learning.add(learning)
        learning.add_done_callback(_learning.discard)
        return True

    async def _learn(self, sent: Any) -> None:
        try:
            await sent
        except Exception:
            RSGIStream.dead = type(sent)
            self._gone = True
        else:
            RSGIStream.alive = type(sent)

    def close(self) -> None:
        # The response ends when the last reference to its transport is dropped.
        self._transport = None
        self._gone = True


def _left(sent: Any) -> bool:
    return type(sent) is RSGIStream.dead


MOST_HOLLOW = 32
"""Empty chunks in a row after which a body is broken off: over HTTP/2 Granian never ends one."""

_learning: set[asyncio.Future[None]] = set()


class ScopedHeaders:
    """The headers of a request whose path names its scope: one more, unless it is there."""

    __slots__ = ("_headers", "_scope")

    def __init__(self, headers: Any, scope: str) -> None:
        self._headers = headers
        self._scope = headers.get(SCOPE_HEADER) or scope

    def get(self, name: str) -> str | None:
        """The value of a header, by its lower-case name."""
        value: str | None = self._headers.get(name)
        return self._scope if name == SCOPE_HEADER else value

    def keys(self) -> list[str]:
        """The names of all."""
        return [name for name, _ in self.items()]

    def items(self) -> list[tuple[str, str]]:
        """The names and values of all."""
        others = [(name, value) for name, value in self._headers.items() if name != SCOPE_HEADER]
        return [*others, (SCOPE_HEADER, self._scope)]

    def __contains__(self, name: str) -> bool:
        return name == SCOPE_HEADER or name in self._headers


_NONE: Headers = []


class RSGIPort:
    """One HTTP request over RSGI. ``also`` are headers that its response has beside others."""

    socket = None

    __slots__ = (
        "_arrivals",
        "_body_deadline",
        "_clients",
        "_handed",
        "_headers",
        "_outflow",
        "_peer",
        "_protocol",
        "_size",
        "also",
        "method",
        "path",
        "scope",
    )

    def __init__(
        self,
        scope: Any,
        protocol: Any,
        handed: int,
        arrivals: ArrivalClock,
        clients: SlowClients,
        body_deadline: BodyDeadline,
    ) -> None:
        self.scope = scope
        self._protocol = protocol
        self._handed = handed
        self._arrivals = arrivals
        self._clients = clients
        self._body_deadline = body_deadline
        self._headers = scope.headers  # a copy of them all, so asked for once
        self._size = 0
        self.also: Headers = _NONE
        self.method: str = scope.method
        self.path: str = scope.path

    def enter(self, scope: str, path: str) -> None:
        """The request is one for ``path`` in a scope, as if its header said so."""
        self.path = path
        self._headers = ScopedHeaders(self._headers, scope)

    @property
    def scheme(self) -> str:
        name: str = self.scope.scheme
        return name

    @property
    def query(self) -> str:
        text: str = self.scope.query_string
        return text

    def header(self, name: str) -> str | None:
        value: str | None = self._headers.get(name)
        if value is None and name == "host":  # HTTP/2 has it elsewhere
            value = self.scope.authority
        return value

    def names(self) -> list[str]:
        names: list[str] = self._headers.keys()
        return names

    def headers(self) -> list[tuple[str, str]]:
        """All request headers, names in lower case."""
        items: list[tuple[str, str]] = self._headers.items()
        return items

    def body(self, limit: int) -> Coroutine[Any, Any, bytes]:
        length = self._headers.get("content-length")
        if length is not None and length.isascii() and length.isdigit():
            self._size = int(length)
            if self._size <= limit:
                return self._arrived(self._protocol(), self._body_deadline.waiting)
            if "expect" in self._headers:  # the client asks whether to send it
                raise too_large(limit)
        return self._in_chunks(limit)

    async def _arrived(self, reading: Any, waiting: set[Any]) -> bytes:
        """The body, or a part of it, that ``reading`` gives, if it does before its deadline, which
        is that of ``waiting``."""
        waiting.add(reading)
        try:
            part: bytes = await reading
            if reading in waiting:
                return part
        except ProtocolClosed:
            raise self._cut() from None
        except asyncio.CancelledError:
            if reading in waiting:  # cancelled by somebody else
                raise
        finally:
            waiting.discard(reading)
            # It keeps the error it raises, whose traceback has this frame: a circle, and one that
            # no garbage collection finds, as it goes through Granian.
            del reading
        raise self._body_deadline.late()

    async def _in_chunks(self, limit: int) -> bytes:
        size = hollow = 0
        chunks = []
        waiting = self._body_deadline.waiting
        arriving = aiter(self._protocol)
        while size <= DRAIN * limit:
            try:
                chunk = await self._arrived(anext(arriving), waiting)
            except StopAsyncIteration:
                break
            size += len(chunk)
            hollow = 0 if chunk else hollow + 1
            if hollow > MOST_HOLLOW:
                raise self._cut()
            if size <= limit:
                chunks.append(chunk)
        if size > limit:
            raise too_large(limit)
        # One empty chunk is the end. HTTP/1 has no others but for trailers, which are announced:
        # Granian yields one more for a body that breaks off.
        if (
            chunks[-2:] == [b"", b""]
            and self.scope.http_version.startswith("1")
            and "trailer" not in self._headers
        ):
            raise self._cut()
        return b"".join(chunks)

    def _cut(self) -> Gone:
        """A body that broke off. Its client may have closed only one side and still listen."""
        self._protocol.response_empty(400, [])
        return Gone()

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        if self.also:
            headers = [*headers, *self.also]
        if len(body) > PIECE and self.method != "HEAD":
            stream = self._opened(status, [*headers, ("content-length", str(len(body)))])
            stream.send(body)
            stream.close()
            return
        if self.scope.http_version == "2":  # where answers wait side by side
            outflow = self._clients.outflow(self.scope)
            if outflow.sent > outflow.limit:
                outflow.exceeded()
            outflow.sent += len(body)
        self._protocol.response_bytes(status, headers, body)

    def open(self, status: int, headers: Headers) -> Stream:
        return self._opened(status, [*headers, *self.also] if self.also else headers)

    def _opened(self, status: int, headers: Headers) -> RSGIStream:
        self._outflow = outflow = self._clients.outflow(self.scope)
        return RSGIStream(self._protocol.response_stream(status, headers), outflow)

    def arrived(self, begun: int, read: int, waits: bool) -> int:
        handed = self._handed
        if read - handed < CALM:
            return handed
        large = self._size > LARGE
        if not (waits or large) and self._arrivals.resting(read):
            return handed
        seen, connection = Waypoints(handed, begun, read), self.connection()
        if connection is None:
            return arrival(seen, None, large)
        return self._arrivals.of(seen, *connection, waits, large)

    def connection(self) -> tuple[str, str] | None:
        scope = self.scope
        return None if scope.http_version == "2" else (scope.client, scope.server)

    async def left(self) -> None:
        """Returns when the client has closed its connection."""
        await self._protocol.client_disconnect()

    def unread(self) -> int:
        acknowledged = self.peer().acknowledged()
        return 0 if acknowledged is None else self._outflow.waiting(acknowledged)

    def peer(self) -> Connection:
        # Few requests ask, so no request pays for what is not there yet.
        found: Connection | None = getattr(self, "_peer", None)
        if found is None:
            plain = self.scope.http_version.startswith("1") and self.scope.scheme == "http"
            found = self._peer = Connection(self.scope.client, plain)
        return found


_WRAPPER = "_future_watcher_wrapper"


def stamp_hand_over() -> None:
    """Have Granian tell the application when it handed a request over, µs of the monotonic clock,
    as a third argument. To be called in each worker before it serves."""
    setattr(granian_workers, _WRAPPER, _stamping)


def _stamping(answer: Callable[[Any, Any, int], Awaitable[None]]) -> Callable[[Any], Any]:
    """Granian's own wrapper of an application, with the time. What this gives is called by the
    HTTP server's thread, and the coroutine it makes then runs on the event loop."""

    async def watch(watcher: Any, handed: int) -> None:
        try:
            await answer(watcher.scope, watcher.proto, handed)
        except BaseException as error:
            watcher.err(error)
            return
        watcher.done()

    return lambda watcher: watch(watcher, precise_us())
