"""The port over ASGI, with a client that says when it leaves."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from llmsim.core.errors import BadRequest, FailureKind
from llmsim.core.plan import PIECE, LargeChunk
from llmsim.transport.asgi import ASGIPort, HotRoute
from llmsim.transport.port import DRAIN, Gone, Port

PATIENCE = 10.0
"""Seconds anything here may take: nothing has a reason to."""


class Client:
    """The server's side of one ASGI request: a body in parts, then silence until it leaves."""

    def __init__(self, *parts: bytes, whole: bool = True) -> None:
        self._messages = [
            {"type": "http.request", "body": part, "more_body": not whole or part is not parts[-1]}
            for part in parts
        ]
        self._left = asyncio.Event()
        self.read = 0
        self.received: list[dict[str, Any]] = []
        self.scope = {
            "type": "http",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/x",
            "query_string": b"a=%20b&c",
            "headers": [(b"content-type", b"application/json"), (b"x-name", b"caf\xe9")],
        }

    async def receive(self) -> dict[str, Any]:
        if self._messages:
            self.read += 1
            return self._messages.pop(0)
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.received.append(message)

    def leave(self) -> None:
        self._left.set()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.received[1:])


async def turns() -> None:
    """Let everything that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(test(), PATIENCE)

    asyncio.run(bounded())


def serving(client: Client, handler: Callable[[Port], Awaitable[None]]) -> "asyncio.Task[None]":
    return asyncio.create_task(HotRoute(handler)(client.scope, client.receive, client.send))


def test_a_port_tells_the_request() -> None:
    async def test() -> None:
        client = Client(b"")
        port = ASGIPort(client.scope, client.receive)
        assert (port.method, port.path, port.query) == ("POST", "/v1/x", "a=%20b&c")
        assert port.header("content-type") == "application/json"
        assert port.header("x-name") == "café"
        assert port.header("absent") is None

    run(test)


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_large_is_sent_in_pieces_with_time_for_others_between(stream: bool) -> None:
    async def test() -> None:
        client = Client(b"")
        large = LargeChunk([b"a" * PIECE] * 5 + [b"b"])
        others: list[int] = []

        async def other() -> None:
            while True:
                others.append(len(client.received))
                await asyncio.sleep(0)

        async def answer(port: Port) -> None:
            if not stream:
                port.respond(200, [], bytes(large))
                return
            opened = port.open(200, [])
            opened.send(large)
            opened.close()

        waiting = asyncio.create_task(other())
        await serving(client, answer)
        waiting.cancel()
        assert client.body == bytes(large)
        assert max(len(message.get("body", b"")) for message in client.received) <= PIECE
        assert [message.get("more_body", False) for message in client.received[1:]][-1] is False
        assert max(later - sooner for sooner, later in pairwise(others)) <= 3

    run(test)


@pytest.mark.parametrize("parts", [[b""], [b"whole"], [b"in ", b"", b"parts"]])
def test_the_body_is_whole(parts: list[bytes]) -> None:
    async def test() -> None:
        client = Client(*parts)
        assert await ASGIPort(client.scope, client.receive).body(100) == b"".join(parts)

    run(test)


@pytest.mark.parametrize("size", [10, 11, 30, 1000])
def test_a_body_over_the_limit_is_refused_once_it_is_read(size: int) -> None:
    async def test() -> None:
        parts = [bytes([number % 256]) for number in range(size)]
        client = Client(*parts)
        port = ASGIPort(client.scope, client.receive)
        if size <= 10:
            assert await port.body(10) == b"".join(parts)
            return
        with pytest.raises(BadRequest) as caught:
            await port.body(10)
        assert caught.value.failure.kind is FailureKind.TOO_LARGE
        assert client.read == min(size, DRAIN * 10 + 1)

    run(test)


def test_a_client_that_leaves_in_its_body_is_gone() -> None:
    async def test() -> None:
        client = Client(b"half", whole=False)
        seen: list[bool] = []

        async def handler(port: Port) -> None:
            with pytest.raises(Gone):
                await port.body(100)
            seen.append(True)

        route = serving(client, handler)
        await turns()
        client.leave()
        await route
        assert seen == [True]
        assert client.received == []

    run(test)


def test_a_response_is_sent_whole() -> None:
    async def test() -> None:
        client = Client(b"ping")

        async def handler(port: Port) -> None:
            body = await port.body(100)
            port.respond(418, [("content-type", "text/plain"), ("x-name", "café")], body + b" pong")

        await serving(client, handler)
        head, body = client.received
        assert head == {
            "type": "http.response.start",
            "status": 418,
            "headers": [
                (b"content-type", b"text/plain"),
                (b"x-name", b"caf\xe9"),
                (b"content-length", b"9"),
            ],
        }
        assert body == {"type": "http.response.body", "body": b"ping pong"}

    run(test)


def test_a_stream_outlives_its_handler() -> None:
    async def test() -> None:
        client = Client(b"")
        streams: list[Any] = []

        async def handler(port: Port) -> None:
            await port.body(100)
            streams.append(port.open(200, [("content-type", "text/event-stream")]))

        route = serving(client, handler)
        await turns()
        assert client.received == [
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream")],
            }
        ]
        for part in (b"one ", b"two"):
            assert streams[0].send(part)
            await turns()
            assert client.received[-1]["body"] == part, "sent at once"
            assert client.received[-1]["more_body"]
        streams[0].close()
        await route
        assert client.body == b"one two"
        assert not client.received[-1].get("more_body")
        assert not streams[0].send(b"more"), "nothing is sent after the end"

    run(test)


def test_a_stream_knows_when_its_client_has_left() -> None:
    async def test() -> None:
        client = Client(b"")
        streams: list[Any] = []

        async def handler(port: Port) -> None:
            await port.body(100)
            streams.append(port.open(200, []))

        route = serving(client, handler)
        await turns()
        assert streams[0].send(b"one")
        await turns()
        client.leave()
        await route
        assert not streams[0].send(b"two")
        streams[0].close()
        assert client.body == b"one"

    run(test)


def test_a_handler_may_finish_when_its_client_has_left() -> None:
    """It has to: what was begun is to be counted as ended."""

    async def test() -> None:
        client = Client(b"")
        goes_on = asyncio.Event()
        seen: list[object] = []

        async def handler(port: Port) -> None:
            await port.body(100)
            await port.left()
            seen.append("left")
            await goes_on.wait()
            stream = port.open(200, [])
            seen.append(stream.send(b"too late"))
            stream.close()

        route = serving(client, handler)
        await turns()
        assert seen == []
        client.leave()
        await route
        goes_on.set()
        await turns()
        assert seen == ["left", False]
        assert client.received == []

    run(test)


def test_a_handler_that_fails_keeps_nobody_waiting() -> None:
    async def test() -> None:
        client = Client(b"")

        async def handler(port: Port) -> None:
            raise RuntimeError("broken")

        await serving(client, handler)
        assert client.received == []

    run(test)


def test_several_may_wait_for_the_client_to_leave() -> None:
    async def test() -> None:
        client = Client(b"")
        port = ASGIPort(client.scope, client.receive)
        await port.body(100)
        waiting = [asyncio.create_task(port.left()) for _ in range(3)]
        await turns()
        waiting[0].cancel()
        client.leave()
        await asyncio.gather(*waiting[1:])
        await port.left()

    run(test)


def test_a_connection_that_is_hung_up_ends_the_call_with_an_error() -> None:
    async def test() -> None:
        client = Client(b"")

        async def handler(port: Port) -> None:
            stream = port.open(200, [])
            stream.send(b"half")
            assert port.peer().written() is None
            port.peer().hang_up(reset=True)
            stream.close()

        with pytest.raises(ConnectionAbortedError):
            await serving(client, handler)
        bodies = [one for one in client.received if one["type"] == "http.response.body"]
        assert [(one["body"], one["more_body"]) for one in bodies] == [(b"half", True)]

    run(test)
