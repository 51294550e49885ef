"""Which clients are disconnected, with connections and a clock of the test's own."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from llmsim.state.shm import layout
from llmsim.state.shm.layout import BEHIND, SILENT, STALLED
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport import slow_clients
from llmsim.transport.bounds import Bounds
from llmsim.transport.kernel import FIRST_WORDS, Held
from llmsim.transport.slow_clients import (
    LOOKS,
    NOT_ASKED,
    PERIOD,
    READS,
    SILENCES,
    ClientLimits,
    Outflow,
    SlowClients,
    Stalls,
)

MAX_UNSENT = 1000


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def stalled(*looks: tuple[float, list[Held]]) -> list[list[Held]]:
    """What each look finds, given its time and the connections that hold something."""
    clock = Clock()
    stalls, found = Stalls(2.0, clock), []
    for now, held in looks:
        clock.now = now
        found.append(stalls.look(held))
    return found


def test_only_what_does_not_move_for_the_whole_time_has_stalled() -> None:
    still, read = Held(4, 40, 100), Held(5, 50, 100)
    moved = Held(5, 50, 101)
    looks = (0.0, [still, read]), (1.9, [still, moved]), (2.0, [still, moved])
    assert stalled(*looks) == [[], [], [still]]


def test_one_that_was_read_to_the_end_meanwhile_begins_anew() -> None:
    held = Held(4, 40, 100)
    assert stalled((0.0, [held]), (1.0, []), (3.0, [held]), (5.0, [held])) == [[], [], [], [held]]


def test_a_few_bytes_are_no_reading_where_more_is_to_be_expected() -> None:
    pings = [Held(4, 40, 100 + 17 * place, READS) for place in range(4)]
    assert stalled(*((float(place), [one]) for place, one in enumerate(pings)))[2] == [pings[2]]
    reading = [Held(4, 40, 100 + READS * place, READS) for place in range(4)]
    assert not any(stalled(*((float(place), [one]) for place, one in enumerate(reading))))
    # All that waited is enough, however little that is, though something waits again.
    rest = [Held(4, 40, 100, 30), Held(4, 40, 130, 20), Held(4, 40, 150, 10)]
    assert not any(stalled(*((float(place), [one]) for place, one in enumerate(rest))))


def outflow() -> Outflow:
    return Outflow("127.0.0.1:1", MAX_UNSENT, lambda _: None)


def test_what_waits_is_what_was_sent_and_not_acknowledged() -> None:
    one = outflow()
    one.sent = 500
    assert one.waiting(0) == 500
    assert one.waiting(200) == 300
    assert one.waiting(500) == 0


def test_heads_and_frames_that_are_acknowledged_hide_nothing_for_ever() -> None:
    one = outflow()
    one.sent = 500
    assert one.waiting(700) == 0
    one.sent = 900  # and not a byte of these is acknowledged
    assert one.waiting(700) == 400
    assert one.waiting(1120) == 0
    assert one.waiting(1120) == 0


class World:
    """The connections of a process: ``acknowledged`` by descriptor, and which are dropped."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, stall_timeout: float = 2.0, tls: bool = False
    ) -> None:
        self.clock = Clock()
        self.counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))
        self.acknowledged: dict[int, int] = {}
        self.held: list[Held] = []
        self.silent: list[tuple[int, int]] = []
        self.dropped: list[int] = []
        self.searched = 0
        limits = ClientLimits(stall_timeout, MAX_UNSENT, 4.0, 8080, tls)
        self.clients = SlowClients(limits, Bounds(self.counters), self.clock)
        world = self

        class Clients:
            def find(self, client: str) -> tuple[int, int]:
                world.searched += 1
                descriptor = int(client.rpartition(":")[2])
                there = descriptor in world.acknowledged
                return (descriptor, descriptor * 10) if there else (-1, -1)

        def silent(timeout: float, port: int, most: int = FIRST_WORDS) -> list[tuple[int, int]]:
            assert (timeout, port, most > 1 << 40) == (4.0, 8080, tls)
            return self.silent

        monkeypatch.setattr(slow_clients, "Clients", Clients)
        monkeypatch.setattr(slow_clients, "holding", lambda: self.held)
        monkeypatch.setattr(slow_clients, "silent", silent)
        monkeypatch.setattr(
            slow_clients, "acknowledged", lambda descriptor, _: self.acknowledged.get(descriptor)
        )
        monkeypatch.setattr(slow_clients, "drop", self._drop)

    def _drop(self, descriptor: int, inode: int) -> bool:
        if descriptor not in self.acknowledged:
            return False
        assert inode == descriptor * 10
        del self.acknowledged[descriptor]
        self.dropped.append(descriptor)
        return True

    def look(self, now: float) -> list[int]:
        """Whom a look disconnects."""
        self.clock.now = now
        self.clients.look()
        dropped, self.dropped = self.dropped, []
        return dropped

    def counted(self) -> tuple[int, int, int]:
        cells = self.counters.cells
        return cells[STALLED], cells[BEHIND], cells[SILENT]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def scope(descriptor: int, version: str = "2") -> Any:
    return SimpleNamespace(client=f"127.0.0.1:{descriptor}", http_version=version)


def test_http_2_streams_share_what_their_connection_was_sent(world: World) -> None:
    one = world.clients.outflow(scope(5))
    assert world.clients.outflow(scope(5)) is one
    assert world.clients.outflow(scope(6)) is not one
    assert world.clients.outflow(scope(5, "1.1")) is not one


