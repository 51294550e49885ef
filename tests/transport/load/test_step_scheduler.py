"""Answers that follow a replica's steps, under a clock and a loop of their own."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec import structs

from llmsim.core import Plan
from llmsim.core.errors import BadRequest
from llmsim.core.load.sequence_plan import SequencePlan, sequence_plan
from llmsim.core.load.step_cost import StepCost
from llmsim.providers.wire.sse import Spliced
from llmsim.state.memory import MemoryStepClocks
from llmsim.transport.load import step_scheduler
from llmsim.transport.load.step_scheduler import (
    LOOK,
    PARTS,
    ReplicaPlace,
    SteppedStream,
    StepScheduler,
)
from llmsim.transport.scheduler import TICK, TURN, Scheduler
from llmsim.transport.timer import LoopTimer
from tests.transport.test_scheduler import Client, Loop, counters

COST = StepCost(0.020, 0.002, 0.0001, 8, 1000)
ALONE = COST.step(1, 0)
GRAIN = 1.5 * TICK + 1e6 * COST.step(8, 1000) / PARTS
"""µs by which a frame may miss its time: the grains of the timer and of a replica's calendar."""


class Worker:
    """One worker on a loop whose time passes only from one timer to the next."""

    def __init__(self, loop: Loop, clocks: MemoryStepClocks) -> None:
        self.loop = loop
        self.counters = counters()
        self.scheduler = Scheduler(loop, self.counters, loop.clock, LoopTimer)  # type: ignore[arg-type]
        self.steps = StepScheduler(self.scheduler, clocks)

    def join(self, plan: SequencePlan) -> ReplicaPlace:
        return self.steps.replica(plan).join(plan, self.loop.now)

    def send(self, tokens: int, prompt: int = 10, client: Client | None = None) -> Sent:
        return Sent(self, tokens, prompt, client or Client(self.loop))


def planned(tokens: int, prompt: int = 10, replicas: int = 1) -> SequencePlan:
    """What a plan of that many tokens asks for, if it begins at once."""
    times = (0.0, 0.0, (tokens - 1) * ALONE)
    return sequence_plan("m", replicas, COST, ALONE, prompt, 0.0, times)


class Sent:
    """A stream that is sent from when its prefill has begun."""

    def __init__(self, worker: Worker, tokens: int, prompt: int, client: Client) -> None:
        self.client = client
        self.worker = worker
        self.start = worker.loop.now
        self.ended: list[tuple[bool, float, float, float, int]] = []
        due = np.arange(tokens) * ALONE
        frames = Spliced(b"<", [b"%d>" % number for number in range(tokens)])
        self.plan = Plan(200, frames, due, True, 0.0, float(due[-1]), 1)
        self.sequence = worker.join(planned(tokens, prompt))
        self.active: SteppedStream | None = None
        if self.sequence.known.done():
            self._begin()
        else:
            self.sequence.known.add_done_callback(lambda _: self._begin())

    def _begin(self) -> None:
        worker = self.worker
        self.active = SteppedStream(
            self.plan, self.start, self.client, self._end, 0, worker.steps, self.sequence
        )
        worker.steps.play(self.active)

    def _end(self, whole: bool, first: float, end: float, late: float, sent: int) -> None:
        self.ended.append((whole, first, end, late, sent))
        if not whole:
            self.sequence.leave()

    def times(self) -> list[float]:
        """Seconds after the start at which each frame arrived."""
        times = []
        for at, data in self.client.received:
            times += [(at - self.start) / 1e6] * data.count(b"<")
        return times


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    made = Loop()
    monkeypatch.setattr(step_scheduler.asyncio, "get_running_loop", lambda: made)
    return made


def close(seen: list[float], expected: list[float]) -> bool:
    assert len(seen) == len(expected)
    return bool(np.abs(np.array(seen) - np.array(expected)).max() <= GRAIN / 1e6)


def test_an_answer_that_is_alone_takes_its_steps(loop: Loop) -> None:
    one = Worker(loop, MemoryStepClocks()).send(20, prompt=100)
    loop.run()
    first = COST.step(0, 100)
    assert close(one.times(), [first + number * ALONE for number in range(20)])
    ((whole, _, _, late, sent),) = one.ended
    assert (whole, sent) == (True, 20)
    assert late <= GRAIN / 1e6
    assert one.active is not None
    assert one.active.planned[0] == pytest.approx(first * 1e6, abs=2)
    assert one.active.planned[1] == pytest.approx((first + 19 * ALONE) * 1e6, abs=2)


