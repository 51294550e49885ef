"""Who decides about a request, in the order the documentation promises: what the request says of
itself, rate limits and the queue, failures, mocks."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import orjson
import pytest

from llmsim.core import ConnectionEnd, Plan
from llmsim.core.errors import FailureKind
from llmsim.core.rate_limits import Concurrency
from llmsim.core.state import Attempt, Caller
from llmsim.state.memory import MemoryCounters, MemoryRateLimiter
from tests.pipeline.simulated import Simulated, failure, said, settle

OVERRIDE, LIMIT, FAILURE, MOCK, NOBODY = "override", "limit", "failure", "mock", "nobody"
ERROR = {"x-llmsim-error": "418; first=1"}
RULE = 'errors: {rules: [{model: "gpt-*", first: 1, kind: bad_gateway}]}'
MOCKED = "mocks: [{times: 1, response: Mocked.}]"
INSTANT = "latency: {profile: instant}"
LIMITS = {
    "none": "",
    "admits": "rate_limits: [{tokens_per_minute: 100000}]",
    "refuses": "rate_limits: [{tokens_per_minute: 1}]",
}


class SpyingCounters(MemoryCounters):
    """Writes down what is counted: the step, by how it names its counters."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def advance(self, name: str) -> int:
        first = name.partition(" ")[0]
        self.seen.append({"overrides": OVERRIDE, "errors": FAILURE}.get(first, MOCK))
        return super().advance(name)


class SpyingLimiter(MemoryRateLimiter):
    """Counts how often it was asked to admit a request."""

    def __init__(self) -> None:
        super().__init__(lambda: 1.0)
        self.asked = 0

    def take(self, account: Any, amounts: tuple[int, ...]) -> Attempt:
        self.asked += 1
        return super().take(account, amounts)


class WaitingQueue:
    """Lets everybody in after ``wait`` seconds, which do not pass."""

    def __init__(self, wait: float) -> None:
        self.wait = wait
        self.entered = self.inside = 0

    async def enter(self, concurrency: Concurrency, caller: Caller | None) -> float:
        self.entered += 1
        self.inside += 1
        return self.wait

    def leave(self) -> None:
        self.inside -= 1


def decider(plan: Plan) -> str:
    """Which step made an answer what it is."""
    if plan.completion is not None:
        return MOCK if said(plan) == "Mocked." else NOBODY
    by_kind = {FailureKind.TOKEN_LIMIT: LIMIT, FailureKind.BAD_GATEWAY: FAILURE}
    return by_kind.get(failure(plan).kind, OVERRIDE)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize(("header", "rule", "mock"), list(product((False, True), repeat=3)))
def test_the_first_with_a_say_decides_and_nothing_after_it_is_used(
    tmp_path: Path, limit: str, header: bool, rule: bool, mock: bool
) -> None:
    text = "\n".join((INSTANT, LIMITS[limit], RULE if rule else "", MOCKED if mock else ""))
    sim = Simulated(tmp_path, text)
    counters, limiter = SpyingCounters(), SpyingLimiter()
    sim.with_state(counters=counters, limiter=limiter)

    say = [(OVERRIDE, header), (LIMIT, limit == "refuses"), (FAILURE, rule), (MOCK, mock)]
    expected = next((step for step, has in say if has), NOBODY)
    assert decider(sim.ask(headers=ERROR if header else {})) == expected
    assert counters.seen == [expected] * (expected in (OVERRIDE, FAILURE, MOCK))
    assert limiter.asked == (limit != "none" and expected != OVERRIDE)


def test_each_has_its_turn_once_those_before_it_are_used_up(tmp_path: Path) -> None:
    limit = "rate_limits: [{requests_per_day: 3}]"
    sim = Simulated(tmp_path, "\n".join((INSTANT, limit, RULE, MOCKED)))
    plans = [sim.ask(headers=ERROR) for _ in range(5)]
    assert [decider(plan) for plan in plans[:4]] == [OVERRIDE, FAILURE, MOCK, NOBODY]
    assert failure(plans[4]).kind is FailureKind.QUOTA  # the first of the five was not counted


@pytest.mark.parametrize(
    ("headers", "fields", "status"),
    [
        ({}, {"messages": "none"}, 400),
        ({"x-llmsim-latency": "slowish"}, {}, 400),
        ({"x-llmsim-nothing": "1"}, {}, 400),
    ],
)
def test_a_request_that_makes_no_sense_uses_nothing(
    tmp_path: Path, headers: dict[str, str], fields: dict[str, Any], status: int
) -> None:
    sim = Simulated(tmp_path, "\n".join((LIMITS["admits"], RULE, MOCKED)))
    counters, limiter = SpyingCounters(), SpyingLimiter()
    sim.with_state(counters=counters, limiter=limiter)
    assert sim.ask(headers=headers, **fields).status == status
    assert (counters.seen, limiter.asked) == ([], 0)


def test_what_a_limit_refuses_never_waits(tmp_path: Path) -> None:
    text = "\n".join((INSTANT, LIMITS["refuses"], "concurrency: {max_concurrency: 1}"))
    sim = Simulated(tmp_path, text)
    queue = WaitingQueue(2.5)
    sim.with_state(queue=queue)
    assert failure(sim.ask()).kind is FailureKind.TOKEN_LIMIT
    assert queue.entered == 0


