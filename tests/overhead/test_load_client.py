"""Sending when it is due, and what comes of connections that break."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from llmsim.overhead.load_client import LoadClient, SendTimes, destination

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CLOSING = OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)


class Peer:
    """A server whose n-th request, over all connections, gets what ``answer`` makes of n: bytes,
    or None for a connection that is closed. ``connections`` are how many there were."""

    def __init__(self, answer: Callable[[int], bytes | None]) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.requests = self.connections = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                with self._lock:
                    number, self.requests = self.requests, self.requests + 1
                answer = self._answer(number)
                if answer is None:
                    return
                connection.sendall(answer)
                if answer == CLOSING:
                    return


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[int], bytes | None]], Peer]]:
    made: list[Peer] = []

    def make(answer: Callable[[int], bytes | None]) -> Peer:
        made.append(Peer(answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


def client(port: int, timeout: float = 30.0) -> LoadClient:
    to = destination("127.0.0.1", port, f"127.0.0.1:{port}", None)
    return LoadClient(to, lambda number: b"GET /%d HTTP/1.1\r\n\r\n" % number, timeout)


MakePeer = Callable[[Callable[[int], bytes | None]], Peer]


def test_requests_are_sent_when_due_and_connections_kept(peer: MakePeer) -> None:
    server = peer(lambda number: OK)
    load = client(server.port)
    found = load.turn(SendTimes([0.0, 0.02, 0.04]), first=7)
    load.close()
    assert sorted(one.number for one in found) == [7, 8, 9]
    assert all(one.sent >= one.due and one.response.body == b"ok" for one in found)
    assert all(one.response.reads[-1].arrived <= one.response.reads[-1].seen for one in found)
    assert server.requests == 3
    assert sum(one.fresh for one in found) == server.connections


def test_a_connection_that_closes_is_not_used_again(peer: MakePeer) -> None:
    server = peer(lambda number: CLOSING)
    load = client(server.port)
    found = [load.turn(SendTimes([0.0]), number)[0] for number in range(3)]
    load.close()
    assert [one.error for one in found] == [None] * 3
    assert all(one.fresh for one in found)


def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew(peer: MakePeer) -> None:
    server = peer(lambda number: None if number == 1 else OK)
    load = client(server.port)
    first = load.turn(SendTimes([0.0]))[0]
    again = load.turn(SendTimes([0.0]), 1)[0]
    load.close()
    assert (first.error, again.error, again.fresh) == (None, None, True)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, "connection lost"),
        (b"nonsense\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n", "timeout"),
    ],
)
def test_failures_have_a_kind(peer: MakePeer, answer: bytes | None, error: str) -> None:
    server = peer(lambda number: answer)
    load = client(server.port, timeout=0.3 if error == "timeout" else 30.0)
    found = load.turn(SendTimes([0.0]))
    load.close()
    assert [one.error for one in found] == [error]


def test_nobody_there_is_a_failure(peer: MakePeer) -> None:
    server = peer(lambda number: OK)
    server.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        load = client(probe.getsockname()[1])
        found = load.turn(SendTimes([0.0, 0.0]))
    load.close()
    assert [one.error for one in found] == ["not connected"] * 2


def test_closed_loops_keep_so_many_in_flight(peer: MakePeer) -> None:
    server = peer(lambda number: OK)
    load = client(server.port)
    found = load.turn(SendTimes([0.0] * 4, again_until=0.2))
    load.close()
    assert len(found) > 4
    assert server.connections == 4
    assert {one.error for one in found} == {None}