class Asking(Client):
    """A client that asks, as each send begins, when its frames were due."""

    active: SteppedStream
    due: list[int]

    def send(self, data: bytes) -> bool:
        due = self.active.leaving(self._loop.now)
        assert len(due) in (0, data.count(b"<"))
        self.due += due
        return super().send(data)


def test_while_frames_are_sent_it_is_known_when_they_were_due(loop: Loop) -> None:
    """But for the last ones."""
    worker = Worker(loop, MemoryStepClocks())
    worker.send(10, prompt=500)
    client = Asking(loop)
    client.due, start = [], loop.now
    frames, due = Spliced(b"<", [b"%d>" % number for number in range(20)]), np.arange(20) * ALONE
    plan = Plan(200, frames, due, True, 0.0, float(due[-1]), 1)
    sequence = worker.join(planned(20))
    loop.run(loop.now + 200_000)
    client.active = SteppedStream(plan, start, client, lambda *_: None, 0, worker.steps, sequence)
    worker.steps.play(client.active)
    loop.run()
    assert len(client.due) >= 18
    arrived = [at for at, data in client.received for _ in range(data.count(b"<"))]
    for at, was_due in zip(arrived, client.due, strict=False):
        assert -TICK <= at - was_due <= GRAIN + 200_000
    assert client.due == sorted(client.due)


def test_answers_slow_each_other_while_they_are_sent(loop: Loop) -> None:
    """The second comes when the first is half done, and is gone before it ends."""
    worker = Worker(loop, MemoryStepClocks())
    one = worker.send(40, prompt=0)
    loop.run(loop.now + 300_000)
    two = worker.send(10, prompt=500)
    loop.run()
    gaps = np.diff(one.times())
    assert max(gaps) == pytest.approx(COST.step(1, 500), abs=GRAIN / 1e6)
    total = COST.step(0, 0) + COST.step(1, 500) + 9 * COST.step(2, 0) + 29 * ALONE
    assert one.times()[-1] == pytest.approx(total, abs=GRAIN / 1e6)
    assert np.diff(two.times()) == pytest.approx(np.full(9, COST.step(2, 0)), abs=GRAIN / 1e6)


def test_workers_share_a_replica(loop: Loop) -> None:
    clocks = MemoryStepClocks()
    one, two = (Worker(loop, clocks) for _ in range(2))
    sent = [worker.send(30, prompt=0) for worker in (one, two) * 2]
    loop.run()
    for stream in sent[1:]:
        assert np.median(np.diff(stream.times())) == pytest.approx(COST.step(4, 0), abs=0.001)


def test_who_waits_begins_when_another_ends(loop: Loop) -> None:
    worker = Worker(loop, MemoryStepClocks())
    sent = [worker.send(10, prompt=0) for _ in range(9)]
    loop.run()
    ends = sorted(stream.times()[-1] for stream in sent[:8])
    assert sent[8].times()[0] >= ends[0]
    assert sent[8].times()[0] <= ends[0] + 2 * COST.step(8, 0)
    assert all(stream.ended for stream in sent)


def test_a_client_that_leaves_gives_its_place_back(loop: Loop) -> None:
    worker = Worker(loop, MemoryStepClocks())
    stays = worker.send(40, prompt=0)
    leaves = worker.send(40, prompt=0, client=Client(loop, stays_for=5))
    loop.run()
    assert leaves.ended[0][0] is False
    gaps = np.diff(stays.times())
    assert (np.abs(gaps - COST.step(2, 0)) < 0.001).sum() == pytest.approx(6, abs=1)
    assert (np.abs(gaps - ALONE) < 0.001).sum() == pytest.approx(33, abs=1)


def test_a_sequence_that_leaves_elsewhere_is_seen(loop: Loop) -> None:
    """Nothing tells a worker that another one's long prompt is given up; it looks now and then."""
    clocks = MemoryStepClocks()
    one, two = (Worker(loop, clocks) for _ in range(2))
    stream = one.send(20, prompt=0)
    loop.run(loop.now + 50_000)
    other = two.join(planned(5, prompt=900_000))
    loop.run(loop.now + 200_000)
    other.leave()
    left = (loop.now - stream.start) / 1e6
    loop.run()
    late = [at for at in stream.times() if at > left]
    assert late[0] <= left + LOOK / 1e6 + COST.step(1, 1000)
    assert stream.times()[-1] < left + 22 * ALONE


