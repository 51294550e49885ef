"""What the kernel says of this process's connections."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator

import pytest

from llmsim.transport.kernel import FIRST_WORDS, Clients, acknowledged, drop, holding, silent

Ends = tuple[socket.socket, socket.socket, int]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A server's end of a connection, its client's, and the server's port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with client, server:
            yield server, client, listener.getsockname()[1]


def inode(connection: socket.socket) -> int:
    return os.fstat(connection.fileno()).st_ino


def test_a_connection_that_nobody_reads_holds_something_until_it_is_dropped(ends: Ends) -> None:
    server, _, _ = ends
    assert server.fileno() not in {one.descriptor for one in holding()}
    server.setblocking(False)
    try:
        while True:
            server.send(bytes(1 << 16))
    except BlockingIOError:
        pass
    (held,) = [one for one in holding() if one.descriptor == server.fileno()]
    assert (held.inode, held.enough) == (inode(server), 1)
    assert held.acknowledged == acknowledged(server.fileno(), held.inode)
    assert not drop(server.fileno(), held.inode + 1)
    assert drop(server.fileno(), held.inode)
    with pytest.raises(BrokenPipeError):
        server.send(b"x")


def test_a_client_is_found_by_its_address(ends: Ends) -> None:
    server, client, _ = ends
    host, port = client.getsockname()
    clients = Clients()
    assert clients.find(f"{host}:{port}") == (server.fileno(), inode(server))
    assert clients.find(f"{host}:1") == (-1, -1)
    assert clients.find("a file") == (-1, -1)


def test_what_was_acknowledged_grows_with_what_is_read(ends: Ends) -> None:
    server, client, _ = ends
    before = acknowledged(server.fileno(), inode(server))
    server.sendall(b"x" * 1000)
    client.recv(1000)
    deadline = time.monotonic() + 5
    while acknowledged(server.fileno(), inode(server)) != (before or 0) + 1000:
        assert time.monotonic() < deadline
    assert acknowledged(server.fileno(), inode(server) + 1) is None
    assert acknowledged(1 << 20, 1) is None


@pytest.mark.parametrize(
    ("sent", "timeout", "found"),
    [
        (0, 0.0, True),
        (FIRST_WORDS, 0.0, True),
        (FIRST_WORDS + 1, 0.0, False),
        (0, 60.0, False),
    ],
)
def test_silent_is_on_what_hardly_anything_came(
    ends: Ends, sent: int, timeout: float, found: bool
) -> None:
    server, client, port = ends
    client.sendall(b"x" * sent)
    server.settimeout(5)
    if sent:
        assert server.recv(sent, socket.MSG_WAITALL)
    one = (server.fileno(), inode(server))
    assert (one in list(silent(timeout, port))) == found
    assert one not in list(silent(timeout, port + 1))  # nor is it a client's connection


def test_descriptors_that_are_no_connections_hold_nothing_and_are_not_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, open(os.devnull, "rb") as file:
        ours = {listener.fileno(), file.fileno()}
        assert not ours & {one.descriptor for one in holding()}
        assert not ours & {one for one, _ in silent(0.0, listener.getsockname()[1])}


@pytest.fixture
def pipe() -> Iterator[int]:
    reading, writing = os.pipe()
    yield reading
    for one in (reading, writing):
        os.close(one)


def test_what_is_no_connection_or_closed_by_now_is_not_dropped(pipe: int) -> None:
    assert not drop(pipe, os.fstat(pipe).st_ino)
    assert acknowledged(pipe, os.fstat(pipe).st_ino) is None
    assert not drop(1 << 20, 1)
    with socket.socket() as unconnected:
        assert not drop(unconnected.fileno(), os.fstat(unconnected.fileno()).st_ino)
