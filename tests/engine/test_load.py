"""What a plan asks of a replica: its own times stay those of an answer that is alone."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from llmsim.config import Config, Response
from llmsim.core.catalog.distribution import Distribution
from llmsim.core.generator import GeneratorChoice
from llmsim.core.latency import Latency, LatencyRule
from llmsim.core.load.step_cost import Load
from llmsim.engine.compose import ModelSettings
from llmsim.runtime.model_settings import ModelRegistry
from tests.engine.asking import asked, planned

RULE = LatencyRule(
    None,
    ttft_overhead=Distribution(0.015),
    itl=Distribution(0.007),
    prefill=0.0001,
    accept=0.02,
    load=Load((64, 0.0087), 32, 1000, 3),
)


def settings(rule: LatencyRule, model: str = "gpt-4o") -> ModelSettings:
    response = Response(GeneratorChoice("lorem"), 40)
    return ModelRegistry(Config(response=response, latency=Latency(rule))).settings(model)


@pytest.mark.parametrize("stream", [True, False])
def test_what_a_plan_asks_of_a_replica(stream: bool) -> None:
    plan = planned(asked(stream=stream), settings(RULE))
    sequence = plan.sequence
    assert sequence is not None
    assert plan.completion is not None
    assert (sequence.model, sequence.replicas) == ("gpt-4o", 3)
    assert sequence.prompt == plan.completion.usage.prompt
    assert sequence.steps == pytest.approx(39)
    assert sequence.begins == pytest.approx(0.02 + 0.015)
    assert sequence.cost.step(1, 0) == pytest.approx(0.007)
    assert sequence.cost.step(64, 100) == pytest.approx(0.0087 + 0.01)
    assert (sequence.cost.max_sequences, sequence.cost.prefill_tokens) == (32, 1000)


@pytest.mark.parametrize("stream", [True, False])
def test_each_choice_is_a_sequence_and_the_prompt_is_that_of_one(stream: bool) -> None:
    plan = planned(asked(stream=stream, n=4), settings(RULE))
    assert plan.sequence is not None
    assert plan.completion is not None
    assert plan.sequence.prompt == plan.completion.usage.prompt
    assert plan.sequence.steps == pytest.approx(39)
    assert plan.sequence.others == pytest.approx((39,) * 3)


def test_but_for_that_it_is_the_same_plan() -> None:
    request = asked(stream=True)
    loaded = planned(request, settings(RULE))
    free = planned(request, settings(replace(RULE, load=None)))
    assert free.sequence is None
    assert np.array_equal(loaded.due[:], free.due[:])
    assert (loaded.ttft, loaded.total, loaded.seed) == (free.ttft, free.total, free.seed)


def test_hidden_reasoning_takes_steps() -> None:
    plan = planned(asked(reasoning_effort="high"), settings(RULE, "o3"))
    assert plan.sequence is not None
    assert plan.completion is not None
    assert plan.completion.usage.reasoning > 0
    assert plan.sequence.hidden == pytest.approx(plan.completion.usage.reasoning)
    assert plan.sequence.steps == pytest.approx(plan.completion.usage.completion - 1)
    assert plan.sequence.begins == pytest.approx(0.035)


def test_drawn_times_stretch_steps_and_overhead() -> None:
    rule = replace(RULE, itl=Distribution(0.007, 0.004), ttft_overhead=Distribution(0.1, 0.05))
    one, two = (planned(asked(), settings(rule), seed) for seed in (1, 2))
    assert one.sequence is not None
    assert two.sequence is not None
    assert one.sequence.step == two.sequence.step == pytest.approx(0.007, rel=0.01)
    assert one.sequence.steps == (one.total - one.ttft) / one.sequence.step
    assert one.sequence.steps != two.sequence.steps
    assert one.sequence.begins - two.sequence.begins == pytest.approx(one.ttft - two.ttft)


def test_what_takes_no_time_has_no_steps() -> None:
    instant = LatencyRule("instant", load=Load())
    assert settings(instant).replicas is None
    plan = planned(asked(), structs.replace(settings(RULE), replicas=None))
    assert plan.sequence is None