def test_all_choices_give_their_places_back(loop: Loop) -> None:
    worker = Worker(loop, MemoryStepClocks())
    stays = worker.join(planned(1000))
    asked = structs.replace(planned(1000), others=(900.0, 800.0))
    leaves = worker.join(asked)
    after = worker.join(planned(1000))
    loop.run(loop.now + 500_000)
    assert stays.replica.clock.running == 5
    leaves.leave()
    assert stays.replica.clock.running == 2
    assert [one.ticket for one in (stays, leaves, after)] == [1, 2, 5]


def test_many_that_are_due_at_one_step_give_way(loop: Loop) -> None:
    """Who arrives meanwhile does not wait for all of them."""
    worker = Worker(loop, MemoryStepClocks())
    clients = [Client(loop, cost=1000) for _ in range(8)]
    streams = [worker.send(10, 0, client) for client in clients]
    loop.run(loop.now + 100_000)
    turns: list[int] = []
    look = worker.steps._look

    def timed() -> None:
        began = loop.now
        look()
        turns.append(loop.now - began)

    assert worker.steps._timer is not None
    worker.steps._timer._call = timed  # type: ignore[attr-defined]
    loop.run()
    assert all(stream.ended[0][0] for stream in streams)
    assert all(len(stream.times()) == 10 for stream in streams)
    assert max(turns) <= 3 * TURN
    assert sum(turn > 0 for turn in turns) > 15


def test_what_is_due_by_steps_is_not_due_by_time(loop: Loop) -> None:
    """While a long prompt is prefilled an answer's tokens come as slowly as its steps."""
    worker = Worker(loop, MemoryStepClocks())
    stream = worker.send(30, prompt=0)
    loop.run(loop.now + 100_000)
    before = len(stream.times())
    worker.send(2, prompt=10_000)
    loop.run(loop.now + round(10 * COST.step(1, 1000) * 1e6))
    assert len(stream.times()) - before == pytest.approx(10, abs=1)


def test_a_wait_for_steps(loop: Loop) -> None:
    worker = Worker(loop, MemoryStepClocks())
    start = loop.now
    sequence = worker.join(planned(11, prompt=0))
    reached = worker.steps.reach(sequence, sequence.plan.steps)
    loop.run(start + 200_000)
    assert not reached.done()
    loop.run()
    assert reached.done()
    expected = COST.step(0, 0) + 10 * ALONE
    assert (sequence.due(10) - start) / 1e6 == pytest.approx(expected, abs=1e-5)


def test_what_needs_no_token_leaves_by_time(loop: Loop) -> None:
    """The stream is open, and its sequence joins later."""
    worker = Worker(loop, MemoryStepClocks())
    due = np.array([0.01, 0.05, 0.2, 0.2 + ALONE])
    plan = Plan(200, Spliced(b"<", [b"a>", b"b>", b"c>", b"d>"]), due, True, 0.2, due[-1], 1)
    client, start = Client(loop), loop.now
    ended: list[tuple[bool, float, float, float, int]] = []
    active = SteppedStream(
        plan, start, client, lambda *result: ended.append(result), 0, worker.steps, None
    )
    worker.steps.play(active)
    loop.run(start + 300_000)
    assert [data for _, data in client.received] == [b"<a>", b"<b>"]
    asked = sequence_plan("m", 1, COST, ALONE, 10, 0.0, (0.0, 0.2, float(due[-1])))
    sequence = worker.join(asked)
    worker.steps.go_on(active, sequence)
    loop.run()
    assert [data for _, data in client.received] == [b"<a>", b"<b>", b"<c>", b"<d>"]
    assert client.received[2][0] - start == pytest.approx(
        300_000 + COST.step(0, 10) * 1e6, abs=GRAIN
    )
    assert ended[0][0] is True


