"""Which clients have stalled."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from llmsim.transport import slow_clients
from llmsim.transport.slow_clients import LOOKS, PERIOD, SlowClients, drop, holding


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


class Stop(BaseException):
    """Ends the endless watch."""


@pytest.mark.parametrize(("timeout", "pause"), [(2.0, 2.0 / LOOKS), (100.0, PERIOD)])
def test_the_watch_looks_again_and_again_and_drops_whom_it_finds(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    timeout: float,
    pause: float,
) -> None:
    caplog.set_level("INFO", "llmsim")
    pauses: list[float] = []
    looks = iter([[(4, 40)], ZeroDivisionError(), [(5, 50), (6, 60)]])
    dropped: list[tuple[int, int]] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > 3:
            raise Stop

    def look(self: SlowClients, connections: object) -> list[tuple[int, int]]:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    def drop_but_one(descriptor: int, inode: int) -> bool:
        dropped.append((descriptor, inode))
        return descriptor != 5

    monkeypatch.setattr(slow_clients.time, "sleep", sleep)
    monkeypatch.setattr(slow_clients, "drop", drop_but_one)
    monkeypatch.setattr(SlowClients, "look", look)
    with pytest.raises(Stop):
        slow_clients._watch(timeout)
    assert pauses == [pause] * 4
    assert dropped == [(4, 40), (5, 50), (6, 60)]
    assert caplog.text.count("dropped a client that read nothing") == 2
    assert "could not look for stalled clients" in caplog.text


@pytest.mark.parametrize(
    ("timeout", "platform", "threads"), [(0.0, "linux", 0), (2.0, "linux", 1), (2.0, "darwin", 0)]
)
def test_it_is_watched_on_linux_if_there_is_a_timeout(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    timeout: float,
    platform: str,
    threads: int,
) -> None:
    watched: list[float] = []
    started: list[threading.Thread] = []

    def start(self: threading.Thread) -> None:
        started.append(self)

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(slow_clients, "_watch", watched.append)
    monkeypatch.setattr(threading.Thread, "start", start)
    slow_clients.watch(timeout)
    assert len(started) == threads
    assert all(one.daemon for one in started)
    assert ("needs Linux" in caplog.text) == (platform == "darwin")


def test_descriptors_that_are_no_connections_hold_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, open(os.devnull, "rb") as file:
        ours = {listener.fileno(), file.fileno()}
        assert not ours & {one for one, _, _ in holding()}


@pytest.fixture
def pipe() -> Iterator[int]:
    reading, writing = os.pipe()
    yield reading
    for one in (reading, writing):
        os.close(one)


def test_what_is_no_connection_or_closed_by_now_is_not_dropped(pipe: int) -> None:
    assert not drop(pipe, os.fstat(pipe).st_ino)
    assert not drop(1 << 20, 1)
    with socket.socket() as unconnected:
        assert not drop(unconnected.fileno(), os.fstat(unconnected.fileno()).st_ino)
