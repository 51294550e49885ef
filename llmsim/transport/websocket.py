"""A WebSocket over Granian's RSGI: texts in, texts out, both in their order."""

from __future__ import annotations

import asyncio
from typing import Any

from granian.rsgi import (  # type: ignore[attr-defined]  # re-exported
    ProtocolClosed,
    ProtocolError,
    WebsocketMessageType,
)

MOST_WAITING = 64
"""Messages a client may send ahead of the answers."""

CLOSED = (ProtocolClosed, ProtocolError)


class Socket:
    """One open connection.

    Reading goes on while answers are sent, so that pings are answered and a client that leaves
    is noticed. What is sent is queued for one writer: the transport does not keep an order.
    """

    def __init__(self, scope: Any, transport: Any) -> None:
        self.path: str = scope.path
        self.scheme: str = "https" if scope.scheme in ("wss", "https") else "http"
        self.gone = asyncio.Event()
        self._headers = scope.headers
        self._transport = transport
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue(MOST_WAITING)
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._write())]

    def header(self, name: str) -> str | None:
        """A header of the request that opened the connection, by its lower-case name."""
        value: str | None = self._headers.get(name)
        return value

    def names(self) -> list[str]:
        """The names of its headers, in lower case."""
        names: list[str] = self._headers.keys()
        return names

    async def receive(self) -> str | bytes | None:
        """The next message; None once the client has gone."""
        return await self._inbox.get()

    def send(self, text: bytes) -> bool:
        """Send a message; False if the client has gone."""
        if self.gone.is_set():
            return False
        self._outbox.put_nowait(text.decode())
        return True

    async def close(self) -> None:
        """Return when all is written or nobody reads it any more."""
        self._outbox.put_nowait(None)
        await asyncio.wait(self._tasks)

    async def _read(self) -> None:
        try:
            while (message := await self._transport.receive()).kind != WebsocketMessageType.close:
                await self._inbox.put(message.data)
        except CLOSED:
            pass
        self.gone.set()
        await self._inbox.put(None)

    async def _write(self) -> None:
        while (text := await self._outbox.get()) is not None:
            try:
                await self._transport.send_str(text)
            except CLOSED:
                self.gone.set()
                return
