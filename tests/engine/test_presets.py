"""Each preset reproduces the measurement it follows: median TTFT within 10 %, speed within 5 %."""

from __future__ import annotations

from statistics import mean, median

import pytest
from msgspec.structs import replace

from llmsim.config import Config, Response
from llmsim.core import Thinking
from llmsim.core.catalog.models import MODELS
from llmsim.core.catalog.profiles import MEASURED
from llmsim.core.generator import GeneratorChoice
from llmsim.engine.compose import PlanInputs
from llmsim.engine.plan import plan
from llmsim.runtime.model_settings import ModelRegistry
from tests.engine.asking import CHAT, STAMP, asked

REQUESTS = 400
TOKENS = 300


@pytest.mark.parametrize("name", MEASURED)
def test_a_preset_is_as_fast_as_its_model(name: str) -> None:
    measured = MEASURED[name]
    settings = ModelRegistry(Config(response=Response(GeneratorChoice("lorem"), TOKENS))).settings(
        measured.model
    )
    assert settings.model.latency == name
    request = asked()
    if measured.effort is not None:
        request = replace(request, thinking=Thinking(measured.effort))
    plans = [
        plan(request, settings, PlanInputs(seed, 0, measured.prompt), CHAT, STAMP)
        for seed in range(REQUESTS)
    ]
    speeds = [(TOKENS - 1) / (made.total - made.ttft) for made in plans]
    assert median(made.ttft for made in plans) == pytest.approx(measured.ttft, rel=0.1)
    assert median(speeds) == pytest.approx(measured.speed, rel=0.05)
    hidden = mean(made.completion.choices[0].hidden for made in plans if made.completion)
    assert hidden == pytest.approx(measured.hidden, rel=0.05)


def test_models_are_paced_by_presets_that_were_measured() -> None:
    """Apart from what makes no text."""
    others = {"fast"}
    assert {model.latency for model in MODELS.values()} - others == set(MEASURED)
