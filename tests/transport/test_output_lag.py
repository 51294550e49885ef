"""Frames that are followed to the kernel, by a clock that the test turns."""

from collections.abc import Callable
from typing import Any

import pytest

from llmsim.transport.arrival import Span, Written
from llmsim.transport.output_lag import (
    BUSY,
    COUNTED,
    FOLLOWED,
    ON_THE_WAY,
    PATIENCE,
    PAUSE,
    PERIOD,
    CountedStream,
    OutputLag,
)

CONNECTION = "127.0.0.1:4711", "127.0.0.1:8080"
HEAD = [("content-type", "text/event-stream")]
FRAME = b"x" * 200
CHUNK = len("c8\r\n") + len(FRAME) + len("\r\n")
LONG_AGO = Span(-9_000, -5_000)


class Kernel:
    """Loop, kernel and client: time passes from one call that is due to the next."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.written_bytes = 1_000
        self.sent = Span(self.now, self.now + 4_000)
        self.known = True
        self.asked = 0
        self.lags: list[int] = []
        self.late: list[int] = []
        self.open = 0
        self._soon: list[Callable[[], None]] = []
        self._later: list[tuple[int, Callable[[], None]]] = []

    def written(self, client: str, server: str) -> Written | None:
        assert (client, server) == CONNECTION
        self.asked += 1
        return Written(self.written_bytes, self.sent) if self.known else None

    def call_soon(self, call: Callable[[], None]) -> None:
        self._soon.append(call)

    def call_later(self, delay: float, call: Callable[[], None]) -> None:
        self._later.append((self.now + round(delay * 1e6), call))

    def turn(self) -> bool:
        """Run what is to run next; whether there was anything."""
        if self._soon:
            self.now += 50
            self._soon.pop(0)()
        elif self._later:
            at, call = self._later.pop(0)
            self.now = max(self.now, at)
            call()
        else:
            return False
        return True


class Port:
    def __init__(self, http2: bool = False) -> None:
        self._http2 = http2

    def connection(self) -> tuple[str, str] | None:
        return None if self._http2 else CONNECTION


class Answer:
    """A request, and the stream that answers it."""

    def __init__(self) -> None:
        self.lags: list[float] = []
        self.late: list[float] = []
        self.data = b""
        self.closed = False

    def output(self, lag: float, late: float) -> None:
        self.lags.append(lag)
        self.late.append(late)

    def send(self, data: bytes) -> bool:
        self.data += data
        return True

    def close(self) -> None:
        self.closed = True


def following(kernel: Kernel) -> OutputLag:
    loop: Any = kernel
    return OutputLag(
        loop,
        kernel,
        kernel.lags.append,
        kernel.late.append,
        lambda: kernel.open,
        lambda: kernel.now,
    )


def counted(lag: OutputLag, answer: Answer) -> CountedStream:
    port: Any = Port()
    before = lag.before(port)
    assert before is not None
    return lag.counted(answer, before, HEAD, answer)


def head_and(frames: int) -> int:
    """Bytes of an answer with so many frames."""
    head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    return len(head) + frames * CHUNK


def test_a_frame_is_followed_until_the_kernel_has_it() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    kernel.sent = Span(2_000_000, 2_004_000)
    assert stream.send(FRAME)
    for _ in range(3):
        assert kernel.turn()
    kernel.written_bytes += head_and(0)  # not yet
    assert kernel.turn()
    assert kernel.lags == []
    kernel.written_bytes = 1_000 + head_and(1)
    kernel.turn()
    assert kernel.lags == [250]
    assert answer.lags == [250 / 1e6]
    assert not kernel.turn()
    assert (answer.data, answer.closed) == (FRAME, False)
    stream.close()
    assert answer.closed


def test_a_look_that_is_late_goes_by_when_the_kernel_sent() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    stream.send(FRAME)
    kernel.written_bytes += head_and(1)
    kernel.sent = Span(kernel.now + 1_000, kernel.now + 5_000)
    kernel.now += 80_000
    kernel.turn()
    assert kernel.lags == [5_000]


def test_a_lag_is_never_negative() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    kernel.sent = LONG_AGO
    stream.send(FRAME)
    kernel.written_bytes += head_and(1)
    kernel.turn()
    assert kernel.lags == [0]


def test_what_takes_long_is_looked_at_each_millisecond() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    kernel.asked = 0
    began = kernel.now
    stream.send(FRAME)
    while kernel.now < began + 100_000:
        kernel.turn()
    assert kernel.asked <= BUSY // 50 + 100_000 / (PAUSE * 1e6) + 2


def test_a_client_that_does_not_read_says_nothing() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    began = kernel.now
    stream.send(FRAME)
    while kernel.turn():
        pass
    assert kernel.now - began <= PATIENCE + 2 * PAUSE * 1e6
    assert kernel.lags == []


def test_a_connection_that_has_gone_is_followed_no_more() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    kernel.known = False
    stream.send(FRAME)
    assert kernel.turn()
    assert not kernel.turn()
    assert kernel.lags == []


def test_frames_are_followed_now_and_then() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    kernel.written_bytes += 1 << 30
    for _ in range(100):  # half a period
        stream.send(FRAME)
        kernel.now += PERIOD // 200
    while kernel.turn():
        pass
    assert len(kernel.lags) == 1
    for _ in range(40 * 200):  # forty periods
        stream.send(FRAME)
        kernel.now += PERIOD // 200
        while kernel.turn():
            pass
    assert 20 <= len(kernel.lags) <= 41


def test_which_frames_are_followed_does_not_depend_on_how_late_they_are() -> None:
    """Of what leaves together when a loop goes on that was held up, not always the first."""
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    kernel.written_bytes += 1 << 30
    places = []
    for _ in range(100):
        kernel.now += 2 * PERIOD
        for place in range(40):
            before = len(kernel.lags)
            stream.send(FRAME)
            while kernel.turn():
                pass
            if len(kernel.lags) > before:
                places.append(place)
    assert len(places) > 40
    assert 12 < sum(places) / len(places) < 28


def test_only_so_many_are_followed_at_a_time() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    for _ in range(3 * FOLLOWED):
        stream.send(FRAME)
        kernel.now += PERIOD
    kernel.asked = 0
    kernel.turn()
    assert kernel.asked == ON_THE_WAY
    kernel.written_bytes += 1 << 30
    while kernel.turn():
        pass
    assert len(kernel.lags) == FOLLOWED


class Sends:
    """Who sends frames that were due at those times."""

    def __init__(self, *due: int) -> None:
        self.due = list(due)

    def leaving(self, now: int) -> list[int]:
        return self.due


def test_a_frame_is_as_late_as_hand_over_and_output_lag_together() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    kernel.sent = Span(2_000_000, 2_004_000)
    stream.sender = Sends(kernel.now - 9_000, kernel.now - 2_000, kernel.now + 400)
    stream.send(FRAME)
    kernel.written_bytes += head_and(1)
    kernel.turn()
    assert kernel.lags == [50]
    assert kernel.late == [9_050, 2_050, 0]
    assert (answer.lags, answer.late) == ([50 / 1e6], [9_050 / 1e6])


def test_of_a_frame_whose_time_is_not_known_there_is_an_output_lag() -> None:
    kernel, answer = Kernel(), Answer()
    stream = counted(following(kernel), answer)
    stream.send(FRAME)
    kernel.written_bytes += head_and(1)
    kernel.turn()
    assert (len(kernel.lags), kernel.late) == (1, [])
    assert answer.late[0] < 0


def test_a_stream_that_has_ended_holds_nobody() -> None:
    stream = counted(following(Kernel()), Answer())
    stream.sender = Sends()
    stream.close()
    assert stream.sender is None


@pytest.mark.parametrize("streams", [1, COUNTED, 10 * COUNTED, 100 * COUNTED])
def test_some_of_the_streams_count_their_bytes(streams: int) -> None:
    kernel = Kernel()
    port: Any = Port()
    lag = following(kernel)
    found = 0
    for _ in range(streams):
        kernel.open += 1
        found += lag.before(port) is not None
    assert 1 <= found <= 8 * COUNTED
    assert found >= min(streams, COUNTED) // 2


def test_no_bytes_are_counted_where_nothing_can_be_known() -> None:
    kernel = Kernel()
    http2: Any = Port(http2=True)
    plain: Any = Port()
    loop: Any = kernel
    counted = kernel.lags.append
    nobody = OutputLag(loop, None, counted, counted, lambda: 0, lambda: 0)
    assert nobody.before(plain) is None
    assert following(kernel).before(http2) is None
    kernel.known = False
    assert following(kernel).before(plain) is None
