"""The scheduler under a clock and a loop of its own: nothing here waits for anything."""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Plan
from llmsim.providers.wire.sse import Spliced
from llmsim.state.shm import layout
from llmsim.state.shm.layout import (
    CLOSED,
    FRAMES,
    HISTOGRAM,
    ITL,
    LATENESS,
    LATEST,
    LOOP_LAG,
    OPENED,
)
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.scheduler import MOST_FRAMES, TICK, ActiveStream, Scheduler
from llmsim.transport.timer import LoopTimer

EARLIEST = TICK // 2 + 1
"""µs a frame may leave before it is due: half a tick, and what rounding to whole µs takes."""

LATEST_WHEN_PUNCTUAL = TICK + TICK // 2
"""µs after it is due at which a frame has left, if timers fire when they should."""


class Timer:
    """A call to come, as the loop hands it out."""

    def __init__(self, at: int, call: Callable[[], object]) -> None:
        self.at = at
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """A loop whose time passes only from one timer to the next.

    ``missed`` says by how many µs each timer misses its time, in turn; negative is early, as
    real loops sometimes are.
    """

    def __init__(self, missed: Sequence[int] = (0,)) -> None:
        self.now = 1_000_000
        self._missed = missed
        self._timers: list[tuple[int, int, Timer]] = []
        self._number = count()
        self._asked = self._asked_at = 0

    def clock(self) -> int:
        if self.now != self._asked_at:
            self._asked_at, self._asked = self.now, 0
        self._asked += 1
        assert self._asked < 10_000, "the scheduler spins"
        return self.now

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        timer = Timer(self.now + round(delay * 1e6), call)
        heapq.heappush(self._timers, (timer.at, next(self._number), timer))
        return timer

    def create_future(self) -> "asyncio.Future[None]":
        return asyncio.Future(loop=self)  # type: ignore[arg-type]

    def get_debug(self) -> bool:
        return False

    def call_soon(self, call: Callable[..., object], *args: Any, context: object = None) -> None:
        call(*args)

    def run(self, until: int | None = None) -> None:
        """Fire the timers in turn, those after ``until`` left out, as often as there are any."""
        for number in range(100_000):
            while self._timers and self._timers[0][2].cancelled:
                heapq.heappop(self._timers)
            if not self._timers or (until is not None and self._timers[0][0] > until):
                self.now = max(self.now, until or 0)
                return
            timer = heapq.heappop(self._timers)[2]
            missed = self._missed[number % len(self._missed)]
            self.now = max(self.now, timer.at + missed)
            timer.call()
        raise AssertionError("the scheduler spins")


class Client:
    """The other end of a stream: what arrived and when, until it leaves."""

    def __init__(self, loop: Loop, stays_for: int | None = None, cost: int = 0) -> None:
        self._loop = loop
        self._left = stays_for
        self._cost = cost
        self.received: list[tuple[int, bytes]] = []
        self.closed = 0

    def send(self, data: bytes) -> bool:
        assert not self.closed, "sent after the end"
        if self._left is not None:
            if not self._left:
                return False
            self._left -= 1
        self.received.append((self._loop.now, data))
        self._loop.now += self._cost
        return True

    def close(self) -> None:
        self.closed += 1


class Sent:
    """One stream: its plan, its client and what the scheduler reported at its end."""

    def __init__(
        self,
        loop: Loop,
        scheduler: Scheduler,
        due: Sequence[float],
        client: Client,
        ttft: float | None = None,
        series: int = 0,
    ) -> None:
        self.client = client
        self.start = loop.now
        self.due = [self.start + int(seconds * 1e6) for seconds in due]
        self.ended: list[tuple[bool, float, float, float, int]] = []
        frames = Spliced(b"<", [b"%d>" % number for number in range(len(due))])
        first = due[0] if ttft is None else ttft
        plan = Plan(200, frames, np.array(due), True, first, due[-1], 1)
        scheduler.send(plan, self.start, client, lambda *result: self.ended.append(result), series)

    def sent(self) -> list[int]:
        """When each frame arrived."""
        times = []
        for at, data in self.client.received:
            times += [at] * data.count(b"<")
        return times

    def lateness(self) -> list[int]:
        """By how many µs each frame that arrived was late."""
        sent = self.sent()
        return [at - due for at, due in zip(sent, self.due[: len(sent)], strict=True)]


def counters() -> WorkerCounters:
    return WorkerCounters(memoryview(bytearray(layout.SIZE)))