def test_an_http_2_client_that_opens_no_window_is_disconnected(world: World) -> None:
    world.acknowledged = {5: 0, 6: 0}
    stuck, read = world.clients.outflow(scope(5)), world.clients.outflow(scope(6))
    for now in (0.0, 1.0, 1.9):
        stuck.sent += 100
        read.sent += 100
        world.acknowledged[5] += 17  # an answer to a ping
        world.acknowledged[6] += 130
        assert world.look(now) == []
    assert world.look(2.0) == [5]
    assert world.look(9.0) == []  # nothing waits for the other
    assert world.counted() == (1, 0, 0)


def test_what_the_kernel_holds_counts_for_any_connection(world: World) -> None:
    world.acknowledged = {7: 0}
    world.held = [Held(7, 70, 0)]
    assert [world.look(now) for now in (0.0, 1.0, 2.0)] == [[], [], [7]]
    assert world.counted() == (1, 0, 0)


def test_nobody_stalls_where_no_time_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, stall_timeout=0.0)
    world.acknowledged = {5: 0}
    world.held = [Held(5, 50, 0)]
    world.clients.outflow(scope(5)).sent = 100
    assert [world.look(float(now)) for now in range(4)] == [[]] * 4


def test_a_closed_connection_is_forgotten(world: World) -> None:
    world.acknowledged = {5: 0}
    one = world.clients.outflow(scope(5))
    world.look(0.0)
    assert world.clients.outflow(scope(5)) is one
    del world.acknowledged[5]
    world.look(1.0)
    assert world.clients.outflow(scope(5)) is not one


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_client_for_which_too_much_waits_is_disconnected(world: World, version: str) -> None:
    world.acknowledged = {5: 0}
    one = world.clients.outflow(scope(5, version))
    one.sent = MAX_UNSENT + 1
    one.exceeded()
    assert one.limit == NOT_ASKED  # one look is enough
    assert world.look(0.0) == [5]
    assert world.counted() == (0, 1, 0)


def test_one_that_reads_may_be_sent_as_much_again(world: World) -> None:
    world.acknowledged = {5: 0}
    one = world.clients.outflow(scope(5))
    for turn in range(1, 5):
        one.sent = one.limit + 1
        one.exceeded()
        world.acknowledged[5] = one.sent - 100
        assert world.look(float(turn)) == []
        assert one.limit == one.sent + MAX_UNSENT - 100
    assert world.searched == 1


def test_one_that_cannot_be_found_is_left_alone(world: World) -> None:
    one = world.clients.outflow(scope(5, "1.1"))
    one.sent = MAX_UNSENT + 1
    one.exceeded()
    assert world.look(0.0) == []
    assert one.limit == one.sent + MAX_UNSENT


def test_who_is_behind_is_disconnected_by_name(world: World) -> None:
    world.acknowledged = {5: 0}
    world.clients.behind("127.0.0.1:5")
    world.clients.behind("127.0.0.1:6")
    assert world.look(0.0) == [5]
    assert world.counted() == (0, 1, 0)


def test_a_connection_that_says_nothing_is_closed(world: World) -> None:
    world.acknowledged = {5: 0}
    world.silent = [(5, 50)]
    assert world.look(4.0 / SILENCES - 0.1) == []
    assert world.look(4.0 / SILENCES) == [5]
    assert world.counted() == (0, 0, 1)


def test_under_tls_it_is_one_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, tls=True)
    world.acknowledged = {5: 0, 6: 0}
    world.clients.heard("127.0.0.1:6")
    world.silent = [(5, 50), (6, 60)]
    assert world.look(4.0) == [5]
    assert world.look(8.0) == []
    # Whoever has its address later is somebody else.
    del world.acknowledged[6]
    assert world.look(12.0) == []
    world.acknowledged[6] = 0
    assert world.look(16.0) == [6]
    assert world.counted() == (0, 0, 2)


class Stop(BaseException):
    """Ends the endless watch."""


@pytest.mark.parametrize(
    ("stall_timeout", "header_timeout", "pause"),
    [(2.0, 30.0, 2.0 / LOOKS), (100.0, 30.0, PERIOD), (0.0, 30.0, PERIOD), (2.0, 0.2, 0.05)],
)
def test_the_watch_looks_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    stall_timeout: float,
    header_timeout: float,
    pause: float,
) -> None:
    clock = Clock()
    clients = SlowClients(
        ClientLimits(stall_timeout, MAX_UNSENT, header_timeout, 8080),
        Bounds(WorkerCounters(memoryview(bytearray(layout.SIZE)))),
        clock,
    )
    pauses: list[float] = []

    class Wake:
        def wait(self, seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) > 3:
                raise Stop

        def clear(self) -> None:
            clock.now += 20

    def broken() -> None:
        raise ZeroDivisionError

    wake: Any = Wake()
    monkeypatch.setattr(clients, "_wake", wake)
    monkeypatch.setattr(clients, "look", broken)
    with pytest.raises(Stop):
        clients._watch()
    assert pauses == [pause] * 4
    assert caplog.text.count("could not look for slow clients") == 1  # within a minute


@pytest.mark.parametrize(("platform", "threads"), [("linux", 1), ("darwin", 0)])
def test_clients_are_watched_on_linux(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    platform: str,
    threads: int,
) -> None:
    started: list[threading.Thread] = []

    def start(self: threading.Thread) -> None:
        started.append(self)

    world = World(monkeypatch)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(threading.Thread, "start", start)
    world.clients.watch()
    assert len(started) == threads
    assert all(one.daemon for one in started)
    assert ("only Linux" in caplog.text) == (platform == "darwin")
