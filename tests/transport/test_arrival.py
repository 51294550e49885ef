"""When requests arrived, by a clock that the test turns."""

import pytest

from llmsim.transport.arrival import (
    GRACE,
    PAUSE,
    ArrivalClock,
    KernelTicks,
    Span,
    Waypoints,
    arrival,
)

CLIENT, SERVER = "127.0.0.1:4711", "127.0.0.1:8080"


@pytest.mark.parametrize(
    ("seen", "received", "expected"),
    [
        # it waited in the socket: the end of the span, so that nothing is early
        (Waypoints(50_000, 60_000, 61_000), Span(20_000, 24_000), 24_000),
        # it may have been handed over at once: then, and not later
        (Waypoints(50_000, 60_000, 61_000), Span(48_000, 52_000), 50_000),
        (Waypoints(50_000, 60_000, 61_000), Span(50_000, 54_000), 50_000),
        # the body came after the head
        (Waypoints(50_000, 50_100, 90_000), Span(80_000, 84_000), 84_000),
        (Waypoints(50_000, 50_100, 90_000), Span(88_000, 92_000), 90_000),
    ],
)
def test_an_arrival(seen: Waypoints, received: Span | None, expected: int) -> None:
    assert arrival(seen, received) == expected


@pytest.mark.parametrize(
    ("seen", "large", "expected"),
    [
        (Waypoints(50_000, 60_000, 61_000), True, 50_000),
        (Waypoints(50_000, 60_000, 70_000 + GRACE), True, 50_000),
        (Waypoints(50_000, 60_000, 70_001 + GRACE), True, 70_001 + GRACE),
        (Waypoints(50_000, 60_000, 70_001 + GRACE), False, 50_000),  # the loop was busy
        (Waypoints(50_000, 50_000, 50_000), True, 50_000),
    ],
)
def test_an_arrival_of_which_the_kernel_knows_nothing(
    seen: Waypoints, large: bool, expected: int
) -> None:
    assert arrival(seen, None, large) == expected


@pytest.mark.parametrize("received", [None, Span(0, 4), Span(40, 44), Span(60, 64), Span(99, 103)])
def test_no_request_arrives_later_than_it_was_read(received: Span | None) -> None:
    assert arrival(Waypoints(50, 60, 70), received) <= 70


class Kernel:
    """A clock that ticks every 4 ms, at 1, 5, 9 …, and shows 2 ms less than that."""

    def __init__(self, now: int = 0) -> None:
        self.now = now

    def precise(self) -> int:
        self.now += 10
        return self.now

    def coarse(self) -> int:
        self.now += 10
        return (self.now - 1000) // 4000 * 4000 - 1000

    def age_ms(self, at: int) -> int:
        return ((self.now - 1000) // 4000 - (at - 1000) // 4000) * 4


@pytest.mark.parametrize("at", [0, 500, 999, 1000, 1001, 4999, 5000, 12_345, 39_999])
def test_what_is_received_lies_in_the_span_that_the_kernel_gives(at: int) -> None:
    kernel = Kernel()
    ticks = KernelTicks.found(kernel.coarse, kernel.precise, 4000)
    kernel.now = 40_000
    span = ticks.span(kernel.coarse(), kernel.age_ms(at))
    assert span.latest - span.earliest == 4000
    assert span.earliest - 30 <= at < span.latest  # as exactly as it could look


def test_the_ticks_are_found_where_one_look_was_late() -> None:
    kernel = Kernel()
    lateness = iter([1500, 10, 700])

    def precise() -> int:
        kernel.now += next(lateness)
        return kernel.now

    span = KernelTicks.found(kernel.coarse, precise, 4000).span(-1000, 0)
    assert span.earliest == pytest.approx(1000, abs=30)


def test_a_clock_that_does_not_tick_is_an_error() -> None:
    kernel = Kernel()
    with pytest.raises(OSError, match="stands still"):
        KernelTicks.found(lambda: 7, kernel.precise, 4000)


class Receipts:
    def __init__(self, *spans: Span | None) -> None:
        self.spans = list(spans)
        self.asked = 0

    def last(self, client: str, server: str) -> Span | None:
        assert (client, server) == (CLIENT, SERVER)
        self.asked += 1
        return self.spans.pop(0)


def test_while_the_kernel_knows_nothing_new_it_is_asked_once_a_millisecond() -> None:
    receipts = Receipts(Span(9_000, 13_000), Span(9_000, 13_000))
    clock = ArrivalClock(receipts)
    for read in (10_800, 11_000, 10_799 + PAUSE):
        assert clock.of(Waypoints(10_000, 10_500, read), CLIENT, SERVER, True) == 10_000
        assert receipts.asked == 1
    clock.of(Waypoints(10_000, 10_500, 10_800 + PAUSE), CLIENT, SERVER, True)
    assert receipts.asked == 2


def test_while_requests_wait_for_the_servers_threads_the_kernel_is_always_asked() -> None:
    receipts = Receipts(Span(0, 4_000), Span(4_000, 8_000), None)
    clock = ArrivalClock(receipts)
    seen = Waypoints(10_000, 10_500, 10_800)
    assert [clock.of(seen, CLIENT, SERVER, True) for _ in range(3)] == [4_000, 8_000, 10_000]
    assert receipts.asked == 3


def test_without_a_kernel_that_tells_the_handing_over_counts() -> None:
    assert ArrivalClock(None).of(Waypoints(10, 20, 30), CLIENT, SERVER, True) == 10


def test_for_answers_without_latency_it_is_asked_once_a_millisecond() -> None:
    receipts = Receipts(Span(0, 4_000), Span(0, 4_000))
    clock = ArrivalClock(receipts)
    seen = Waypoints(10_000, 10_500, 10_800)
    found = [clock.of(seen, CLIENT, SERVER, waits) for waits in (False, False, True)]
    assert found == [4_000, 10_000, 4_000]
    assert receipts.asked == 2


def test_without_latency_it_is_not_asked_more_often_for_bodies_that_took_long() -> None:
    receipts = Receipts(Span(0, 4_000), Span(0, 4_000))
    clock = ArrivalClock(receipts)
    for _ in range(10):  # as every body does under full load
        clock.of(Waypoints(10_000, 10_100, 11_250), CLIENT, SERVER, False)
    assert receipts.asked == 1


def test_a_body_that_took_long_is_always_asked_for() -> None:
    receipts = Receipts(Span(9_000, 13_000), Span(60_000, 64_000))
    clock = ArrivalClock(receipts)
    for seen, expected in (
        (Waypoints(10_000, 10_500, 10_800), 10_000),
        (Waypoints(10_000, 10_100, 11_250), 11_250),
    ):
        assert clock.of(seen, CLIENT, SERVER, True) == expected
    assert receipts.asked == 2