def scheduler_on(loop: Loop) -> tuple[Scheduler, WorkerCounters]:
    shared = counters()
    return Scheduler(loop, shared, loop.clock, LoopTimer), shared  # type: ignore[arg-type]


def test_frames_leave_when_they_are_due() -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    one = Sent(loop, scheduler, [0.01, 0.02, 0.5], Client(loop))
    assert one.client.received == []
    loop.run()
    assert [data for _, data in one.client.received] == [b"<0>", b"<1>", b"<2>"]
    assert all(-EARLIEST <= late <= LATEST_WHEN_PUNCTUAL for late in one.lateness())


def test_what_is_already_due_leaves_at_once_as_one() -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    one = Sent(loop, scheduler, [0.0, 0.0, 0.0002, 1.0], Client(loop))
    assert one.client.received == [(loop.now, b"<0><1><2>")]


class Asking(Client):
    """A client that asks, as each send begins, when its frames were due."""

    active: ActiveStream
    due: list[int]

    def send(self, data: bytes) -> bool:
        due = self.active.leaving(self._loop.now)
        assert len(due) == data.count(b"<")
        self.due += due
        return super().send(data)


@pytest.mark.parametrize("missed", [(0,), (-500, 3), (25_000, 0, 90_000)])
def test_while_frames_are_sent_it_is_known_when_they_were_due(missed: Sequence[int]) -> None:
    loop = Loop(missed)
    scheduler, _ = scheduler_on(loop)
    due = np.array(
        [0.0, 0.0, 0.01, 0.02, 0.021, 0.03, 0.0304, *(0.4 + n / 1e6 for n in range(300))]
    )
    client, frames = Asking(loop), Spliced(b"<", [b"%d>" % one for one in range(len(due))])
    plan = Plan(200, frames, due, True, 0.0, due[-1], 1)
    client.due, client.active = [], ActiveStream(plan, loop.now, client, lambda *_: None, 0)
    start = loop.now
    scheduler.play(client.active)
    loop.run()
    assert client.due == [start + int(at * 1e6) for at in due]


def test_a_plan_that_is_all_due_ends_before_send_returns() -> None:
    loop = Loop()
    scheduler, shared = scheduler_on(loop)
    one = Sent(loop, scheduler, [0.0, 0.0], Client(loop))
    assert one.ended == [(True, 0.0, 0.0, 0.0, 2)]
    assert (one.client.closed, scheduler.open) == (1, 0)
    assert (shared.cells[OPENED], shared.cells[CLOSED]) == (1, 1)


@pytest.mark.parametrize("paced", [False, True])
@pytest.mark.parametrize("frames", [MOST_FRAMES, MOST_FRAMES + 1, 10 * MOST_FRAMES - 1])
def test_what_is_due_at_once_leaves_in_parts_between_which_others_have_their_turn(
    frames: int, paced: bool
) -> None:
    loop = Loop()
    scheduler, shared = scheduler_on(loop)
    due = [place * 1e-6 for place in range(frames)] if paced else [0.0] * frames
    loop.now += 1_000_000
    sent = Sent(loop, scheduler, due, Client(loop))
    other = Sent(loop, scheduler, [0.001], Client(loop))
    loop.run()
    parts = sent.client.received
    assert [data.count(b"<") for _, data in parts] == [
        min(MOST_FRAMES, frames - begin) for begin in range(0, frames, MOST_FRAMES)
    ]
    assert b"".join(data for _, data in parts) == b"".join(b"<%d>" % one for one in range(frames))
    assert [at - sent.start for at, _ in parts] == [TICK * place for place in range(len(parts))]
    assert [at - other.start for at, _ in other.client.received] == [TICK]
    assert shared.cells[FRAMES] == frames + 1
    assert sent.ended[0][0] and sent.ended[0][4] == frames  # noqa: PT018


def test_late_frames_are_joined_and_the_rest_is_on_time_again() -> None:
    loop = Loop(missed=[50_000] + [0] * 20)
    scheduler, shared = scheduler_on(loop)
    one = Sent(loop, scheduler, [0.01, 0.02, 0.03, 0.04, 0.2, 0.3], Client(loop))
    loop.run()
    assert [data for _, data in one.client.received] == [b"<0><1><2><3>", b"<4>", b"<5>"]
    assert max(one.lateness()[4:]) <= LATEST_WHEN_PUNCTUAL
    ((whole, first, end, lateness, sent),) = one.ended
    assert (whole, sent) == (True, 6)
    assert first == pytest.approx(0.06, abs=0.002)
    assert end == pytest.approx(0.3, abs=0.002)
    assert lateness == pytest.approx(0.05, abs=0.002)
    assert shared.cells[LATEST] == round(lateness * 1e6)


