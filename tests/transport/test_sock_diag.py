"""The kernel's answers about real connections of this machine."""

import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from llmsim.transport import sock_diag
from llmsim.transport.sock_diag import SockDiag


@pytest.fixture
def diag() -> Iterator[SockDiag]:
    try:
        made = SockDiag()
    except OSError:
        pytest.skip("this kernel does not tell")
    with closing(made):
        yield made


@contextmanager
def connected(bound: str, to: str) -> Iterator[tuple[str, socket.socket, socket.socket, int]]:
    """A connection to a server bound to an address: the client as the server names it, both ends,
    and the server's port."""
    family = socket.AF_INET6 if ":" in bound else socket.AF_INET
    with closing(socket.socket(family)) as listener:
        try:
            listener.bind((bound, 0))
        except OSError:
            pytest.skip("no IPv6 here")
        listener.listen()
        port = listener.getsockname()[1]
        with closing(socket.create_connection((to, port))) as client:
            server, peer = listener.accept()
            host = f"[{peer[0]}]" if ":" in peer[0] else peer[0]
            with closing(server):
                yield f"{host}:{peer[1]}", client, server, port


@pytest.mark.parametrize(
    ("bound", "to", "server"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1", "0.0.0.0"),
        ("::1", "::1", "[::1]"),
        ("::", "::1", "[::]"),
        ("::", "127.0.0.1", "[::]"),  # IPv4 over IPv6
    ],
)
def test_a_connection_is_found_by_its_addresses(
    diag: SockDiag, bound: str, to: str, server: str
) -> None:
    with connected(bound, to) as (name, client, end, port):
        client.sendall(b"question")
        assert end.recv(100) == b"question"
        end.sendall(b"answer")
        found = diag.ask(name, f"{server}:{port}")
        assert found is not None
        assert found.written == len(b"answer")


def test_it_says_how_long_ago_data_came(diag: SockDiag) -> None:
    with connected("127.0.0.1", "127.0.0.1") as (name, client, end, port):
        client.sendall(b"question")
        assert end.recv(100) == b"question"
        where = name, f"127.0.0.1:{port}"
        first = diag.ask(*where)
        info = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        last = diag.ask(*where)
        assert first is not None
        assert last is not None
        assert first.received <= struct.unpack_from("=I", info, 52)[0] <= last.received


@pytest.mark.parametrize(
    ("client", "server"),
    [
        ("127.0.0.1:1", None),  # the server listens, and has no such client
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("unix", "127.0.0.1:1"),
        ("127.0.0.1:x", "127.0.0.1:1"),
        ("", ""),
    ],
)
def test_what_is_no_connection_is_not_known(
    diag: SockDiag, client: str, server: str | None
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        assert diag.ask(client, server or f"127.0.0.1:{port}") is None


def test_an_answer_that_came_late_is_not_taken_for_the_next_one(diag: SockDiag) -> None:
    with (
        connected("127.0.0.1", "127.0.0.1") as (name, _, end, port),
        connected("127.0.0.1", "127.0.0.1") as (other, _, _, other_port),
    ):
        end.sendall(b"answer")
        diag._sequence += 1
        diag._socket.send(diag._request(other, f"127.0.0.1:{other_port}"))
        found = diag.ask(name, f"127.0.0.1:{port}")
        assert found is not None
        assert found.written == len(b"answer")


def test_other_systems_do_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(OSError, match="Linux"):
        sock_diag.SockDiag()
