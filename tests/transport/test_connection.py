"""Connections that are broken under who owns them."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmsim.transport.connection import Connection

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel does not tell")


@pytest.fixture(params=[("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A server's end of a connection, and its client's."""
    host, family = request.param
    try:
        listening = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"no {host} here")
    with listening, socket.create_connection(listening.getsockname()[:2], 5) as client:
        server, _ = listening.accept()
        with server:
            yield server, client


def name(client: socket.socket) -> str:
    """The client's address as Granian tells it."""
    host, port = client.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def test_a_cut_comes_after_all_that_was_written(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    server, client = ends
    server.sendall(b"half")
    Connection(name(client)).hang_up(reset=False)
    with pytest.raises(BrokenPipeError):
        server.sendall(b"the rest")
    assert client.recv(99) == b"half"
    assert client.recv(99) == b""


def test_a_reset_comes_when_the_server_closes(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    server, client = ends
    Connection(name(client)).hang_up(reset=True)
    assert server.recv(99) == b""
    server.close()
    with pytest.raises(ConnectionResetError):
        client.recv(99)


@LINUX
def test_what_is_written_is_counted(ends: tuple[socket.socket, socket.socket]) -> None:
    server, client = ends
    connection = Connection(name(client))
    before = connection.written()
    assert before is not None
    server.sendall(b"x" * 1234)
    assert connection.written() == before + 1234
    assert client.recv(1234, socket.MSG_WAITALL) == b"x" * 1234
    assert connection.written() == before + 1234
    assert Connection(name(client), plain=False).written() is None
    connection.hang_up(reset=False)
    assert connection.written() is None


@pytest.mark.parametrize("client", ["127.0.0.1:1", "nowhere", "", "127.0.0.1:", "unix:"])
def test_where_there_is_no_connection_nothing_happens(client: str) -> None:
    connection = Connection(client)
    assert connection.written() is None
    connection.hang_up(reset=True)


@LINUX
def test_no_descriptor_is_left_open(ends: tuple[socket.socket, socket.socket]) -> None:
    _, client = ends

    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.collect()  # what other tests left is closed now, not meanwhile
    before = opened()
    for _ in range(10):
        Connection(name(client)).hang_up(reset=False)
        Connection("127.0.0.1:1").hang_up(reset=False)
    assert opened() == before