def test_how_late_each_tick_begins_is_counted() -> None:
    loop = Loop(missed=[0, 50_000, 0])
    scheduler, shared = scheduler_on(loop)
    Sent(loop, scheduler, [0.01, 0.02, 0.2], Client(loop))
    loop.run()
    total, *buckets = shared.histogram(LOOP_LAG)
    assert sum(buckets) == 3
    assert total == 50_000


def counted_gaps(shared: WorkerCounters, series: int) -> tuple[int, int]:
    """How many gaps were counted in a series, and their sum in µs."""
    total, *buckets = shared.cells[series + ITL : series + ITL + HISTOGRAM].tolist()
    return sum(buckets), total


def test_gaps_between_sends_are_counted_and_no_gap_before_the_first() -> None:
    loop = Loop(missed=[50_000] + [0] * 20)
    scheduler, shared = scheduler_on(loop)
    series = shared.series("/v1/x", "m", True)
    due = [0.01, 0.02, 0.03, 0.04, 0.2, 0.3]
    one = Sent(loop, scheduler, due, Client(loop), series=series)
    Sent(loop, scheduler, [0.0, 0.0], Client(loop), series=series)
    Sent(loop, scheduler, due, Client(loop))
    loop.run()
    times = [at for at, _ in one.client.received]
    assert len(times) == 3
    assert counted_gaps(shared, series) == (2, times[-1] - times[0])


def test_frames_before_the_first_token_are_neither_it_nor_the_begin_of_a_gap() -> None:
    loop = Loop()
    scheduler, shared = scheduler_on(loop)
    series = shared.series("/v1/x", "m", True)
    due = [0.0, 0.0, 0.1, 0.4, 0.4, 0.43]
    one = Sent(loop, scheduler, due, Client(loop), ttft=0.4, series=series)
    leaves = Sent(loop, scheduler, due, Client(loop, stays_for=2), ttft=0.4, series=series)
    loop.run()
    ((_, first, _, _, sent),) = one.ended
    assert (first, sent) == (pytest.approx(0.4, abs=0.002), 6)
    assert counted_gaps(shared, series) == (1, pytest.approx(30_000, abs=1000))
    ((whole, first, _, _, sent),) = leaves.ended
    assert (whole, sent) == (False, 3)
    assert first < 0


def test_a_stream_without_a_token_has_no_first_one() -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    one = Sent(loop, scheduler, [0.0, 0.1, 0.4], Client(loop, stays_for=1), ttft=0.4)
    loop.run()
    ((whole, first, _, _, sent),) = one.ended
    assert (whole, sent) == (False, 1)
    assert first < 0


def test_streams_that_are_due_together_leave_in_one_tick() -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    streams = [Sent(loop, scheduler, [0.01, 0.02], Client(loop)) for _ in range(50)]
    loop.run()
    assert len({tuple(one.sent()) for one in streams}) == 1


def test_an_earlier_frame_is_not_held_up_by_a_timer_for_a_later_one() -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    slow = Sent(loop, scheduler, [5.0], Client(loop))
    quick = Sent(loop, scheduler, [0.01], Client(loop))
    loop.run()
    assert quick.lateness()[0] <= LATEST_WHEN_PUNCTUAL
    assert slow.lateness()[0] <= LATEST_WHEN_PUNCTUAL


def test_a_client_that_leaves_ends_its_stream_and_no_other() -> None:
    loop = Loop()
    scheduler, shared = scheduler_on(loop)
    due = [0.01, 0.02, 0.03, 0.04]
    leaves = Sent(loop, scheduler, due, Client(loop, stays_for=2))
    stays = Sent(loop, scheduler, due, Client(loop))
    assert scheduler.open == 2
    loop.run()
    ((whole, first, end, _, sent),) = leaves.ended
    assert (whole, sent, leaves.client.closed) == (False, 2, 1)
    assert first == pytest.approx(0.01, abs=0.002)
    assert end == pytest.approx(0.03, abs=0.002)
    assert [data for _, data in stays.client.received] == [b"<0>", b"<1>", b"<2>", b"<3>"]
    assert stays.ended[0][0] is True
    assert (scheduler.open, shared.cells[OPENED], shared.cells[CLOSED]) == (0, 2, 2)


