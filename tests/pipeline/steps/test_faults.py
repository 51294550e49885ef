"""The step that lets requests fail, with a segment but without processes or time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from llmsim.config import Config, Server
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.faults import Cut, FaultSet
from llmsim.core.injection import ErrorInjection, ErrorRates, ErrorRule, RequestPattern
from llmsim.core.state import PipelineState
from llmsim.core.timetable import TimetableEntry
from llmsim.engine.overrides import NO_OVERRIDES, ResponseOverrides
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.steps.faults import FaultStep, any_configured
from llmsim.server.pipeline_state import pipeline_state
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.segment import Segment

SMALL = Server(workers=2, journal_mb=1)
FINE = "fine"


@dataclass
class Asked:
    """A request as far as the step looks at it."""

    model: str = "gpt-4o"
    endpoint: str = "/v1/chat/completions"
    dialect: str = "openai_chat"
    waited_for: bool = True
    overrides: ResponseOverrides = NO_OVERRIDES
    request: Any = field(init=False)
    call: Any = field(init=False)

    def __post_init__(self) -> None:
        self.request = SimpleNamespace(model=self.model)
        codec = SimpleNamespace(name=self.dialect)
        endpoint = SimpleNamespace(name=self.endpoint, codec=codec)
        self.call = SimpleNamespace(endpoint=endpoint, caller=object() if self.waited_for else None)


def new_state(
    segment: Segment | None = None, elapsed: Callable[[], float] | None = None
) -> PipelineState:
    """The state of one worker on the segment, a new one unless it is passed."""
    shared = SharedState(new_segment(Config(SMALL)) if segment is None else segment)
    state = pipeline_state(shared)
    return state if elapsed is None else replace(state, elapsed=elapsed)


def fault_step(config: Config, state: PipelineState) -> FaultStep:
    return FaultStep(config.errors, config.timetable, config.seed, state)


def considered(step: FaultStep, asked: Asked) -> Failure | ResponseOverrides:
    """What the step decides."""
    try:
        asyncio.run(step.consider(cast("RequestContext", asked)))
    except BadRequest as bad:
        return bad.failure
    return asked.overrides


def fates(step: FaultStep, count: int, **about: Any) -> list[str]:
    told = []
    for _ in range(count):
        decided = considered(step, Asked(**about))
        told.append(decided.kind.value if isinstance(decided, Failure) else FINE)
    return told


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (Config(), False),
        (Config(errors=ErrorInjection(ErrorRates(timeout_after=3.0))), False),
        (Config(errors=ErrorInjection(ErrorRates(rate_limit_rate=0.1))), True),
        (Config(errors=ErrorInjection(ErrorRates(faults=FaultSet(cut=Cut(0.1))))), True),
        (Config(errors=ErrorInjection(ErrorRates(faults=FaultSet(cut=Cut())))), False),
        (Config(errors=ErrorInjection(rules=(ErrorRule(status=503),))), True),
        (Config(timetable=(TimetableEntry(),)), True),
    ],
)
def test_the_step_is_there_only_if_something_can_happen(config: Config, expected: bool) -> None:
    assert any_configured(config.errors, config.timetable) is expected


def test_the_same_seed_is_the_same_run() -> None:
    config = Config(SMALL, errors=ErrorInjection(ErrorRates(0.3, 0.3)), seed=5)
    runs = [fates(fault_step(config, new_state()), 200) for _ in range(2)]
    assert runs[0] == runs[1]
    assert {"rate_limit", "server_error", FINE} == set(runs[0])
    other = Config(SMALL, errors=ErrorInjection(ErrorRates(0.3, 0.3)), seed=6)
    assert fates(fault_step(other, new_state()), 200) != runs[0]


def test_workers_draw_in_one_order() -> None:
    config = Config(SMALL, errors=ErrorInjection(ErrorRates(0.5)), seed=5)
    alone = fates(fault_step(config, new_state()), 100)
    segment = new_segment(config)
    shared = new_state(segment)
    one, two = fault_step(config, shared), fault_step(config, shared)
    assert [fates(step, 1)[0] for _ in range(50) for step in (one, two)] == alone


def test_the_first_rule_that_matches_counts() -> None:
    rules = (
        ErrorRule(RequestPattern("claude-*"), kind="overloaded"),
        ErrorRule(RequestPattern("*-sonnet"), kind="server_error"),
        ErrorRule(RequestPattern("quiet")),
        ErrorRule(RequestPattern(dialect="anthropic"), rates=ErrorRates(timeout_rate=1.0)),
    )
    step = fault_step(
        Config(SMALL, errors=ErrorInjection(ErrorRates(rate_limit_rate=1.0), rules)), new_state()
    )
    assert fates(step, 2, model="claude-sonnet") == ["overloaded"] * 2
    assert fates(step, 2, model="my-sonnet") == ["server_error"] * 2
    assert fates(step, 2, model="quiet") == [FINE] * 2
    assert fates(step, 2, dialect="anthropic") == ["timeout"] * 2
    assert fates(step, 2) == ["rate_limit"] * 2


def test_the_first_and_every_are_counted_for_all_steps_of_all_workers() -> None:
    rules = (
        ErrorRule(
            RequestPattern("first"), first=3, kind="overloaded", rates=ErrorRates(timeout_rate=1.0)
        ),
        ErrorRule(RequestPattern("every"), every=3, kind="overloaded"),
    )
    config = Config(SMALL, errors=ErrorInjection(rules=rules))
    shared = new_state()
    one, two = fault_step(config, shared), fault_step(config, shared)
    turns = [fates(step, 1, model="first")[0] for _ in range(3) for step in (one, two)]
    assert turns == ["overloaded"] * 3 + ["timeout"] * 3
    turns = [fates(step, 1, model="every")[0] for _ in range(3) for step in (one, two)]
    assert turns == [FINE, FINE, "overloaded"] * 2


def test_a_rule_goes_on_counting_when_another_changes() -> None:
    kept = ErrorRule(RequestPattern("a"), first=2, status=503)
    shared = new_state()
    before = fault_step(Config(SMALL, errors=ErrorInjection(rules=(kept,))), shared)
    assert fates(before, 1, model="a") == ["unavailable"]
    rules = (ErrorRule(RequestPattern("b"), kind="timeout"), kept)
    after = fault_step(Config(SMALL, errors=ErrorInjection(rules=rules)), shared)
    assert fates(after, 2, model="a") == ["unavailable", FINE]


def test_a_fault_is_an_order_where_somebody_waits() -> None:
    cut = Cut()
    config = Config(SMALL, errors=ErrorInjection(rules=(ErrorRule(fault=FaultSet(cut=cut)),)))
    step = fault_step(config, new_state())
    assert considered(step, Asked()) == ResponseOverrides(fault=cut)
    assert considered(step, Asked(overrides=ResponseOverrides(pace=2.0))) == ResponseOverrides(
        pace=2.0, fault=cut
    )
    assert considered(step, Asked(waited_for=False)) is NO_OVERRIDES


def test_the_timetable_goes_by_its_own_clock_and_before_all_else() -> None:
    now = [0.0]
    config = Config(
        SMALL,
        errors=ErrorInjection(ErrorRates(rate_limit_rate=1.0)),
        timetable=(
            TimetableEntry(10, 20, kind="overloaded"),
            TimetableEntry(30, 40, RequestPattern("gpt-*"), itl_factor=4, ttft_factor=2),
        ),
    )
    step = fault_step(config, new_state(elapsed=lambda: now[0]))
    seen = []
    for at in (0, 10, 19.9, 20, 35):
        now[0] = at
        seen += fates(step, 1)
    assert seen == ["rate_limit", "overloaded", "overloaded", "rate_limit", "rate_limit"]
    calm = Config(SMALL, timetable=config.timetable)
    now[0] = 35
    paced = considered(fault_step(calm, new_state(elapsed=lambda: now[0])), Asked())
    assert paced == ResponseOverrides(pace=4.0, delay=2.0)


def test_kinds_are_told_as_configured() -> None:
    rates = ErrorRates(retry_after=7.0, timeout_after=3.0)
    rules = (
        ErrorRule(RequestPattern("a"), kind="rate_limit", rates=rates),
        ErrorRule(kind="timeout", rates=rates),
    )
    step = fault_step(Config(SMALL, errors=ErrorInjection(rules=rules)), new_state())
    throttled, late = considered(step, Asked("a")), considered(step, Asked())
    assert isinstance(throttled, Failure)
    assert isinstance(late, Failure)
    assert (throttled.kind, throttled.retry_after, throttled.injected) == (
        FailureKind.RATE_LIMIT,
        7.0,
        True,
    )
    assert (late.kind, late.after) == (FailureKind.TIMEOUT, 3.0)


def test_every_third_request_of_a_rule_fails_and_the_first_two_do_not() -> None:
    config = Config(SMALL, errors=ErrorInjection(rules=(ErrorRule(every=3, kind="overloaded"),)))
    step = fault_step(config, new_state())
    assert fates(step, 7) == [FINE, FINE, "overloaded", FINE, FINE, "overloaded", FINE]
