"""The port over ASGI: the same handlers under a test client or another server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Scope, Send

from llmsim.core import Headers
from llmsim.core.plan import PIECE, Chunk, pieces
from llmsim.transport.port import DRAIN, Gone, Port, too_large

Handler = Callable[[Port], Awaitable[None]]
_ABORT: Message = {"type": "llmsim.abort"}


class ASGIStream:
    """A response body over ASGI; what is sent is queued for the task that owns the response."""

    def __init__(self, outbox: asyncio.Queue[Message | None], gone: bool) -> None:
        self._outbox = outbox
        self.gone = gone

    def send(self, data: Chunk) -> bool:
        if self.gone:
            return False
        self._outbox.put_nowait({"type": "http.response.body", "body": data, "more_body": True})
        return True

    def close(self) -> None:
        self._outbox.put_nowait({"type": "http.response.body", "body": b""})
        self._outbox.put_nowait(None)


class ASGIPort:
    """One HTTP request over ASGI."""

    socket = None

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        self._receive = receive
        self.outbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self.read = asyncio.Event()
        self._gone = asyncio.Event()
        self._receiving = asyncio.Lock()
        self.stream: ASGIStream | None = None
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.scheme: str = scope["scheme"]
        self.query: str = scope["query_string"].decode("latin-1")

    def header(self, name: str) -> str | None:
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def names(self) -> list[str]:
        return list(self._headers)

    async def body(self, limit: int) -> bytes:
        size, chunks, more = 0, [], True
        while more and size <= DRAIN * limit:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._gone.set()
                self.read.set()
                raise Gone
            size += len(message.get("body", b""))
            if size <= limit:
                chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
        self.read.set()
        if size > limit:
            raise too_large(limit)
        return b"".join(chunks)

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        self._head(status, [*headers, ("content-length", str(len(body)))])
        self.outbox.put_nowait({"type": "http.response.body", "body": body})
        self.outbox.put_nowait(None)

    def open(self, status: int, headers: Headers) -> ASGIStream:
        self._head(status, headers)
        self.stream = ASGIStream(self.outbox, self._gone.is_set())
        return self.stream

    def arrived(self, begun: int, read: int, waits: bool) -> int:
        return read  # which waits for what the client has yet to send, and for little else

    def connection(self) -> None:
        return None

    async def left(self) -> None:
        if not self._gone.is_set():
            await self.read.wait()
            async with self._receiving:
                while not self._gone.is_set():
                    if (await self._receive())["type"] == "http.disconnect":
                        self._gone.set()

    def unread(self) -> int:
        return 0

    def peer(self) -> ASGIPort:
        """The port itself can break the connection, though not see it."""
        return self

    def written(self) -> None:
        return None

    def hang_up(self, reset: bool) -> None:
        """The server closes the connection under a response that has begun, and answers 500 in
        place of one that has not: no interface tells it to reset."""
        self.outbox.put_nowait(_ABORT)

    def _head(self, status: int, headers: Headers) -> None:
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self.outbox.put_nowait(
            {"type": "http.response.start", "status": status, "headers": encoded}
        )


class HotRoute:
    """A handler as an ASGI application."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._handling: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        port = ASGIPort(scope, receive)
        handling = asyncio.ensure_future(self._handler(port))
        self._handling.add(handling)
        handling.add_done_callback(self._handling.discard)
        handling.add_done_callback(lambda done: _failed(done, port))
        leaving = asyncio.ensure_future(_watch(port))
        try:
            while (message := await port.outbox.get()) is not None:
                if message is _ABORT:
                    raise ConnectionAbortedError("the response breaks off on purpose")
                if len(message.get("body", b"")) <= PIECE:
                    await send(message)
                    continue
                for piece in pieces(message["body"]):
                    await send({**message, "body": piece, "more_body": True})
                    await asyncio.sleep(0)
                if not message.get("more_body", False):
                    await send({**message, "body": b""})
        finally:
            leaving.cancel()
            if port.stream is not None:
                port.stream.gone = True


async def _watch(port: ASGIPort) -> None:
    """Send nothing more to a client that has gone. Its handler goes on: it has yet to count."""
    await port.left()
    if port.stream is not None:
        port.stream.gone = True
    port.outbox.put_nowait(None)


def _failed(handling: asyncio.Future[None], port: ASGIPort) -> None:
    """A handler that ended without an answer must not leave its caller waiting."""
    if handling.cancelled() or handling.exception() is not None:
        port.outbox.put_nowait(None)
