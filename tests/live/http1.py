"""HTTP/1.1 over a raw socket: a client that can misbehave, and thousands fit one process."""

import asyncio
import json
import socket
import struct
from contextvars import ContextVar
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, NamedTuple, Self

from llmsim.state.shm import journal

HOST = "127.0.0.1"
CHAT = "/v1/chat/completions"


class Secured(NamedTuple):
    """How clients speak TLS: those of HTTP/1 and of WebSockets, and those of HTTP/2."""

    http1: SSLContext
    http2: SSLContext


secured: ContextVar[Secured | None] = ContextVar("secured", default=None)
"""What connections speak that are not told otherwise: plain HTTP, unless this is set."""


@dataclass(frozen=True, slots=True)
class Head:
    """A response's status and headers, names in lower case."""

    status: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def chat(content: str = "hi", **fields: Any) -> bytes:
    """The body of a chat request."""
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": content}]}
    return json.dumps(asked | fields).encode()


def request(method: str, path: str, body: bytes = b"", *lines: str) -> bytes:
    """A whole request as bytes, with further header ``lines``."""
    head = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", *lines]
    if body or method == "POST":
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


def post(body: bytes, *lines: str) -> bytes:
    """A whole chat request."""
    return request("POST", CHAT, body, *lines)


def chunked(body: bytes, size: int = 10) -> bytes:
    """A whole chat request that does not say how long its body is, in chunks of ``size``."""
    head = request("GET", CHAT, b"", "Transfer-Encoding: chunked").replace(b"GET", b"POST", 1)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in [*pieces, b""])


def slot_of(name: str) -> int:
    """The slot of the worker that answered, which is part of every id."""
    place = journal.slot_of(name)
    assert place is not None, f"{name} is no id of a request"
    return place[0]


class Connection:
    """One connection; ``async with await Connection.to(port)`` closes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._left: int | None = 0  # of the body, None while it is chunked
        self._bodiless = False
        self._buffer = b""  # of a stream, up to the end of an event

    @classmethod
    async def to(
        cls, port: int, receive_buffer: int | None = None, tls: SSLContext | None = None
    ) -> Self:
        """Connect; a small ``receive_buffer`` (bytes) makes a reader that soon holds things up."""
        usual = secured.get()
        if tls is None and usual is not None:
            tls = usual.http1
        if receive_buffer is None:
            return cls(*await asyncio.open_connection(HOST, port, ssl=tls))
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (HOST, port))
        name = None if tls is None else HOST
        return cls(
            *await asyncio.open_connection(
                sock=sock, limit=receive_buffer, ssl=tls, server_hostname=name
            )
        )

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def head(self) -> Head:
        """The next response's head, an interim one (1xx) as well."""
        raw = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = raw.decode("latin-1").split("\r\n")[:-2]
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        code = int(status.split(" ")[1])
        chunked = headers.get("transfer-encoding") == "chunked"
        self._left = None if chunked else int(headers.get("content-length", 0))
        if self._bodiless or code < 200 or code in (204, 304):
            self._left = 0
        return Head(code, headers)

    async def piece(self) -> bytes:
        """The next piece of the body, b"" at its end. Raises IncompleteReadError if it is cut."""
        if self._left is None:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            data = await self._reader.readexactly(size + 2)
            if not size:
                self._left = 0
            return data[:-2]
        size, self._left = self._left, 0
        return await self._reader.readexactly(size) if size else b""

    async def rest(self) -> bytes:
        """The body from here to its end."""
        pieces = []
        while piece := await self.piece():
            pieces.append(piece)
        return b"".join(pieces)

    async def event(self) -> str | None:
        """The data of a stream's next event, None at its end."""
        while b"\n\n" not in self._buffer:
            piece = await self.piece()
            if not piece:
                assert not self._buffer, f"cut inside an event: {self._buffer!r}"
                return None
            self._buffer += piece
        raw, self._buffer = self._buffer.split(b"\n\n", 1)
        assert raw.startswith(b"data: "), raw
        return raw.removeprefix(b"data: ").decode()

    async def events(self) -> list[str]:
        """The data of all events of a stream from here to its end."""
        found = []
        while (event := await self.event()) is not None:
            found.append(event)
        return found

    async def answer(self) -> Answer:
        """The next whole response."""
        head = await self.head()
        return Answer(head.status, head.headers, await self.rest())

    async def ask(self, method: str, path: str, body: bytes = b"", *lines: str) -> Answer:
        """Send a request and take its response."""
        await self.send(request(method, path, body, *lines))
        self._bodiless = method == "HEAD"
        try:
            return await self.answer()
        finally:
            self._bodiless = False

    async def ended(self) -> bool:
        """Wait until the server closes; whether it did so without sending anything more."""
        try:
            return await self._reader.read(1) == b""
        except ConnectionError:
            return True

    async def some(self) -> bytes:
        """Whatever comes next, as it is on the wire."""
        return await self._reader.read(1 << 16)

    async def drained(self) -> bool:
        """Wait until the server closes, whatever it sends before that; False after a second."""
        try:
            async with asyncio.timeout(1):
                while await self._reader.read(1 << 16):
                    pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    def finish(self) -> None:
        """Half-close: nothing more will be sent, but an answer is still awaited."""
        self._writer.write_eof()

    def vanish(self) -> None:
        """Break the connection off with a reset, as a killed process does."""
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        """Close in good order."""
        self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()


def in_turn(port: int, *requests: bytes) -> list[Answer]:
    """Send requests over one connection, each once the one before it is answered."""

    async def scene() -> list[Answer]:
        answers = []
        async with await Connection.to(port) as connection:
            for one in requests:
                await connection.send(one)
                answers.append(await connection.answer())
        return answers

    return asyncio.run(scene())
