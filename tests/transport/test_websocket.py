"""The WebSocket port over a transport that sends in any order it likes."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import TypeVar

import pytest
from granian.rsgi import (  # type: ignore[attr-defined]
    ProtocolClosed,
    ProtocolError,
    WebsocketMessageType,
)

from llmsim.transport.websocket import Socket

T = TypeVar("T")
SCOPE = SimpleNamespace(path="/v1/responses", scheme="ws", headers={"authorization": "x"})


class Transport:
    """What arrives is put into ``inbox``; a close message or an exception ends it."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[object] = asyncio.Queue()
        self.sent: list[str] = []
        self.broken: Exception | None = None

    async def receive(self) -> object:
        got = await self.inbox.get()
        if isinstance(got, Exception):
            raise got
        if got is None:
            return SimpleNamespace(kind=WebsocketMessageType.close)
        kind = WebsocketMessageType.string if isinstance(got, str) else WebsocketMessageType.bytes
        return SimpleNamespace(kind=kind, data=got)

    async def send_str(self, text: str) -> None:
        if self.broken is not None:
            raise self.broken
        for _ in range(3 if text == "slow" else 0):
            await asyncio.sleep(0)
        self.sent.append(text)


def connected(scene: Callable[[Socket, Transport], Awaitable[T]]) -> T:
    async def run() -> T:
        transport = Transport()
        return await asyncio.wait_for(scene(Socket(SCOPE, transport), transport), 10)

    return asyncio.run(run())


def test_what_opened_the_connection() -> None:
    async def scene(socket: Socket, transport: Transport) -> None:
        assert (socket.path, socket.scheme) == ("/v1/responses", "http")
        assert (socket.header("authorization"), socket.header("cookie")) == ("x", None)
        transport.inbox.put_nowait(None)
        await socket.close()

    connected(scene)


@pytest.mark.parametrize("end", [None, ProtocolClosed(), ProtocolError()])
def test_messages_until_the_client_leaves(end: object) -> None:
    async def scene(socket: Socket, transport: Transport) -> None:
        for message in ("a", b"b", end):
            transport.inbox.put_nowait(message)
        got = [await socket.receive() for _ in range(3)]
        assert got == ["a", b"b", None]
        assert socket.gone.is_set()
        assert not socket.send(b"too late")
        await socket.close()
        assert transport.sent == []

    connected(scene)


def test_messages_leave_in_their_order() -> None:
    async def scene(socket: Socket, transport: Transport) -> None:
        for text in (b"slow", b"one", b"slow", "zwö".encode()):
            assert socket.send(text)
        transport.inbox.put_nowait(None)
        await socket.close()
        assert transport.sent == ["slow", "one", "slow", "zwö"]

    connected(scene)


def test_a_client_that_can_not_be_reached_is_gone() -> None:
    async def scene(socket: Socket, transport: Transport) -> None:
        transport.broken = ProtocolClosed()
        assert socket.send(b"one")
        await socket.gone.wait()
        assert not socket.send(b"two")
        transport.inbox.put_nowait(ProtocolClosed())
        assert await socket.receive() is None
        await socket.close()

    connected(scene)
