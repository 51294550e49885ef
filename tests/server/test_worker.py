"""Where a worker sends a request: hot handlers, Starlette, WebSockets; and who is refused."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # re-exported
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from llmsim.config import Config
from llmsim.server.application import build
from llmsim.server.router import PatternRoute, Router
from llmsim.server.worker import WorkerApp
from llmsim.state.shared_state import new_segment
from llmsim.state.sqlite import new_store
from llmsim.transport.port import Port
from llmsim.transport.websocket import Socket
from tests.runtime.worker import configured

CONFIG = """
server: {journal_mb: 1, max_body_bytes: 1024}
"""


class Protocol:
    """Granian's side of an HTTP request."""

    def __init__(self, body: bytes, broken_off: bool = False) -> None:
        self._body = body
        self._broken_off = broken_off
        self.sent: list[tuple[int, dict[str, str], bytes]] = []

    async def __call__(self) -> bytes:
        if self._broken_off:
            raise ProtocolClosed
        return self._body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body

    async def client_disconnect(self) -> None:
        await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.sent.append((status, dict(headers), body))

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.response_bytes(status, headers, b"")


class WebSocketProtocol:
    """Granian's side of a WebSocket whose client sends nothing and leaves."""

    def __init__(self) -> None:
        self.accepted = False
        self.closed: list[int | None] = []

    async def accept(self) -> "WebSocketProtocol":
        self.accepted = True
        return self

    async def receive(self) -> Any:
        raise ProtocolClosed

    def close(self, status: int | None = None) -> None:
        self.closed.append(status)


def scope(method: str, path: str, headers: dict[str, str], proto: str = "http") -> Any:
    return SimpleNamespace(
        proto=proto,
        http_version="1.1",
        scheme="http",
        method=method,
        path=path,
        query_string="",
        headers=headers,
        authority=None,
        client="127.0.0.1:50000",
        server="127.0.0.1:8080",
    )


class Answering:
    """A handler that answers with its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, port: Port) -> None:
        port.respond(200, [], self.name.encode())


def _is_thing(path: str) -> bool:
    return path.startswith("/v1/things/")


async def cold(request: Request) -> Response:
    return PlainTextResponse(b"cold " + await request.body())


class Scene:
    """A worker with a few paths, that has not begun to serve."""

    def __init__(self, config: Config, store: str) -> None:
        self.talked: list[Socket] = []
        self._app = WorkerApp(
            config, new_segment(config).path, str(Path(store).parent), store, lambda: config
        )
        router = Router()
        router.hot["POST", "/v1/hot"] = Answering("hot")
        things = PatternRoute(
            "GET", lambda path: path.startswith("/v1/things/"), Answering("thing")
        )
        router.patterns.append(things)
        router.cold.append(Route("/v1/cold", cold, methods=["POST"]))
        router.websockets["/v1/socket"] = self._talk
        self._app.serve(router, build(router))

    async def _talk(self, socket: Socket) -> None:
        self.talked.append(socket)
        await socket.close()

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        broken_off: bool = False,
        **headers: str,
    ) -> list[tuple[int, dict[str, str], bytes]]:
        """Everything that is sent in answer to a request."""
        protocol = Protocol(body, broken_off)
        sent = {"content-length": str(len(body)), **headers}

        async def run() -> None:
            await self._app.__rsgi__(scope(method, path, sent), protocol)

        asyncio.run(run())
        return protocol.sent

    def connect(self, path: str, **headers: str) -> WebSocketProtocol:
        protocol = WebSocketProtocol()

        async def run() -> None:
            await self._app.__rsgi__(scope("GET", path, headers, proto="ws"), protocol)

        asyncio.run(run())
        return protocol


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Callable[[str], Scene]]:
    with new_store() as store:
        yield lambda text: Scene(configured(CONFIG + text, tmp_path), store)


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("POST", "/v1/hot", b"", b"hot"),
        ("GET", "/v1/things/x", b"", b"thing"),
        ("POST", "/v1/cold", b"body", b"cold body"),
    ],
)
def test_a_request_reaches_its_handler(
    scene: Callable[[str], Scene], method: str, path: str, body: bytes, answer: bytes
) -> None:
    ((status, _, sent),) = scene("").request(method, path, body)
    assert (status, sent) == (200, answer)


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/v1/nothing", 404, "invalid_request_error"),
        ("GET", "/v1/messages/nothing", 404, "not_found_error"),
        ("GET", "/v1/hot", 405, "invalid_request_error"),
        ("POST", "/v1/things/x", 405, "invalid_request_error"),
    ],
)
def test_a_path_or_method_that_is_not_served(
    scene: Callable[[str], Scene], method: str, path: str, status: int, kind: str
) -> None:
    ((sent, headers, body),) = scene("").request(method, path)
    assert (sent, orjson.loads(body)["error"]["type"]) == (status, kind)
    if status == 405:
        assert headers["allow"] == ("POST" if path == "/v1/hot" else "GET, HEAD")


def test_a_body_that_is_too_large_for_a_cold_path(scene: Callable[[str], Scene]) -> None:
    ((status, _, body),) = scene("").request("POST", "/v1/cold", b"x" * 2000)
    assert status == 413
    assert "1024 bytes" in orjson.loads(body)["error"]["message"]


def test_a_client_that_leaves_while_it_sends_gets_no_answer_of_the_application(
    scene: Callable[[str], Scene],
) -> None:
    sent = scene("").request("POST", "/v1/cold", b"bo", broken_off=True)
    assert [(status, body) for status, _, body in sent] == [(400, b"")]


@pytest.mark.parametrize("path", ["/v1/hot", "/v1/cold", "/v1/nothing"])
def test_without_an_api_key_nothing_of_a_provider_is_reached(
    scene: Callable[[str], Scene], path: str
) -> None:
    keyed = scene("keys: [sk-one]")
    ((status, _, _),) = keyed.request("POST", path)
    assert status == 401
    ((status, _, _),) = keyed.request("POST", path, authorization="Bearer sk-one")
    assert status != 401


def test_a_websocket_is_accepted_handled_and_closed(scene: Callable[[str], Scene]) -> None:
    made = scene("")
    protocol = made.connect("/v1/socket")
    assert protocol.accepted
    assert [socket.path for socket in made.talked] == ["/v1/socket"]
    assert protocol.closed == [None]


@pytest.mark.parametrize(
    ("text", "path", "headers", "status"),
    [
        ("", "/v1/hot", {}, 404),
        ("", "/v1/nothing", {}, 404),
        ("keys: [sk-one]", "/v1/socket", {}, 401),
        ("keys: [sk-one]", "/v1/socket", {"authorization": "Bearer sk-two"}, 401),
    ],
)
def test_a_websocket_that_is_refused_is_never_accepted(
    scene: Callable[[str], Scene], text: str, path: str, headers: dict[str, str], status: int
) -> None:
    made = scene(text)
    protocol = made.connect(path, **headers)
    assert not protocol.accepted
    assert protocol.closed == [status]
    assert made.talked == []


def test_a_websocket_with_an_api_key(scene: Callable[[str], Scene]) -> None:
    assert scene("keys: [sk-one]").connect("/v1/socket", authorization="Bearer sk-one").accepted