def test_a_first_token_that_waited_is_not_late(loop: Loop) -> None:
    """Its plan has the real time to first token by then, its due times are those of one alone."""
    worker = Worker(loop, MemoryStepClocks())
    due = np.array([0.1, 0.1 + ALONE])
    asked = sequence_plan("m", 1, COST, ALONE, 0, 0.0, (0.0, 0.1, float(due[-1])))
    frames = Spliced(b"<", [b"a>", b"b>"])
    plan = Plan(200, frames, due, True, 0.1, due[-1], 1, sequence=asked)
    start, client = loop.now, Client(loop)
    ended: list[tuple[bool, float, float, float, int]] = []
    loop.run(start + 500_000)
    place = worker.join(asked)
    reached = worker.steps.reach(place, 0.0)
    loop.run(start + 500_000 + round(COST.base * 1e6))
    assert reached.done()
    later = structs.replace(plan, ttft=(loop.now - start) / 1e6)
    active = SteppedStream(
        later, start, client, lambda *result: ended.append(result), 0, worker.steps, place
    )
    worker.steps.play(active)
    loop.run()
    ((_, first, _, late, _),) = ended
    assert first == pytest.approx(0.5 + COST.base, abs=GRAIN / 1e6)
    assert late <= GRAIN / 1e6


def test_a_drawn_gap_stretches_its_steps(loop: Loop) -> None:
    worker = Worker(loop, MemoryStepClocks())
    due = np.array([0.0, 0.5, 3.0, 3.25]) * ALONE
    plan = Plan(200, Spliced(b"<", [b"%d>" % n for n in range(4)]), due, True, 0.0, due[-1], 1)
    start, client = loop.now, Client(loop)
    sequence = worker.join(sequence_plan("m", 1, COST, ALONE, 0, 0.0, (0.0, 0.0, float(due[-1]))))
    stream = SteppedStream(plan, start, client, lambda *_: None, 0, worker.steps, sequence)
    worker.steps.play(stream)
    loop.run()
    seen = [(at - start) / 1e6 - COST.base for at, _ in client.received]
    assert close(seen, due.tolist())


def test_hidden_steps_precede_the_first_token(loop: Loop) -> None:
    worker = Worker(loop, MemoryStepClocks())
    plan = sequence_plan("m", 1, COST, ALONE, 0, 50.0, (0.0, 51 * ALONE, 60 * ALONE))
    assert (plan.begins, plan.steps) == (0.0, pytest.approx(59))
    assert plan.steps_to(51 * ALONE) == 50
    sequence = worker.join(plan)
    assert worker.steps.replica(plan).clock.running == 1
    assert sequence.due(plan.hidden) == pytest.approx(
        loop.now + 1e6 * (COST.step(0, 0) + 50 * ALONE), abs=1e6
    )


@pytest.mark.parametrize(
    ("times", "begins"),
    [((0.0, 0.5, 1.0), 0.5 - 0.01 - 2 * ALONE), ((0.3, 0.31, 1.0), 0.3)],
)
def test_what_ttft_has_beyond_the_engine_passes_before(
    times: tuple[float, float, float], begins: float
) -> None:
    plan = sequence_plan("m", 1, COST, ALONE, 100, 1.0, times)
    assert plan.begins == pytest.approx(begins)


def test_a_full_line_refuses(loop: Loop) -> None:
    worker = Worker(loop, MemoryStepClocks(room=2))
    for _ in range(3):
        worker.join(planned(100))
    with pytest.raises(BadRequest):
        worker.steps.replica(planned(100))


def test_replicas_are_taken_in_turn(loop: Loop) -> None:
    worker = Worker(loop, MemoryStepClocks())
    sequences = [worker.join(planned(100, replicas=2)) for _ in range(4)]
    assert sequences[0].replica is sequences[2].replica
    assert sequences[0].replica is not sequences[1].replica


def test_streams_go_on_when_one_breaks(loop: Loop) -> None:
    class Broken(Client):
        def send(self, data: bytes) -> bool:
            if len(self.received) == 3:
                raise ValueError("broken")
            return super().send(data)

    worker = Worker(loop, MemoryStepClocks())
    broken = worker.send(10, client=Broken(loop))
    whole = worker.send(10)
    loop.run()
    assert broken.ended[0][0] is False
    assert whole.ended[0][0] is True


def test_no_timer_is_left_when_all_has_ended(loop: Loop) -> None:
    worker = Worker(loop, MemoryStepClocks())
    worker.send(5)
    loop.run()
    before = loop.now
    loop.run()
    assert loop.now == before
