"""Reading a server over HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from llmsim.cli.remote import address
from llmsim.tui.stats_client import ReadError, StatsClient
from tests.serving import free_port

STATS = b'{"uptime_s": 3, "requests": {"total": 4}}'


class Served(ThreadingHTTPServer):
    """Answers with ``status`` and ``body``, and keeps the heads of what it was asked."""

    daemon_threads = True
    status = 200
    body = STATS
    closes = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Served

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["authorization"]))
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)
        # As a worker that dies: the client learns of it with its next request.
        self.close_connection = self.server.closes

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_reads_over_one_connection(served: Served) -> None:
    source = StatsClient(address(served.url))
    assert [source.read().requests.total for _ in range(3)] == [4, 4, 4]
    assert served.asked == [("/llmsim/stats", None)] * 3
    assert served.connections == 1
    source.close()


def test_sends_its_token_under_the_servers_prefix(served: Served) -> None:
    source = StatsClient(address(f"http://{served.url}/sim/"), "secret")
    source.read()
    source.close()
    assert served.asked == [("/sim/llmsim/stats", "Bearer secret")]


def test_a_connection_that_was_closed_meanwhile_is_no_loss(served: Served) -> None:
    served.closes = True
    source = StatsClient(address(served.url))
    assert [source.read().requests.total for _ in range(3)] == [4, 4, 4]
    assert served.connections == 3
    source.close()


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, b"{}", "refused with 401: is --token right"),
        (403, b"{}", "refused with 403: is --token right"),
        (404, b"", "answers 404: is this llmsim"),
        (500, b"", "answers 500"),
        (200, b'{"status": "ok"}', "not llmsim's statistics: .*uptime_s"),
    ],
)
def test_answers_that_tell_nothing(served: Served, status: int, body: bytes, why: str) -> None:
    served.status, served.body = status, body
    with pytest.raises(ReadError, match=why):
        StatsClient(address(served.url)).read()


def test_nobody_there() -> None:
    with pytest.raises(ReadError, match="connection refused"):
        StatsClient(address(f"127.0.0.1:{free_port()}")).read()


def test_somebody_who_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ReadError, match=r"no answer within 0\.05 s"):
            StatsClient(address(f"127.0.0.1:{port}"), timeout=0.05).read()


def test_somebody_who_does_not_speak_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def talk() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 mail.example.com ESMTP\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(ReadError, match="not HTTP"):
            StatsClient(address(f"127.0.0.1:{other.getsockname()[1]}")).read()
        thread.join()
