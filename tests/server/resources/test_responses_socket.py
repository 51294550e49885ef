"""Responses over a WebSocket: one turn after another, told as messages."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import orjson
import pytest

from llmsim.core import Stamp
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.pipeline.context import Call
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.provider import OPENAI, RESPONSES
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.openai.responses.response_object import response_id
from llmsim.providers.provider import Endpoint
from llmsim.providers.wire import sse
from llmsim.server.resources.responses_socket import ResponsesSession, SocketPort
from llmsim.state.sqlite import Store, new_store
from llmsim.transport.port import Port
from tests.server.responding import World


class Socket:
    """A connection whose client has sent all it will."""

    def __init__(self, messages: Sequence[str | bytes]) -> None:
        self.path, self.scheme = "/v1/responses", "http"
        self.gone = asyncio.Event()
        self.sent: list[Any] = []
        self.closed = False
        self._messages = iter([*messages, None])

    def header(self, name: str) -> str | None:
        return "Bearer x" if name == "authorization" else None

    async def receive(self) -> str | bytes | None:
        return next(self._messages)

    def send(self, text: bytes) -> bool:
        self.sent.append(orjson.loads(text))
        return not self.gone.is_set()

    async def close(self) -> None:
        self.closed = True


class Answering:
    """Takes requests from a port as the real one does, and answers with what ``say`` does."""

    def __init__(self, say: Callable[[Port, bytes], None]) -> None:
        self.bodies: list[bytes] = []
        self._say = say

    async def answer(self, port: Port, endpoint: Endpoint, memory: ResponsesSession) -> None:
        body = await port.body(1000)
        self.bodies.append(body)
        self._say(port, body)


def served(say: Callable[[Port, bytes], None], *messages: str | bytes) -> tuple[Socket, Answering]:
    async def run() -> tuple[Socket, Answering]:
        socket, answering = Socket(messages), Answering(say)
        with new_store() as path, closing(Store(path)) as store:
            world = World(store)
            codec = OpenAIResponses(live=True)
            endpoint = OPENAI.endpoint(RESPONSES, codec)
            session = ResponsesSession(socket, endpoint, answering, world.responses)  # type: ignore[arg-type]
            await asyncio.wait_for(session.serve(), 10)
        return socket, answering

    return asyncio.run(run())


def streaming(port: Port, body: bytes) -> None:
    """Three events, two of them in one chunk, and the end a little later."""
    stream = port.open(200, [])
    stream.send(sse.event(b'{"type":"a"}', b"a"))
    stream.send(sse.event(b'{"type":"b","text":"data: x"}', b"b") + sse.event(b'{"type":"c"}'))
    asyncio.get_running_loop().call_soon(stream.close)


def refusing(port: Port, body: bytes) -> None:
    status, said = openai_errors.failure(Failure(FailureKind.RATE_LIMIT, "slow"))
    port.respond(status, [("retry-after", "2")], said)


CREATE = '{"type":"response.create","model":"gpt-4o","input":"hi"}'


def test_every_event_is_a_message_and_every_message_a_turn() -> None:
    socket, answering = served(streaming, CREATE, CREATE.encode())
    assert answering.bodies == [CREATE.encode()] * 2
    assert [one["type"] for one in socket.sent] == ["a", "b", "c"] * 2
    assert socket.sent[1]["text"] == "data: x"
    assert socket.closed


def test_a_turn_waits_for_the_one_before_it() -> None:
    order: list[str] = []

    def slowly(port: Port, body: bytes) -> None:
        order.append("begun")
        stream = port.open(200, [])

        def end() -> None:
            order.append("ended")
            stream.close()

        asyncio.get_running_loop().call_later(0, end)

    served(slowly, CREATE, CREATE)
    assert order == ["begun", "ended"] * 2


def test_streams_are_marked_with_what_the_client_calls_them() -> None:
    marked = CREATE.replace("{", '{"stream_id":"s1",')
    socket, _ = served(streaming, marked)
    assert [one["stream_id"] for one in socket.sent] == ["s1"] * 3
    socket, _ = served(refusing, marked)
    assert socket.sent[0]["stream_id"] == "s1"


def test_an_error_is_a_message_and_the_connection_goes_on() -> None:
    socket, answering = served(refusing, CREATE, CREATE)
    assert len(answering.bodies) == 2
    told = socket.sent[0]
    assert (told["type"], told["status"]) == ("error", 429)
    assert told["error"]["headers"] == {"retry-after": "2"}


@pytest.mark.parametrize("message", ["", "{", '{"type":"foo"}', b"\xff", "[]"])
def test_messages_that_are_none(message: str | bytes) -> None:
    socket, answering = served(streaming, message, CREATE)
    assert (socket.sent[0]["type"], socket.sent[0]["status"]) == ("error", 400)
    assert len(answering.bodies) == 1


def test_steering_is_declined() -> None:
    steer = '{"type":"response.steer","input":"x","previous_response_id":"y","stream_id":"s"}'
    socket, answering = served(streaming, steer)
    assert [one["type"] for one in socket.sent] == ["response.steer.failed"]
    assert socket.sent[0]["stream_id"] == "s"
    assert answering.bodies == []


def test_a_message_that_is_too_large() -> None:
    async def read() -> bytes:
        return await SocketPort(Socket([]), b"x" * 11, None).body(10)  # type: ignore[arg-type]

    with pytest.raises(BadRequest) as caught:
        asyncio.run(read())
    assert caught.value.failure.kind is FailureKind.TOO_LARGE


def test_a_client_that_leaves() -> None:
    async def scene() -> None:
        socket = Socket([])
        port = SocketPort(socket, b"{}", None)  # type: ignore[arg-type]
        assert port.header("authorization") == "Bearer x"
        assert (port.method, port.path, port.query) == ("POST", "/v1/responses", "")
        stream = port.open(200, [])
        assert stream.send(sse.event(b"{}"))
        leaving = asyncio.ensure_future(port.left())
        await asyncio.sleep(0)
        assert not leaving.done()
        socket.gone.set()
        await leaving
        assert not stream.send(sse.event(b"{}"))

    asyncio.run(scene())


def test_the_connections_latest_response_need_not_be_stored() -> None:
    async def scene() -> None:
        with new_store() as path, closing(Store(path)) as store:
            world = World(store)
            codec = OpenAIResponses(live=True)
            endpoint = OPENAI.endpoint(RESPONSES, codec)
            answering: Any = Answering(streaming)
            socket: Any = Socket([])
            session = ResponsesSession(socket, endpoint, answering, world.responses)
            one = await world.create(store=False, input="a", unstored="")
            body = orjson.dumps({"input": "b", "store": False, "previous_response_id": one["id"]})
            with pytest.raises(BadRequest):
                await session.recall(codec.decode(body))
            stamp = Stamp(one["id"][-26:], 0)
            assert response_id(stamp.mark) == one["id"]
            call = Call(endpoint, None, stamp, b"{}", request=codec.decode(b"{}"))
            kept = await session.keep(call, world.planned[-1], orjson.dumps(one))
            assert kept is None
            request = await session.recall(codec.decode(body))
            assert [message.text for message in request.messages if message.role == "user"] == [
                "a",
                "b",
            ]

    asyncio.run(scene())
