"""Which clients have stalled."""

from __future__ import annotations

import socket

from llmsim.transport.slow_clients import SlowClients, drop, holding


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_only_what_does_not_move_for_the_whole_time_has_stalled() -> None:
    clock = Clock()
    stalls = SlowClients(2.0, clock)
    assert stalls.look([(4, 40, 100), (5, 50, 100)]) == []
    clock.now = 1.9
    assert stalls.look([(4, 40, 100), (5, 50, 101)]) == []
    clock.now = 2.0
    assert stalls.look([(4, 40, 100), (5, 50, 101)]) == [(4, 40)]


def test_one_that_was_read_to_the_end_meanwhile_begins_anew() -> None:
    clock = Clock()
    stalls = SlowClients(2.0, clock)
    stalls.look([(4, 40, 100)])
    clock.now = 1.0
    stalls.look([])
    clock.now = 3.0
    assert stalls.look([(4, 40, 100)]) == []


def test_a_connection_that_nobody_reads_holds_something_until_it_is_dropped() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with client, server:
            assert server.fileno() not in {one for one, _, _ in holding()}
            server.setblocking(False)
            try:
                while True:
                    server.send(bytes(1 << 16))
            except BlockingIOError:
                pass
            inode = {one: inode for one, inode, _ in holding()}[server.fileno()]
            assert not drop(server.fileno(), inode + 1)
            assert drop(server.fileno(), inode)
            assert server.fileno() >= 0