def test_a_client_that_has_left_before_the_first_frame() -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    one = Sent(loop, scheduler, [0.0, 1.0], Client(loop, stays_for=0))
    ((whole, _, _, _, sent),) = one.ended
    assert (whole, sent, one.client.closed, scheduler.open) == (False, 0, 1, 0)
    loop.run()
    assert one.client.received == []


class Panic(BaseException):
    """What compiled libraries raise: it is no Exception."""


@pytest.mark.parametrize("error", [OSError, Panic])
def test_an_error_in_one_stream_ends_that_stream_only(error: type[BaseException]) -> None:
    loop = Loop()
    scheduler, shared = scheduler_on(loop)

    class Broken(Client):
        def send(self, data: bytes) -> bool:
            if len(self.received) == 1:
                raise error("the transport is broken")
            return super().send(data)

    due = [0.01, 0.02, 0.03]
    before = Sent(loop, scheduler, due, Client(loop))
    broken = Sent(loop, scheduler, due, Broken(loop))
    after = Sent(loop, scheduler, due, Client(loop))
    loop.run()
    ((whole, _, _, _, sent),) = broken.ended
    assert (whole, sent, broken.client.closed) == (False, 1, 1)
    for one in (before, after):
        assert one.ended[0][0] is True
        assert len(one.sent()) == 3
    assert (scheduler.open, shared.cells[OPENED], shared.cells[CLOSED]) == (0, 3, 3)


def test_an_error_at_the_first_frame_is_the_callers_and_leaves_nothing_open() -> None:
    loop = Loop()
    scheduler, shared = scheduler_on(loop)

    class Broken(Client):
        def send(self, data: bytes) -> bool:
            raise Panic

    broken = Broken(loop)
    plan = Plan(200, Spliced(b"", [b"x"]), np.array([0.0]), True, 0.0, 0.0, 1)
    results: list[object] = []
    with pytest.raises(Panic):
        scheduler.send(plan, loop.now, broken, lambda *result: results.append(result))
    assert (len(results), broken.closed) == (1, 1)
    assert (scheduler.open, shared.cells[OPENED], shared.cells[CLOSED]) == (0, 1, 1)


def test_an_error_while_counting_does_not_stop_the_others() -> None:
    loop = Loop()
    scheduler, shared = scheduler_on(loop)
    plan = Plan(200, Spliced(b"", [b"x"]), np.array([0.01]), True, 0.01, 0.01, 1)

    def ended(*result: object) -> None:
        raise RuntimeError("could not be written down")

    scheduler.send(plan, loop.now, Client(loop), ended)
    one = Sent(loop, scheduler, [0.01, 0.5], Client(loop))
    loop.run()
    assert one.ended[0][0] is True
    assert (scheduler.open, shared.cells[CLOSED]) == (0, 2)


def test_reach_is_done_at_its_time() -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    due = loop.now + 12_345
    reached = scheduler.reach(due)
    reached.add_done_callback(lambda _: times.append(loop.now))
    times: list[int] = []
    assert not reached.done()
    loop.run()
    assert reached.done()
    assert -EARLIEST <= times[0] - due <= LATEST_WHEN_PUNCTUAL


def test_reach_of_a_time_gone_by_is_done_at_the_next_turn() -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    now = loop.now
    reached = scheduler.reach(now - 5_000_000)
    loop.run()
    assert reached.done()
    assert loop.now == now


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_a_wait_that_was_abandoned_harms_nothing(how: str) -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    due = loop.now + 10_000
    abandoned, other = scheduler.reach(due), scheduler.reach(due)
    one = Sent(loop, scheduler, [0.01], Client(loop))
    if how == "cancelled":
        abandoned.cancel()
    else:
        abandoned.set_exception(ConnectionError())
    loop.run()
    assert other.done()
    assert one.ended[0][0] is True
    if how == "failed":
        assert isinstance(abandoned.exception(), ConnectionError)
    else:
        assert abandoned.cancelled()


def test_a_stream_may_be_started_by_what_a_tick_wakes() -> None:
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    started: list[Sent] = []
    waiting = scheduler.reach(loop.now + 10_000)
    waiting.add_done_callback(
        lambda _: started.append(Sent(loop, scheduler, [0.0, 0.001, 0.01], Client(loop)))
    )
    loop.run()
    assert started[0].ended[0][0] is True
    assert started[0].start > 1_009_000


