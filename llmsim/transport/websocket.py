"""A WebSocket over Granian's RSGI: texts in, texts out, both in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from granian.rsgi import (  # type: ignore[attr-defined]  # re-exported
    ProtocolClosed,
    ProtocolError,
    WebsocketMessageType,
)

from llmsim.transport.rsgi import ScopedHeaders

MOST_WAITING = 64
"""Messages a client may send ahead of the answers."""

CLOSED = (ProtocolClosed, ProtocolError)


class Socket:
    """One open connection.

    Reading goes on while answers are sent, so that pings are answered and a client that leaves
    is noticed, until as much waits as ``max_ahead`` bytes. What is sent is queued for one writer:
    the transport does not keep an order. ``behind`` is called once if a client leaves more than
    ``max_unsent`` bytes of it unread, and has to break the connection.
    """

    def __init__(
        self,
        scope: Any,
        transport: Any,
        max_ahead: int,
        max_unsent: int,
        behind: Callable[[], None],
    ) -> None:
        self.path: str = scope.path
        self.scheme: str = "https" if scope.scheme in ("wss", "https") else "http"
        self.gone = asyncio.Event()
        self._headers = scope.headers
        self._transport = transport
        self._max_ahead = max_ahead
        self._max_unsent = max_unsent
        self._behind = behind
        self._ahead = self._unsent = 0
        self._room = asyncio.Event()
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue(MOST_WAITING)
        self._outbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._write())]

    def enter(self, scope: str, path: str) -> None:
        """The connection was opened to ``path`` in a scope, as if its header said so."""
        self.path = path
        self._headers = ScopedHeaders(self._headers, scope)

    def header(self, name: str) -> str | None:
        """A header of the request that opened the connection, by its lower-case name."""
        value: str | None = self._headers.get(name)
        return value

    def names(self) -> list[str]:
        """The names of its headers, in lower case."""
        names: list[str] = self._headers.keys()
        return names

    @property
    def unsent(self) -> int:
        """How many bytes wait to be sent."""
        return self._unsent

    async def receive(self) -> str | bytes | None:
        """The next message; None once the client has gone."""
        message = await self._inbox.get()
        self._ahead -= len(message or b"")
        self._room.set()
        return message

    def send(self, text: bytes) -> bool:
        """Send a message; False if the client has gone."""
        if self.gone.is_set():
            return False
        if self._unsent > self._max_unsent:
            self.gone.set()
            self._behind()
            return False
        self._unsent += len(text)
        self._outbox.put_nowait(text)
        return True

    async def close(self) -> None:
        """Return when all is written or nobody reads it any more."""
        self._outbox.put_nowait(None)
        await asyncio.wait(self._tasks)

    def release(self) -> None:
        """Let go of the connection, whatever waits."""
        for task in self._tasks:
            task.cancel()

    async def _read(self) -> None:
        try:
            while (message := await self._transport.receive()).kind != WebsocketMessageType.close:
                self._ahead += len(message.data)
                await self._inbox.put(message.data)
                while self._ahead > self._max_ahead:
                    self._room.clear()
                    await self._room.wait()
        except CLOSED:
            pass
        self.gone.set()
        await self._inbox.put(None)

    async def _write(self) -> None:
        while (text := await self._outbox.get()) is not None:
            try:
                await self._transport.send_str(text.decode())
            except CLOSED:
                self.gone.set()
                return
            self._unsent -= len(text)
