"""The C client against a server that says what it is told to: all its figures are known.

Nothing waits for a schedule: the tokens were due in the past, and by how much is what the client
has to find.
"""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from bench.client import ClientError, Load, run_client

if not shutil.which("cc"):
    pytest.skip("needs a C compiler", allow_module_level=True)

REQUEST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nserver: x\r\n\r\n"
LAST = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def events(count: int) -> list[bytes]:
    return [b"data: %d\n\n" % number for number in range(count)]


@contextmanager
def answering(*pieces: bytes) -> Iterator[int]:
    """A server on the yielded port that answers every request with ``pieces``, a send each."""

    def serve(connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while connection.recv(65536) == REQUEST:
                for piece in pieces:
                    connection.sendall(piece)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def past(streams: int = 1, tokens: int = 100, ttft: float = -2.0, gap: float = 0.01) -> Load:
    """Token k was due two seconds ago, plus k gaps; the window holds them all."""
    return Load(
        streams, lead=1, tokens=tokens, tail=2, ttft=ttft, gap=gap, settle=-10, window=20, limit=10
    )


def test_lateness_is_arrival_minus_due():
    with answering(HEAD, *map(chunk, events(103)), LAST) as port:
        seen = run_client(port, REQUEST, past(streams=5))
    assert (seen.answers, seen.errors, seen.events) == (5, 0, 5 * 103)
    assert (seen.due, seen.delivered, seen.missing, seen.early) == (500, 500, 0, 0)
    late = seen.late_ms
    assert late.min == pytest.approx(1010, abs=50)  # token 99 was due 2 s - 99 gaps ago
    assert late.p50 == pytest.approx(1500, abs=50)
    assert late.p90 == pytest.approx(1900, abs=50)
    assert late.max == pytest.approx(2000, abs=50)
    read = seen.late_read_ms
    assert late.p50 < read.p50 < late.p50 + 50  # in the socket first, then read
    assert seen.offset_ms.max == pytest.approx(1010, abs=50)
    assert seen.late_paced_ms.p50 == pytest.approx(490, abs=50)


def test_a_token_before_its_time_is_early():
    with answering(HEAD, *map(chunk, events(103)), LAST) as port:
        seen = run_client(port, REQUEST, past(ttft=5.0, gap=0.0))
    assert seen.early == seen.due == 100
    assert seen.late_ms.p50 == pytest.approx(-5000, abs=50)


def test_only_tokens_due_within_the_window_count():
    load = Load(1, lead=1, tokens=100, tail=2, ttft=-2.0, gap=0.01, settle=-1.5, window=1.0)
    with answering(HEAD, *map(chunk, events(103)), LAST) as port:
        seen = run_client(port, REQUEST, load)
    assert 45 <= seen.due <= 51  # from half a second after the first to the end
    assert seen.late_ms.max == pytest.approx(1500, abs=50)


EVENTS = b"".join(events(103))
WHOLE = HEAD + b"".join(map(chunk, events(103))) + LAST


@pytest.mark.parametrize(
    "pieces",
    [
        (WHOLE,),
        (HEAD, chunk(EVENTS), LAST),
        tuple(WHOLE[at : at + 1] for at in range(len(WHOLE))),
        tuple(WHOLE[at : at + 7] for at in range(0, len(WHOLE), 7)),
        (HEAD, *(chunk(EVENTS[at : at + 3]) for at in range(0, len(EVENTS), 3)), LAST),
    ],
    ids=["one send", "one chunk", "single bytes", "sevens", "events over chunks"],
)
def test_events_are_counted_however_they_are_cut(pieces):
    with answering(*pieces) as port:
        seen = run_client(port, REQUEST, past())
    assert (seen.answers, seen.errors, seen.events, seen.due) == (1, 0, 103, 100)


@pytest.mark.parametrize(
    "event",
    [
        b"data: a\r\n\r\n",
        b"event: a\ndata: b\n\n",
        b": still here\n\ndata: a\n\n",
        b"\ndata: a\n\n",
    ],
    ids=["crlf", "two fields", "a comment before", "an empty line before"],
)
def test_an_event_is_fields_and_an_empty_line(event):
    with answering(HEAD, *[chunk(event)] * 13, LAST) as port:
        seen = run_client(port, REQUEST, past(tokens=10))
    assert (seen.answers, seen.events) == (1, 13)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n", LAST),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",),
        (HEAD, *map(chunk, events(102)), LAST),
    ],
    ids=["not a 200", "not chunked", "an event too few"],
)
def test_a_wrong_answer_is_an_error(pieces):
    with answering(*pieces) as port, pytest.raises(ClientError, match="no stream ended well"):
        run_client(port, REQUEST, past())


def test_a_closed_port_is_an_error():
    with answering() as port:
        pass
    with pytest.raises(ClientError, match="failed=1"):
        run_client(port, REQUEST, past())


def test_without_a_schedule_each_connection_asks_again_and_the_window_is_marked():
    marks: list[str] = []
    with answering(WHOLE) as port:
        load = Load(4, lead=1, tokens=100, tail=2, window=0.2)
        seen = run_client(port, REQUEST, load, marks.append)
    assert marks == ["open", "close"]
    assert seen.errors == 0
    assert seen.answers > 8
    assert seen.events == seen.answers * 103
    assert seen.late_ms is None


def test_tokens_that_never_come_are_missing():
    load = Load(1, lead=1, tokens=10, tail=2, ttft=-2, gap=0.01, settle=-10, window=10, limit=0.2)
    with answering(HEAD, *map(chunk, events(7))) as port, pytest.raises(ClientError) as raised:
        run_client(port, REQUEST, load)
    assert "missing=4" in str(raised.value)
    assert "due=10" in str(raised.value)
    assert "unfinished=1" in str(raised.value)


def test_a_stream_that_is_open_when_the_window_has_closed_can_be_cut():
    load = Load(1, 1, 1000, 2, ttft=-2.0, gap=0.01, settle=-10, window=10.1, limit=60, cut=True)
    with answering(HEAD, *map(chunk, events(103))) as port:  # and no end
        seen = run_client(port, REQUEST, load)
    assert (seen.cut, seen.answers, seen.errors) == (1, 0, 0)
    assert seen.wall_s < 30


def test_the_request_can_say_when_it_is_sent():
    stamped = REQUEST.replace(b"host: x", b"host: " + b"@" * 16)
    seen = []

    def serve():
        connection, _ = listener.accept()
        with connection:
            seen.append(connection.recv(65536))
            connection.sendall(WHOLE)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        before = time.monotonic_ns()
        run_client(listener.getsockname()[1], stamped, past())
        after = time.monotonic_ns()
        thread.join()
    host = seen[0].split(b"host: ")[1][:16]
    assert before <= int(host) <= after
