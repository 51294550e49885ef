"""The step clock against the published closed forms, and against a replica played step by step."""

import math

import numpy as np
import pytest

from llmsim.core.load.step_clock import NEVER, MemoryLine, StepClock
from llmsim.core.load.step_cost import StepCost
from tests.core.load.replica import Asked, by_clock, poisson, step_by_step

ALPHA, BETA = 0.020, 0.002
COST = StepCost(ALPHA, BETA, 0.0001, 8, 1000)
LLAMA = StepCost(0.006973, 0.000027, 0.00002, 64, 2048)


def clock(cost: StepCost = COST, room: int = 100) -> StepClock:
    return StepClock(cost, MemoryLine(room))


def joined(one: StepClock, now: float, tokens: int, steps: float, owner: int = 0) -> int:
    ticket = one.join(now, owner, tokens, steps)
    assert ticket is not None
    return ticket


def quantiles(values: list[float]) -> list[float]:
    found: list[float] = np.quantile(values, [0.5, 0.95, 0.99]).tolist()
    return found


@pytest.mark.parametrize("rate", [10, 20, 30])
def test_it_is_the_replica_played_step_by_step(rate: int) -> None:
    """Every token of forty seconds of Poisson arrivals, below the knee and beyond it."""
    literal, clocked = (poisson(rate, 40, 7) for _ in range(2))
    step_by_step(literal, LLAMA)
    by_clock(clocked, LLAMA)
    expected = np.concatenate([one.times for one in literal])
    seen = np.concatenate([one.times for one in clocked])
    np.testing.assert_allclose(seen, expected, rtol=0, atol=1e-6)


def test_it_sees_the_knee() -> None:
    """Beyond N / (prefill + out · T(N)) requests a second the time to first token grows with the
    time that the load lasts; below it stays."""
    prompt, tokens, sequences = 500, 100, 16
    cost = StepCost(0.01, 0.0005, 0.00002, sequences, 2048)
    knee = sequences / (cost.per_prefill_token * prompt * sequences + tokens * cost.step(16, 0))
    for share, grows in ((0.8, False), (1.25, True)):
        gap = 1 / (knee * share)
        requests = [Asked(gap * place, prompt, tokens) for place in range(600)]
        by_clock(requests, cost)
        waits = [one.times[0] - one.arrival for one in requests]
        assert bool(np.mean(waits[500:]) > 2 * np.mean(waits[200:300])) is grows
        if grows:  # it serves no more than that
            ended = sorted(one.times[-1] for one in requests)
            assert 400 / (ended[500] - ended[100]) == pytest.approx(knee, rel=0.05)


@pytest.mark.parametrize("users", [1, 3, 8])
def test_users_in_a_closed_loop(users: int) -> None:
    """ITL = T(n), throughput n / T(n)."""
    one = clock()
    tickets = [joined(one, 0.0, 10, 499) for _ in range(users)]
    one.advance(3.0)
    begun, at = one.steps_at(3.0), 3.0
    assert (one.steps_at(8.0) - begun) / (8.0 - at) == pytest.approx(1 / (ALPHA + BETA * users))
    # Whoever comes first has a step alone; those who came meanwhile share the next.
    assert [one.first(ticket, 499) for ticket in tickets] == [1.0, 2.0, 2.0, *[2.0] * 5][:users]
    assert one.running == users


def test_little_s_law() -> None:
    """Sequences there are on the average = rate · time each is there."""
    requests = poisson(20, 60, 3)
    by_clock(requests, LLAMA)
    arrivals = np.array([one.arrival for one in requests])
    ends = np.array([one.times[-1] for one in requests])
    moments = np.linspace(10, 50, 20_000)
    there = np.searchsorted(np.sort(arrivals), moments) - np.searchsorted(np.sort(ends), moments)
    inside = (arrivals > 10) & (arrivals < 50)
    expected = inside.sum() / 40 * (ends - arrivals)[inside].mean()
    assert there.mean() == pytest.approx(expected, rel=0.1)


def test_an_idle_clock_stands_still_and_begins_at_once() -> None:
    one = clock()
    assert one.change == NEVER
    ticket = joined(one, 100.0, 500, 3.5)
    assert one.time_of(one.change) == 100.0
    one.advance(100.0)
    assert one.first(ticket, 3.5) == 1.0
    assert one.time_of(1.0) == pytest.approx(100.0 + ALPHA + 500 * 0.0001)
    one.advance(200.0)
    assert (one.running, one.change, one.steps_at(300.0)) == (0, NEVER, 4.5)
    joined(one, 300.0, 1, 1)
    assert one.steps_at(300.0) == 5.0  # a whole one


def test_a_prompt_waits_for_the_next_whole_step() -> None:
    one = clock()
    joined(one, 0.0, 0, 100)
    one.advance(0.035)
    assert 1 < one.steps_at(0.035) < 2
    ticket = joined(one, 0.035, 100, 5)
    assert one.first(ticket, 5) is None
    one.advance(0.07)
    assert one.steps == 2.0
    assert one.first(ticket, 5) == 3.0


