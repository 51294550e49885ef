"""HTTP/1.1, with bytes of a service that is none."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from llmsim.proxy.client.http1 import Http1Connection
from llmsim.proxy.client.response import FIRST, ServiceError, ServiceResponse, ServiceTimeout
from tests.proxy.client.wires import Reader, Wire, asking, soon

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
LONG = 60.0


class Line:
    """A connection, and what became of it."""

    def __init__(self) -> None:
        self.free: list[Http1Connection] = []
        self.lost: list[Http1Connection] = []
        self.wire = Wire()
        self.connection = Http1Connection(self.free.append, self.lost.append)
        self.wire.to(self.connection)

    def asked(self, method: str = "POST", timeout: float = LONG) -> ServiceResponse:
        return self.connection.send(asking(method), timeout)

    def comes(self, data: bytes) -> None:
        self.connection.data_received(data)


def scene(play: Callable[[Line], Coroutine[Any, Any, None]]) -> None:
    async def played() -> None:
        await play(Line())

    asyncio.run(played())


def test_a_request_is_written_as_it_is() -> None:
    async def play(line: Line) -> None:
        line.asked()
        assert line.wire.written == (
            b"POST /v1/x?a=b HTTP/1.1\r\nhost: h\r\naccept: */*\r\ncontent-length: 2\r\n\r\n{}"
        )

    scene(play)


def test_each_chunk_is_handed_over_when_it_comes() -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        line.comes(CHUNKED)
        await soon(response.begun())
        assert (response.status, response.headers[1:]) == (200, [("x-a", "1"), ("x-a", "2")])
        reader = await Reader(response).ready()
        line.comes(b"3\r\none\r\n3\r\ntwo\r\n")
        assert reader.pieces == [b"one", b"two"], "in the same turn of the loop"
        line.comes(b"5\r\nthree\r\n0\r\n\r\n")
        await soon(reader.task)
        assert reader.pieces == [b"one", b"two", b"three"]
        assert line.free == [line.connection]

    scene(play)


@pytest.mark.parametrize("at", range(1, 60))
def test_bytes_may_be_cut_anywhere(at: int) -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        answer = OK + b"content-length: 5\r\nx-b: \xc3\xa9\r\n\r\nhello"
        line.comes(answer[:at])
        line.comes(answer[at:])
        await soon(response.begun())
        assert response.headers == [("content-length", "5"), ("x-b", "é")]
        reader = Reader(response)
        await soon(reader.task)
        assert b"".join(reader.pieces) == b"hello"

    scene(play)


def test_a_connection_is_used_again() -> None:
    async def play(line: Line) -> None:
        for content in (b"one", b"two"):
            response = line.asked()
            line.comes(OK + b"content-length: 3\r\n\r\n" + content)
            reader = Reader(response)
            await soon(reader.task)
            assert reader.pieces == [content]
        assert len(line.free) == 2

    scene(play)


@pytest.mark.parametrize(
    ("method", "answer", "status"),
    [
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("HEAD", OK + b"content-length: 5\r\n\r\n", 200),
        ("POST", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 0\r\n\r\n", 200),
    ],
)
def test_answers_without_a_body_end_with_their_head(
    method: str, answer: bytes, status: int
) -> None:
    async def play(line: Line) -> None:
        response = line.asked(method)
        line.comes(answer)
        reader = Reader(response)
        await soon(reader.task)
        assert (response.status, reader.pieces) == (status, [])

    scene(play)


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        line.comes(OK + b"\r\nhel")
        reader = await Reader(response).ready()
        line.comes(b"lo")
        line.connection.connection_lost(None)
        await soon(reader.task)
        assert b"".join(reader.pieces) == b"hello"
        assert line.lost
        assert not line.free

    scene(play)


@pytest.mark.parametrize(
    "answer", [b"", OK, OK + b"content-length: 5\r\n\r\nhel", CHUNKED + b"3\r\none\r\n"]
)
def test_what_breaks_off_is_an_error(answer: bytes) -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        if answer:
            line.comes(answer)
        reader = await Reader(response).ready()
        line.connection.connection_lost(None)
        with pytest.raises(ServiceError):
            await soon(reader.task)

    scene(play)


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n\r\n", CHUNKED + b"zz\r\n"])
def test_what_is_no_http_is_an_error(answer: bytes) -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        reader = await Reader(response).ready()
        line.comes(answer)
        with pytest.raises(ServiceError):
            await soon(reader.task)
        assert line.wire.closed

    scene(play)


@pytest.mark.parametrize("head", [False, True])
def test_a_service_that_says_nothing_is_waited_for_so_long(head: bool) -> None:
    async def play(line: Line) -> None:
        response = line.asked(timeout=0.05)
        if head:
            line.comes(CHUNKED)
            await soon(response.begun())
        waiting = response.each(lambda content: True) if head else response.begun()
        with pytest.raises(ServiceTimeout):
            await soon(waiting)
        assert line.wire.closed

    scene(play)


def test_no_more_is_read_of_an_answer_that_is_held() -> None:
    async def play(line: Line) -> None:
        response = line.asked(timeout=0.05)
        line.comes(CHUNKED)
        reader = await Reader(response).ready()
        response.hold()
        assert not line.wire.reading
        await asyncio.sleep(0.15)  # for which nobody has to say anything
        response.go_on()
        assert line.wire.reading
        line.comes(b"3\r\none\r\n0\r\n\r\n")
        await soon(reader.task)

    scene(play)


def test_little_is_read_before_somebody_wants_it() -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        line.comes(CHUNKED + b"%x\r\n" % (2 * FIRST) + bytes(2 * FIRST) + b"\r\n")
        assert not line.wire.reading
        reader = await Reader(response).ready()
        assert line.wire.reading
        assert sum(map(len, reader.pieces)) == 2 * FIRST

    scene(play)


def test_who_wants_no_more_ends_the_connection() -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        line.comes(CHUNKED)
        reader = await Reader(response, most=1).ready()
        line.comes(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        await soon(reader.task)
        assert reader.pieces == [b"one"]
        assert line.wire.closed
        assert not line.free

    scene(play)


def test_what_takes_a_frame_may_fail() -> None:
    async def play(line: Line) -> None:
        response = line.asked()
        line.comes(CHUNKED)

        def fails(content: bytes) -> bool:
            raise RuntimeError("no")

        task = asyncio.ensure_future(response.each(fails))
        await asyncio.sleep(0)
        line.comes(b"3\r\none\r\n")
        with pytest.raises(RuntimeError, match="no"):
            await soon(task)
        assert line.wire.closed

    scene(play)


def test_who_says_more_than_was_asked_is_not_asked_again() -> None:
    async def play(line: Line) -> None:
        line.asked()
        line.comes(OK + b"content-length: 0\r\n\r\n" + OK + b"content-length: 0\r\n\r\n")
        assert line.wire.closed
        assert not line.connection.usable

    scene(play)
