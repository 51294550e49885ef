"""ASGI applications under an RSGI port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from llmsim.transport.bridge import bridge
from llmsim.transport.rsgi import RSGIPort

START = {"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"caf\xe9")]}


class Stream:
    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False
        self.gone = False

    def send(self, data: bytes) -> bool:
        self.sent.append(data)
        return not self.gone

    def close(self) -> None:
        self.closed = True


class Port:
    """The RSGI port of one request, and what is answered to it."""

    method, path, query = "GET", "/a%20b/%ff", "q=%20"

    def __init__(self, **scope: Any) -> None:
        known = {
            "client": "127.0.0.1:50000",
            "server": "127.0.0.1:8080",
            "authority": None,
            "http_version": "1.1",
            "scheme": "http",
        }
        self.scope = SimpleNamespace(**{**known, **scope})
        self.answered: list[tuple[int, list[tuple[str, str]], bytes | None]] = []
        self.stream = Stream()
        self.gone = asyncio.Event()

    def headers(self) -> list[tuple[str, str]]:
        return [("x-b", "c\xe9")]

    def respond(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answered.append((status, headers, body))

    def open(self, status: int, headers: list[tuple[str, str]]) -> Stream:
        self.answered.append((status, headers, None))
        return self.stream

    async def left(self) -> None:
        await self.gone.wait()


def bridged(
    app: Callable[[Any, Any, Any], Awaitable[None]], port: Port, body: bytes = b"body"
) -> Port:
    async def run() -> None:
        await asyncio.wait_for(bridge(app, cast("RSGIPort", port), body), 10)

    asyncio.run(run())
    return port


def seen(**scope: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def app(asgi: Any, receive: Any, send: Any) -> None:
        found.update(asgi)

    bridged(app, Port(**scope))
    return found


def test_the_scope_of_a_request() -> None:
    scope = seen()
    assert scope["path"] == "/a b/\N{REPLACEMENT CHARACTER}"
    assert scope["raw_path"] == b"/a%20b/%ff"
    assert scope["query_string"] == b"q=%20"
    assert scope["headers"] == [(b"x-b", b"c\xe9")]
    assert (scope["client"], scope["server"]) == (("127.0.0.1", 50000), ("127.0.0.1", 8080))
    assert (scope["method"], scope["scheme"], scope["http_version"]) == ("GET", "http", "1.1")


def test_what_http2_calls_authority_is_the_host() -> None:
    assert (b"host", b"llm.example") in seen(authority="llm.example")["headers"]


def test_addresses_that_are_none() -> None:
    scope = seen(client="unix:", server="")
    assert (scope["client"], scope["server"]) == (None, None)


def test_a_whole_answer() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        await send(START)
        await send({"type": "http.response.body", "body": message["body"][::-1]})

    assert bridged(app, Port()).answered == [(201, [("x-a", "caf\xe9")], b"ydob")]


def test_an_answer_in_parts() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        for part in (b"one", b"", b"two"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    port = bridged(app, Port())
    assert port.answered == [(201, [("x-a", "caf\xe9")], None)]
    assert (port.stream.sent, port.stream.closed) == ([b"one", b"two"], True)


def test_a_client_that_has_gone_is_an_error_to_who_sends() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        with pytest.raises(OSError, match="gone"):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    port = Port()
    port.stream.gone = True
    bridged(app, port)


@pytest.mark.parametrize("end", ["client", "answer"])
def test_after_the_body_comes_the_end(end: str) -> None:
    port = Port()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert await receive() == {"type": "http.request", "body": b"body", "more_body": False}
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not waiting.done()
        if end == "client":
            port.gone.set()
        else:
            await send(START)
            await send({"type": "http.response.body"})
        assert await waiting == {"type": "http.disconnect"}

    bridged(app, port)
