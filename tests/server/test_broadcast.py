"""One message per tick to all clients, and no work while there are none."""

from collections.abc import Callable

import pytest

from llmsim.server.broadcast import MAX_MESSAGES, TICK, Broadcast


class Client:
    """A response body whose client may go away."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.there = True
        self.closed = False

    def send(self, data: bytes) -> bool:
        if self.there:
            self.got.append(data)
        return self.there

    def close(self) -> None:
        self.closed = True


class Clock:
    """A schedule whose calls are due when the test says so."""

    def __init__(self) -> None:
        self.scheduled: list[Callable[[], None]] = []
        self._set: Callable[[], None] | None = None

    def call_later(self, seconds: float, callback: Callable[[], None]) -> "Clock":
        assert seconds == TICK
        self.scheduled.append(callback)
        return self

    def cancel(self) -> None:
        self.scheduled.clear()

    def tick(self) -> None:
        self.scheduled.pop()()


class Scene:
    def __init__(self) -> None:
        self.made = 0
        self.broken = False
        self.clock = Clock()
        self.broadcast = Broadcast(self.make, self.clock.call_later)

    def make(self) -> bytes:
        if self.broken:
            raise ValueError("no number")
        self.made += 1
        return b"%d " % self.made

    def joined(self) -> Client:
        client = Client()
        self.broadcast.join(client, b"hello ")
        return client


def test_a_tick_is_one_message_for_any_number_of_clients() -> None:
    scene = Scene()
    clients = [scene.joined() for _ in range(5)]
    assert scene.made == 1
    scene.clock.tick()
    assert scene.made == 2
    assert [client.got for client in clients] == [[b"hello 1 ", b"2 "]] * 5
    assert len(scene.clock.scheduled) == 1


def test_no_message_is_made_without_clients() -> None:
    scene = Scene()
    assert not scene.clock.scheduled
    client = scene.joined()
    client.there = False
    scene.clock.tick()  # finds out that the client has gone
    assert client.closed
    assert not len(scene.broadcast)
    made = scene.made
    scene.clock.tick()
    assert scene.made == made
    assert not scene.clock.scheduled
    assert scene.joined().got == [b"hello %d " % (made + 1)]


def test_a_client_that_has_gone_does_not_join() -> None:
    scene = Scene()
    client = Client()
    client.there = False
    scene.broadcast.join(client)
    assert client.closed
    assert not len(scene.broadcast)


def test_the_others_go_on_when_one_leaves() -> None:
    scene = Scene()
    stays, leaves = scene.joined(), scene.joined()
    leaves.there = False
    for _ in range(3):
        scene.clock.tick()
    assert len(stays.got) == 4
    assert len(scene.broadcast) == 1


def test_a_response_ends_after_so_many_messages() -> None:
    scene = Scene()
    client = scene.joined()
    for _ in range(MAX_MESSAGES + 1):
        scene.clock.tick()
    assert client.closed
    assert len(client.got) == MAX_MESSAGES + 1


def test_a_message_that_fails_does_not_end_the_events(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()
    client = scene.joined()
    scene.broken = True
    scene.clock.tick()
    scene.broken = False
    scene.clock.tick()
    assert client.got[-1] == b"2 "
    assert "could not make the statistics" in caplog.text


def test_the_end_closes_every_response() -> None:
    scene = Scene()
    clients = [scene.joined() for _ in range(2)]
    scene.broadcast.end()
    assert all(client.closed for client in clients)
    assert not scene.clock.scheduled
    late = scene.joined()
    assert late.closed
    assert not late.got
    assert not scene.clock.scheduled
