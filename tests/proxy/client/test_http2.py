"""HTTP/2, with a service in memory."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamReset

from llmsim.proxy.client.http2 import STREAM_WINDOW, Http2Connection
from llmsim.proxy.client.response import ServiceError, ServiceResponse, ServiceTimeout
from tests.proxy.client.wires import Reader, Wire, asking, soon

LONG = 60.0


class Line:
    """A connection, and its service."""

    def __init__(self) -> None:
        self.lost: list[Http2Connection] = []
        self.wire = Wire()
        self.connection = Http2Connection(self.lost.append)
        self.service = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.events: list[Any] = []
        self.wire.to(self.connection)
        self.service.initiate_connection()
        self.turn()

    def turn(self) -> None:
        """Let both hear what the other has said."""
        while (up := self.wire.taken()) or (down := self.service.data_to_send()):
            if up:
                self.events += self.service.receive_data(up)
                down = self.service.data_to_send()
            if down:
                self.connection.data_received(down)

    def asked(self, body: bytes = b"{}", timeout: float = LONG) -> ServiceResponse:
        response = self.connection.send(asking(body=body, url="https://h/v1/x?a=b"), timeout)
        self.turn()
        return response

    def answers(self, stream: int, *pieces: bytes, end: bool = False, head: bool = False) -> None:
        if head:
            self.service.send_headers(stream, [(":status", "200"), ("x-a", "1")])
        for piece in pieces:
            self.service.send_data(stream, piece)
        if end:
            self.service.end_stream(stream)
        self.turn()


def scene(play: Callable[[Line], Coroutine[Any, Any, None]]) -> None:
    async def played() -> None:
        await play(Line())

    asyncio.run(played())


def test_a_request_arrives_as_it_is() -> None:
    async def play(line: Line) -> None:
        line.asked()
        (head,) = [one for one in line.events if isinstance(one, RequestReceived)]
        assert [(str(name), str(value)) for name, value in head.headers] == [
            (":method", "POST"),
            (":authority", "h"),
            (":scheme", "https"),
            (":path", "/v1/x?a=b"),
            ("accept", "*/*"),
            ("content-length", "2"),
        ]

    scene(play)


def test_answers_on_one_connection_do_not_wait_for_each_other() -> None:
    async def play(line: Line) -> None:
        readers = []
        for stream in (1, 3, 5):
            response = line.asked()
            line.answers(stream, head=True)
            await soon(response.begun())
            assert (response.status, response.headers) == (200, [("x-a", "1")])
            readers.append(await Reader(response).ready())
        line.answers(5, b"c")
        line.answers(1, b"a", b"b")
        assert [one.pieces for one in readers] == [[b"a", b"b"], [], [b"c"]], "in the same turn"
        for stream in (1, 3, 5):
            line.answers(stream, end=True)
        for reader in readers:
            await soon(reader.task)
        assert line.connection.idle

    scene(play)


def test_a_large_body_waits_for_room() -> None:
    async def play(line: Line) -> None:
        body = bytes(300_000)
        line.asked(body)
        came = 0
        while came < len(body):
            found = [one for one in line.events if isinstance(one, DataReceived)]
            line.events.clear()
            assert found
            for one in found:
                came += len(one.data)
                line.service.acknowledge_received_data(one.flow_controlled_length, 1)
            line.turn()
        assert came == len(body)

    scene(play)


def test_an_answer_that_is_held_holds_only_itself() -> None:
    async def play(line: Line) -> None:
        held, other = [line.asked() for _ in range(2)]
        readers = []
        for stream, response in ((1, held), (3, other)):
            line.answers(stream, head=True)
            readers.append(await Reader(response, most=999).ready())
        held.hold()
        piece = bytes(16_000)
        sent = 0
        while line.service.local_flow_control_window(1) >= len(piece):
            line.answers(1, piece)
            sent += len(piece)
        assert sent > STREAM_WINDOW - 2 * len(piece)
        for _ in range(200):
            line.answers(3, piece)
        assert len(b"".join(readers[1].pieces)) == 200 * len(piece)
        held.go_on()
        line.turn()
        assert line.service.local_flow_control_window(1) > STREAM_WINDOW / 2

    scene(play)


def test_who_wants_no_more_ends_the_stream_alone() -> None:
    async def play(line: Line) -> None:
        first, second = [line.asked() for _ in range(2)]
        for stream in (1, 3):
            line.answers(stream, head=True)
        one, two = await Reader(first, most=1).ready(), await Reader(second).ready()
        line.answers(1, b"a")
        line.turn()
        await soon(one.task)
        assert [event.stream_id for event in line.events if isinstance(event, StreamReset)] == [1]
        line.answers(3, b"b", end=True)
        await soon(two.task)
        assert two.pieces == [b"b"]
        assert line.connection.takes_more

    scene(play)


def test_a_stream_that_is_reset_and_a_connection_that_closes_are_errors() -> None:
    async def play(line: Line) -> None:
        first, second = [line.asked() for _ in range(2)]
        line.service.reset_stream(1)
        line.turn()
        with pytest.raises(ServiceError):
            await soon(first.begun())
        line.connection.connection_lost(None)
        with pytest.raises(ServiceError):
            await soon(second.begun())
        assert line.lost == [line.connection]

    scene(play)


def test_a_connection_that_is_to_end_takes_no_more_and_ends_with_its_last_answer() -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        line.answers(1, head=True)
        reader = await Reader(response).ready()
        line.service.close_connection(last_stream_id=1)
        line.turn()
        assert not line.connection.takes_more
        assert not line.wire.closed or reader.task.done()

    scene(play)


def test_no_more_requests_than_the_service_takes() -> None:
    async def play(line: Line) -> None:
        line.service.update_settings({3: 1})  # MAX_CONCURRENT_STREAMS
        line.turn()
        assert line.connection.takes_more
        line.asked()
        assert not line.connection.takes_more

    scene(play)


def test_who_does_not_answer_in_time_may_be_gone() -> None:
    async def play(line: Line) -> None:
        with pytest.raises(ServiceTimeout):
            await soon(line.asked(timeout=0.05).begun())
        assert not line.connection.takes_more

    scene(play)


def test_what_is_no_http2_is_an_error() -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        line.connection.data_received(b"\0\0\1\0\0\0\0\0\0x")  # data of no stream
        with pytest.raises(ServiceError):
            await soon(response.begun())
        assert line.wire.closed

    scene(play)
