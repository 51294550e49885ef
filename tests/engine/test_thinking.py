"""Which models think about what, how much and for how long."""

from typing import get_args

import pytest
from msgspec import structs
from msgspec.structs import replace

from llmsim.core import Effort, Message, ReasoningSegment, Request, Thinking
from llmsim.core.catalog.models import Model, resolve
from llmsim.core.catalog.profiles import LatencyProfile
from llmsim.engine import thinking
from llmsim.engine.plan import plan
from llmsim.engine.timing import draws_of
from tests.engine.asking import CHAT, STAMP, asked, drawn, settings

ALWAYS = resolve("claude-sonnet-5-5")  # thinks hard, unasked
ON_REQUEST = resolve("claude-opus-4-5-20251101")  # thinks on request only
NEVER = resolve("gpt-4o")  # is not known to
STEADY = LatencyProfile.of(0.4, 0.0, 0.02, 0.0)
EFFORTS: tuple[Effort, ...] = get_args(Effort)


def request(asked_for: Thinking | None) -> Request:
    return Request("m", (Message("user", "hi"),), thinking=asked_for)


@pytest.mark.parametrize(
    ("model", "asked_for", "effort"),
    [
        (ALWAYS, None, "high"),
        (ALWAYS, Thinking(), "high"),
        (ALWAYS, Thinking("low"), "low"),
        (ALWAYS, Thinking("none"), "none"),
        (ALWAYS, Thinking(wanted=True), "high"),
        (ON_REQUEST, None, "none"),
        (ON_REQUEST, Thinking(budget=2000), "none"),
        (ON_REQUEST, Thinking(wanted=True), "medium"),
        (ON_REQUEST, Thinking("xhigh", wanted=True), "xhigh"),
        (ON_REQUEST, Thinking("low"), "low"),
        (NEVER, None, "none"),
        (NEVER, Thinking("high"), "none"),
        (NEVER, Thinking(visible=True), "none"),
        (NEVER, Thinking(wanted=True), "medium"),
        (NEVER, Thinking("high", wanted=True), "high"),
    ],
)
def test_effort(model: Model, asked_for: Thinking | None, effort: Effort) -> None:
    assert thinking.effort(request(asked_for), model) == effort
    assert bool(thinking.tokens(request(asked_for), model, 100_000, 1, False)) is (effort != "none")


def test_every_effort_has_its_numbers() -> None:
    assert thinking.TOKENS.keys() == set(EFFORTS)


def test_harder_is_longer() -> None:
    means = [
        sum(
            thinking.tokens(request(Thinking(effort)), ALWAYS, 10**6, seed, False)
            for seed in range(50)
        )
        for effort in EFFORTS
    ]
    assert means == sorted(means)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("budget", "limit"), [(100, 10_000), (10_000, 100), (1024, 1025), (0, 9)])
def test_thinking_keeps_to_its_bounds(budget: int, limit: int, seed: int) -> None:
    asked_for = request(Thinking("max", budget, wanted=True))
    spent = thinking.tokens(asked_for, NEVER, limit, seed, False)
    assert 0 <= spent <= min(budget, limit // 2)
    starving = thinking.tokens(asked_for, NEVER, limit, seed, True)
    assert starving == min(budget, limit)


def test_unseen_thinking_takes_as_long_as_text() -> None:
    model_settings = structs.replace(settings("gpt-4o"), draws=draws_of(STEADY))
    quiet = asked(stream=True)
    thinks = structs.replace(quiet, thinking=Thinking("medium", wanted=True))
    plain, thought = (
        plan(one, model_settings, drawn(one, model_settings), CHAT, STAMP)
        for one in (quiet, thinks)
    )
    assert plain.ttft == pytest.approx(0.4)
    assert thought.completion is not None
    reasoning = thought.completion.usage.reasoning
    assert reasoning > 0
    assert thought.completion.choices[0].hidden == reasoning
    assert thought.ttft == pytest.approx(0.4 + 0.02 * reasoning)
    assert thought.total - thought.ttft == pytest.approx(plain.total - plain.ttft)


def test_seen_thinking_is_on_the_clock() -> None:
    model_settings = settings("gpt-4o")
    quiet = asked()
    aloud = replace(quiet, thinking=Thinking(None, 1024, True, True))
    plain, thought = (
        plan(one, model_settings, drawn(one, model_settings), CHAT, STAMP) for one in (quiet, aloud)
    )
    assert plain.completion is not None
    assert thought.completion is not None
    first = thought.completion.choices[0].segments[0]
    assert isinstance(first, ReasoningSegment)
    assert first.generated.tokens == thought.completion.usage.reasoning > 0
    assert thought.completion.choices[0].tokens == thought.completion.usage.completion
    assert thought.ttft == plain.ttft
    assert thought.total > plain.total
