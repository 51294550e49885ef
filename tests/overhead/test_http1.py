"""Responses in whatever pieces they come."""

import pytest

from llmsim.overhead.http1 import HttpError, Read, ResponseReader

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
LENGTH = HEAD + b"content-length: 5\r\n\r\nhello"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\nt: 1\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH


@pytest.mark.parametrize("raw", [LENGTH, CHUNKED, CONTINUED])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_response_is_whole_at_its_last_byte(raw: bytes, size: int) -> None:
    reader = ResponseReader()
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    done = [reader.feed(piece, float(at), at + 0.5) for at, piece in enumerate(pieces)]
    assert done == [False] * (len(pieces) - 1) + [True]
    assert (reader.status, bytes(reader.body), reader.kept) == (200, b"hello", True)
    assert ("content-type", "text/event-stream") in reader.headers
    assert reader.head_arrived == 0.0 if size == 1000 else reader.head_arrived >= 0
    assert reader.reads[-1] == Read(5, len(pieces) - 1, len(pieces) - 0.5)


def test_reads_say_which_bytes_they_brought() -> None:
    reader = ResponseReader()
    head, body = CHUNKED.split(b"\r\n\r\n", 1)
    reader.feed(head + b"\r\n\r\n", 1.0, 1.1)
    reader.feed(body[:8], 2.0, 2.1)
    reader.feed(body[8:], 3.0, 3.1)
    assert reader.head_arrived == 1.0
    assert [(one.end, one.arrived) for one in reader.reads] == [(3, 2.0), (5, 3.0)]


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    reader = ResponseReader()
    assert not reader.feed(HEAD + b"\r\nhello", 0.0, 0.0)
    assert reader.closed()
    assert (bytes(reader.body), reader.kept) == (b"hello", False)


@pytest.mark.parametrize("raw", [b"", LENGTH[:-1], CHUNKED[:-4], LENGTH[:20]])
def test_what_is_closed_too_early_is_not_whole(raw: bytes) -> None:
    reader = ResponseReader()
    if raw:
        reader.feed(raw, 0.0, 0.0)
    assert reader.begun == bool(raw)
    assert not reader.closed()


def test_no_body_is_awaited_where_there_is_none() -> None:
    assert ResponseReader().feed(EMPTY, 0.0, 0.0)


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        HEAD + b"content-length: x\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        b"x" * 70_000,
    ],
)
def test_what_is_no_response_is_refused(raw: bytes) -> None:
    with pytest.raises(HttpError):
        ResponseReader().feed(raw, 0.0, 0.0)


@pytest.mark.parametrize("line", [b"connection: close\r\n", b"Connection: Close\r\n"])
def test_a_connection_that_will_close_is_not_kept(line: bytes) -> None:
    reader = ResponseReader()
    reader.feed(HEAD + line + b"content-length: 0\r\n\r\n", 0.0, 0.0)
    assert (reader.done, reader.kept) == (True, False)
