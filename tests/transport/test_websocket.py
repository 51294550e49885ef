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
MAX_AHEAD = 100
MAX_UNSENT = 200
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


def socket(transport: Transport, behind: Callable[[], None] = lambda: None) -> Socket:
    return Socket(SCOPE, transport, MAX_AHEAD, MAX_UNSENT, behind)


def connected(scene: Callable[[Socket, Transport], Awaitable[T]]) -> T:
    async def run() -> T:
        transport = Transport()
        return await asyncio.wait_for(scene(socket(transport), transport), 10)

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


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_client_that_leaves_too_much_unread_is_behind() -> None:
    async def run() -> None:
        class Stuck(Transport):
            async def send_str(self, text: str) -> None:
                await asyncio.Event().wait()

        behind: list[int] = []
        one = socket(Stuck(), lambda: behind.append(1))
        while one.send(b"x" * 60):
            await turns()
        assert one.gone.is_set()
        assert not one.send(b"x")
        assert (one._unsent, behind) == (240, [1])
        one.release()

    asyncio.run(run())


def test_one_that_reads_is_sent_any_amount() -> None:
    async def scene(one: Socket, transport: Transport) -> None:
        for _ in range(20):
            assert one.send(b"x" * 60)
            await turns()
        assert len(transport.sent) == 20

    connected(scene)


def test_no_more_is_read_ahead_than_is_answered() -> None:
    async def scene(one: Socket, transport: Transport) -> None:
        for _ in range(6):
            transport.inbox.put_nowait("x" * 60)
        await turns()
        assert transport.inbox.qsize() == 4  # 120 bytes are more than 100
        assert await one.receive() == "x" * 60
        await turns()
        assert transport.inbox.qsize() == 3
        for _ in range(5):
            assert await one.receive() == "x" * 60
        transport.inbox.put_nowait(None)
        assert await one.receive() is None

    connected(scene)


def test_a_connection_that_is_let_go_keeps_no_task() -> None:
    async def scene(one: Socket, transport: Transport) -> None:
        one.send(b"slow")
        one.release()
        await turns()
        assert all(task.done() for task in one._tasks)

    connected(scene)
