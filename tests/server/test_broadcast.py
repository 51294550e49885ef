"""One message a tick to all who watch, and no work while nobody does."""

from collections.abc import Callable

import pytest

from llmsim.server.broadcast import LONGEST, TICK, Broadcast


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
    """Timers that go off when told to."""

    def __init__(self) -> None:
        self.timers: list[Callable[[], None]] = []
        self._set: Callable[[], None] | None = None

    def wait(self, seconds: float, callback: Callable[[], None]) -> "Clock":
        assert seconds == TICK
        self.timers.append(callback)
        return self

    def cancel(self) -> None:
        self.timers.clear()

    def tick(self) -> None:
        self.timers.pop()()


class Scene:
    def __init__(self) -> None:
        self.told = 0
        self.broken = False
        self.clock = Clock()
        self.broadcast = Broadcast(self.tell, self.clock.wait)

    def tell(self) -> bytes:
        if self.broken:
            raise ValueError("no number")
        self.told += 1
        return b"%d " % self.told

    def joined(self) -> Client:
        client = Client()
        self.broadcast.join(client, b"hello ")
        return client


def test_a_tick_is_one_message_however_many_watch() -> None:
    scene = Scene()
    clients = [scene.joined() for _ in range(5)]
    assert scene.told == 1
    scene.clock.tick()
    assert scene.told == 2
    assert [client.got for client in clients] == [[b"hello 1 ", b"2 "]] * 5
    assert len(scene.clock.timers) == 1


def test_nothing_is_done_while_nobody_watches() -> None:
    scene = Scene()
    assert not scene.clock.timers
    client = scene.joined()
    client.there = False
    scene.clock.tick()  # finds out that the client has gone
    assert client.closed
    assert not len(scene.broadcast)
    told = scene.told
    scene.clock.tick()
    assert scene.told == told
    assert not scene.clock.timers
    assert scene.joined().got == [b"hello %d " % (told + 1)]


def test_who_has_gone_before_joining_is_not_kept() -> None:
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


def test_a_response_that_nobody_may_be_reading_has_an_end() -> None:
    scene = Scene()
    client = scene.joined()
    for _ in range(LONGEST + 1):
        scene.clock.tick()
    assert client.closed
    assert len(client.got) == LONGEST + 1


def test_a_number_that_cannot_be_told_does_not_end_the_telling(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()
    client = scene.joined()
    scene.broken = True
    scene.clock.tick()
    scene.broken = False
    scene.clock.tick()
    assert client.got[-1] == b"2 "
    assert "could not be told" in caplog.text


def test_the_end_is_every_responses_end() -> None:
    scene = Scene()
    clients = [scene.joined() for _ in range(2)]
    scene.broadcast.end()
    assert all(client.closed for client in clients)
    assert not scene.clock.timers
    late = scene.joined()
    assert late.closed
    assert not late.got
    assert not scene.clock.timers
