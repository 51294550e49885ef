"""Responses over a WebSocket to a service: each message of the client asks for a turn, and those of
the service up to the one that ends it are its answer.

A turn is an exchange like any other. Its messages are kept as the events they are over HTTP.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import orjson
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.protocol import State

from llmsim.core import Headers
from llmsim.proxy.background import in_background
from llmsim.proxy.client.response import Frame, ServiceError, ServiceTimeout

CONNECT: Final = 10.0
"""Seconds in which a connection has to be made."""

MOST: Final = 64 * 2**20
"""Bytes of one message."""

ASKS: Final = "response.create"
ENDS: Final = ("response.completed", "response.failed", "response.incomplete", "error")
EVENT_STREAM: Final = ("content-type", "text/event-stream; charset=utf-8")
HANDSHAKE: Final = "sec-websocket-"


class LiveService:
    """An open connection to a service. ``timeout`` is for how many seconds it may say nothing."""

    def __init__(self, connection: ClientConnection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout

    @classmethod
    async def to(cls, url: str, headers: Headers, timeout: float) -> LiveService:
        """Connect. Raises ServiceError where nobody answers, or not by a WebSocket."""
        parts = urlsplit(url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        kept = [pair for pair in headers if not pair[0].startswith(HANDSHAKE)]
        try:
            connection = await connect(
                urlunsplit(parts._replace(scheme=scheme)),
                additional_headers=kept,
                user_agent_header=None,
                compression=None,
                proxy=None,
                open_timeout=CONNECT,
                ping_interval=None,
                max_size=MOST,
                process_exception=lambda error: error,
            )
        except TimeoutError:
            raise ServiceTimeout("no WebSocket in time") from None
        except (OSError, websockets.WebSocketException) as error:
            raise ServiceError(str(error)) from None
        return cls(connection, timeout)

    @property
    def closed(self) -> bool:
        """Whether it can no longer be used."""
        return self._connection.state is not State.OPEN

    async def send(self, message: bytes) -> None:
        """Pass a message on. Raises ServiceError."""
        try:
            await self._connection.send(message, text=True)
        except websockets.ConnectionClosed as error:
            raise ServiceError(str(error)) from None

    async def receive(self) -> bytes:
        """The next message. Raises ServiceError once the connection is closed, and ServiceTimeout
        where none comes."""
        try:
            async with asyncio.timeout(self._timeout):
                message = await self._connection.recv(decode=False)
        except TimeoutError:
            raise ServiceTimeout("no message in time") from None
        except websockets.ConnectionClosed as error:
            raise ServiceError(str(error)) from None
        return bytes(message)

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()


class LiveTurn:
    """The answer to one message, as an exchange takes an answer: with a head, and frames."""

    status = 200

    def __init__(self, service: LiveService) -> None:
        self.headers: Headers = [EVENT_STREAM]
        self._service = service
        self._over = False
        self._free = asyncio.Event()
        self._free.set()

    async def each(self, frame: Frame) -> None:
        """Each message as an event, up to the last one. Raises ServiceError."""
        while not self._over:
            await self._free.wait()
            message = await self._service.receive()
            kind = kind_of(message)
            self._over = kind in ENDS
            if not frame(event(kind, message)):
                return

    def hold(self) -> None:
        """Read no more of it for now."""
        self._free.clear()

    def go_on(self) -> None:
        """Read again."""
        self._free.set()

    def close(self) -> None:
        """A turn that is not over would answer the next one, too: its connection ends."""
        if not self._over:
            in_background(self._service.close())


def event(kind: str, message: bytes) -> bytes:
    """A message as the event it is over HTTP."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), message.replace(b"\n", b" "))


def kind_of(message: bytes) -> str:
    """The type that a message says it has."""
    return str(read(message).get("type", ""))


def stream_of(message: bytes) -> str | None:
    """The stream that a message belongs to, where several share a connection."""
    name = read(message).get("stream_id")
    return name if isinstance(name, str) else None


def read(message: bytes) -> dict[str, Any]:
    """A message's members; none where it is no JSON object."""
    try:
        found = orjson.loads(message)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def without_stream(message: bytes) -> bytes:
    """A message as if it came on a connection of its own."""
    members = read(message)
    if "stream_id" not in members:
        return message
    del members["stream_id"]
    return orjson.dumps(members)