@pytest.mark.parametrize("text", [RULE, MOCKED, ""])
def test_whatever_becomes_of_a_request_it_leaves_the_slot_it_got(tmp_path: Path, text: str) -> None:
    sim = Simulated(tmp_path, f"{text}\nconcurrency: {{max_concurrency: 1}}\n{INSTANT}")
    queue = WaitingQueue(2.5)
    sim.with_state(queue=queue)
    call = sim.call()
    plan = sim.plan(call)
    assert (queue.entered, queue.inside) == (1, 1)
    settle(call, plan)
    settle(call, plan)  # the second end of a request is none
    assert queue.inside == 0


def test_the_time_in_the_queue_is_part_of_the_time_to_first_token(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, f"{INSTANT}\nconcurrency: {{max_concurrency: 1}}\n{MOCKED}")
    sim.with_state(queue=WaitingQueue(2.5))
    for plan in (sim.ask(stream=True), sim.ask(stream=True)):  # mocked, then not
        assert plan.ttft == pytest.approx(2.5)


def test_mocks_see_what_overrides_left_of_the_request(tmp_path: Path) -> None:
    mock = "{match: {model: gpt-4o}, response: '{{ model }} {{ seed }}'}"
    sim = Simulated(tmp_path, f"{INSTANT}\nmocks: [{mock}]\nseed: 5")
    assert said(sim.ask(model="gpt-4o@llmsim:seed=9")) == "gpt-4o 9"
    assert said(sim.ask(headers={"x-llmsim-seed": "8"})) == "gpt-4o 8"
    assert said(sim.ask(model="gpt-4o@llmsim:seed=9", headers={"x-llmsim-seed": "8"})) == "gpt-4o 8"


def test_limits_and_failures_know_a_model_by_its_plain_name(tmp_path: Path) -> None:
    limit = "rate_limits: [{model: gpt-4o, requests_per_day: 1}]"
    sim = Simulated(
        tmp_path,
        f"{INSTANT}\n{limit}\nerrors: {{rules: [{{model: gpt-4o, every: 2, kind: bad_gateway}}]}}",
    )
    assert sim.ask(model="gpt-4o@llmsim:latency=instant").completion is not None
    call = sim.call(model="gpt-4o@llmsim:latency=instant")
    assert failure(sim.plan(call)).kind is FailureKind.QUOTA
    assert call.model == "gpt-4o"
    sim = Simulated(tmp_path, "errors: {rules: [{model: gpt-4o, kind: bad_gateway}]}")
    assert failure(sim.ask(model="gpt-4o@llmsim:seed=1")).kind is FailureKind.BAD_GATEWAY


def test_the_factors_of_header_and_timetable_multiply_and_a_mocks_latency_is_the_base(
    tmp_path: Path,
) -> None:
    steady = "{ttft_mean_ms: 100, ttft_stddev_ms: 0, tbt_mean_ms: 10, tbt_stddev_ms: 0}"
    slower = "timetable: [{itl_factor: 4, ttft_factor: 3}]"
    mock = f"mocks: [{{response: {{content: one two three four, latency: {steady}}}}}]"
    sim = Simulated(tmp_path, f"{INSTANT}\n{slower}\n{mock}")
    headers = {"x-llmsim-itl-factor": "2", "x-llmsim-latency": "gpt-5"}
    plan = sim.ask(headers=headers, stream=True)
    assert plan.ttft == pytest.approx(0.3)
    assert plan.total - plan.ttft == pytest.approx(3 * 0.01 * 2 * 4)


def test_a_mocked_answer_has_the_fault_that_was_decided_before(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, f"{INSTANT}\nmocks: [{{response: one two three four five six}}]")
    cut = sim.ask(headers={"x-llmsim-fault": "cut; after=2"}, stream=True)
    assert cut.ending is ConnectionEnd.CUT
    assert b" six" not in b"".join(cut.frames[place] for place in range(len(cut.frames)))


def test_who_does_not_wait_has_failures_and_mocks_but_no_limits_headers_or_faults(
    tmp_path: Path,
) -> None:
    sim = Simulated(tmp_path, "\n".join((LIMITS["refuses"], RULE, MOCKED)))
    limiter = SpyingLimiter()
    sim.with_state(limiter=limiter)
    assert decider(sim.ask(waiting=False)) == FAILURE
    assert decider(sim.ask(waiting=False)) == MOCK
    assert limiter.asked == 0
    sim = Simulated(tmp_path, "errors: {rules: [{fault: {cut: {}}}]}")
    assert sim.ask(waiting=False).ending is ConnectionEnd.WHOLE
    assert sim.ask().ending is ConnectionEnd.CUT


def test_an_answer_tells_which_mock_it_came_from_and_a_refused_one_of_none(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, f"{RULE}\nmocks: [{{name: sunny, response: Sun.}}]")
    failing, mocked = sim.call(), sim.call()
    assert sim.plan(failing).completion is None
    assert failing.mock == ""
    assert orjson.loads(sim.plan(mocked).frames[0])["choices"][0]["message"]["content"] == "Sun."
    assert mocked.mock == "sunny"