gaps = st.lists(
    st.one_of(st.just(0.0), st.floats(0, 0.002), st.floats(0, 0.3)), min_size=1, max_size=30
)
streams = st.lists(
    st.tuples(
        gaps,
        st.integers(0, 200_000),  # µs after which the next one starts
        st.one_of(st.none(), st.integers(0, 10)),  # sends after which the client leaves
        st.integers(0, 300),  # µs that each send takes
    ),
    min_size=1,
    max_size=8,
)


@given(streams, st.lists(st.integers(-999, 30_000), min_size=1, max_size=10))
def test_every_frame_leaves_once_in_order_and_never_early(
    asked: list[tuple[list[float], int, int | None, int]], missed: list[int]
) -> None:
    loop = Loop(missed)
    scheduler, shared = scheduler_on(loop)
    started = []
    for spans, pause, stays_for, cost in asked:
        due = np.cumsum(spans).tolist()
        started.append(Sent(loop, scheduler, due, Client(loop, stays_for, cost)))
        loop.run(until=loop.now + pause)
    loop.run()
    assert scheduler.open == 0
    assert shared.cells[OPENED] == shared.cells[CLOSED] == len(started)
    frames = 0
    for one in started:
        ((whole, first, end, lateness, sent),) = one.ended
        times = one.sent()
        frames += sent
        assert one.client.closed == 1
        assert b"".join(data for _, data in one.client.received) == b"".join(
            b"<%d>" % number for number in range(sent)
        )
        assert whole == (sent == len(one.due))
        assert all(late >= -EARLIEST for late in one.lateness())
        assert times == sorted(times)
        assert lateness >= 0
        if times:
            assert first == (times[0] - one.start) / 1e6
            assert first <= end
            assert lateness * 1e6 >= max(one.lateness()) - 1
    assert shared.cells[FRAMES] == sum(shared.histogram(LATENESS)[1:]) >= frames
    assert shared.cells[LATEST] >= max(one.ended[0][3] * 1e6 for one in started) - 1


@given(streams)
def test_with_punctual_timers_no_frame_is_late(
    asked: list[tuple[list[float], int, int | None, int]],
) -> None:
    loop = Loop()
    scheduler, shared = scheduler_on(loop)
    for spans, pause, _, _ in asked:
        Sent(loop, scheduler, np.cumsum(spans).tolist(), Client(loop))
        loop.run(until=loop.now + pause)
    loop.run()
    assert shared.cells[LATEST] <= LATEST_WHEN_PUNCTUAL


COST = 100
"""µs that a send takes, where many streams have a frame due at once."""


def busy(streams: int) -> tuple[Loop, list[Sent]]:
    """Streams whose frames are all due at the same times, each of which takes a while to send."""
    loop = Loop()
    scheduler, _ = scheduler_on(loop)
    times = [0.1, 0.2, 0.3]
    return loop, [Sent(loop, scheduler, times, Client(loop, cost=COST)) for _ in range(streams)]


@pytest.mark.parametrize("at", [0.1002, 0.105, 0.2031])
def test_a_tick_gives_way_to_a_request(at: float) -> None:
    loop, streams = busy(100)  # 10 ms of sending
    begun = loop.now
    arrives = begun + int(at * 1e6)
    served: list[int] = []
    loop.call_later(at, lambda: served.append(loop.now))
    loop.run()
    assert served[0] - arrives <= 1_000 + COST
    assert all(one.ended and one.ended[0][0] for one in streams)


def test_frames_keep_their_order_though_ticks_are_cut() -> None:
    loop, streams = busy(100)
    loop.run()
    for one in streams:
        assert b"".join(data for _, data in one.client.received) == b"<0><1><2>"
        assert all(late >= -EARLIEST for late in one.lateness())
    first = [one.client.received[0][0] for one in streams]
    assert first == sorted(first), "each has its turn"


def test_requests_do_not_starve_streams() -> None:
    loop, streams = busy(200)  # 20 ms of sending
    work = 5_000

    def serve() -> None:
        loop.now += work
        if not all(one.client.received for one in streams):
            loop.call_later(0.0, serve)

    loop.call_later(0.0995, serve)
    loop.run()
    longest = max(one.lateness()[0] for one in streams)
    assert longest <= 2 * (200 * COST + work), "streams have half of the time"