def test_a_long_prompt_takes_full_steps_and_the_rest_is_shared() -> None:
    one = clock()
    long, short = joined(one, 0.0, 2500, 10), joined(one, 0.0, 300, 10)
    full, last = ALPHA + 1000 * 0.0001, ALPHA + 800 * 0.0001
    one.advance(2 * full)
    assert (one.first(long, 10), one.first(short, 10)) == (3.0, 3.0)
    assert one.time_of(3.0) == pytest.approx(2 * full + last)


def test_no_more_run_than_may() -> None:
    one = clock()
    tickets = [joined(one, 0.0, 1, 20) for _ in range(10)]
    one.advance(0.1)
    assert (one.running, one.queued) == (8, 2)
    one.advance(100.0)
    assert one.first(tickets[8], 20) is not None
    firsts = by_clock([Asked(0.0, 1, 21) for _ in range(10)], COST)
    assert firsts.queued == firsts.running == 0


def test_who_leaves_gives_the_place_back_at_once() -> None:
    one = clock()
    tickets = [joined(one, 0.0, 1, 1000) for _ in range(9)]
    one.advance(1.0)
    before = one.steps_at(1.0)
    one.leave(1.0, tickets[0])
    assert one.step == pytest.approx(ALPHA + 7 * BETA)
    assert one.start == math.ceil(before)  # the ninth may begin
    one.advance(2.0)
    assert (one.running, one.queued) == (8, 0)


def test_who_leaves_while_it_waits_is_never_let_in() -> None:
    one = clock()
    tickets = [joined(one, 0.0, 1, 1000) for _ in range(10)]
    one.advance(1.0)
    one.leave(1.0, tickets[8])
    one.leave(1.0, tickets[8])  # twice is once
    assert one.queued == 1
    one.leave(1.0, tickets[0])
    one.advance(2.0)
    assert (one.running, one.queued) == (8, 0)
    assert one.first(tickets[9], 1000) is not None


def test_a_long_prompt_that_leaves_ends_its_prefill() -> None:
    one = clock()
    joined(one, 0.0, 1, 1000)
    one.advance(0.1)
    ticket = joined(one, 0.1, 60_000, 10)
    one.advance(1.0)
    assert one.step == pytest.approx(ALPHA + BETA + 0.1)
    one.leave(1.0, ticket)
    one.advance(1.2)
    assert one.step == pytest.approx(ALPHA + BETA)
    assert one.prefilled < 12_000


def test_a_dead_owner_leaves_nothing_behind() -> None:
    one = clock()
    for owner in (1, 2) * 6:
        joined(one, 0.0, 1, 1000, owner)
    one.advance(1.0)
    assert (one.running, one.queued) == (8, 4)
    one.leave_all(1.0, 1)
    assert (one.running, one.queued) == (4, 2)
    one.advance(2.0)
    assert (one.running, one.queued) == (6, 0)
    assert one.step == pytest.approx(ALPHA + 6 * BETA)


def test_a_line_has_an_end() -> None:
    one = clock(room=3)
    tickets = [one.join(0.0, 0, 1, 10) for _ in range(6)]
    assert None not in tickets[:4]  # the first began at once
    assert tickets[4:] == [None, None]
    one.advance(0.1)
    assert one.join(0.1, 0, 1, 10) is not None


def test_other_costs_hold_from_now_on() -> None:
    one = clock()
    for _ in range(4):
        joined(one, 0.0, 1, 1000)
    one.advance(1.0)
    before = one.steps_at(1.0)
    one.adjust(1.0, StepCost(1.0, 0.0, 0.0, 2, 1000))
    assert one.steps_at(1.0) == before
    assert one.steps_at(1.5) == pytest.approx(before + 0.5)
    assert one.running == 4
    joined(one, 1.5, 1, 1)
    assert one.start == NEVER  # two too many run


def test_a_sequence_that_ended_unseen_is_past() -> None:
    one = clock()
    ticket = joined(one, 0.0, 1, 3)
    one.advance(50.0)
    first = one.first(ticket, 3)
    assert first is not None
    assert first + 3 <= one.steps_at(50.0)


def test_choices_continue_one_prompt() -> None:
    """n users of k choices each have ITL = α + β·n·k, and the prompt is prefilled once."""
    one = clock()
    ticket = one.join(0.0, 0, 500, 100.0, (100.0, 50.0))
    assert ticket == 1
    one.join(0.0, 0, 0, 100.0)
    assert one.prefilled == 500
    one.advance(COST.step(0, 500) + COST.step(3, 0))
    assert one.running == 4
    assert one.step == pytest.approx(ALPHA + 4 * BETA)
    one.advance(COST.step(0, 500) + COST.step(3, 0) + 60 * (ALPHA + 4 * BETA))
    assert one.step == pytest.approx(ALPHA + 3 * BETA)


def test_all_choices_have_room_or_none() -> None:
    one = clock(room=3)
    one.join(0.0, 0, 900_000, 1.0)
    assert one.join(0.0, 0, 1, 1.0, (1.0, 1.0, 1.0)) is None
    assert one.queued == 0
    assert one.join(0.0, 0, 1, 1.0, (1.0,)) == 2
