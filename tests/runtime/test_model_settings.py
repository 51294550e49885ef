"""What the configuration says about each model."""

from dataclasses import replace

import pytest

from llmsim.config import Config, Models, Response
from llmsim.core.catalog.models import MODELS, UNKNOWN, resolve
from llmsim.core.catalog.profiles import PRESETS
from llmsim.core.errors import BadRequest, FailureKind
from llmsim.core.generator import GeneratorChoice
from llmsim.core.latency import Latency, LatencyRule
from llmsim.engine import timing
from llmsim.engine.text import Echo, Series, pool
from llmsim.engine.timing import draws_of
from llmsim.engine.tokens import ranks
from llmsim.runtime import model_settings
from llmsim.runtime.model_settings import ModelRegistry


@pytest.mark.parametrize(
    ("model", "encoding", "profile"),
    [
        ("gpt-4o", "o200k_base", "gpt-4o"),
        ("gpt-4", "cl100k_base", "gpt-4"),
        ("o3-mini", "o200k_base", "o-series"),
        ("openai/gpt-4o", "o200k_base", "gpt-4o"),
        ("nobody-knows-it", "o200k_base", UNKNOWN.latency),
    ],
)
def test_a_models_own_rules(model: str, encoding: str, profile: str) -> None:
    settings = ModelRegistry(Config()).settings(model)
    assert settings.model == resolve(model)
    assert settings.tokenizer.name == encoding
    assert settings.draws is draws_of(PRESETS[profile])
    assert settings.target_tokens == Config().response.target_tokens


def test_configured_latency_replaces_the_models_own() -> None:
    latency = Latency(
        LatencyRule("fast"),
        (("gpt-*", LatencyRule("instant")), ("o3*", LatencyRule("auto", ttft_mean=9.0))),
    )
    registry = ModelRegistry(Config(latency=latency))
    own = PRESETS["o-series"]
    assert registry.settings("claude-sonnet-4-5").draws is draws_of(PRESETS["fast"])
    assert registry.settings("gpt-4o").draws is draws_of(PRESETS["instant"])
    assert registry.settings("o3-mini").draws is draws_of(
        replace(own, ttft=own.ttft.varied(mean=9.0))
    )


@pytest.mark.parametrize(
    ("generator", "made"),
    [
        (GeneratorChoice("lorem"), type(pool("lorem"))),
        (GeneratorChoice("random"), type(pool("random"))),
        (GeneratorChoice("echo"), Echo),
        (GeneratorChoice("fixed", ("text",)), Series),
        (GeneratorChoice("sequence", ("one", "two")), Series),
    ],
)
def test_the_configured_generator(generator: GeneratorChoice, made: type) -> None:
    registry = ModelRegistry(Config(response=Response(generator, 17)))
    settings = registry.settings("gpt-4o")
    assert isinstance(settings.generator, made)
    assert settings.target_tokens == 17
    if generator.kind in ("lorem", "random"):
        assert settings.generator is pool(generator.kind)
    assert registry.settings("gpt-4").generator is settings.generator


def test_rules_are_made_once() -> None:
    registry = ModelRegistry(Config())
    assert registry.known("gpt-4o") is None
    settings = registry.settings("gpt-4o")
    assert registry.known("gpt-4o") is registry.settings("gpt-4o") is settings


def test_rules_of_endless_names_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_settings, "MAX_MODELS", 8)
    registry = ModelRegistry(Config())
    names = [f"model-{number}" for number in range(20)]
    for name in names:
        assert registry.settings(name).model.id == name
        assert sum(registry.known(other) is not None for other in names) <= 8


def test_ready_tells_whether_anything_has_to_be_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "_loaded", {})
    monkeypatch.setattr(timing, "_made", {})
    registry = ModelRegistry(Config(latency=Latency(models=(("gpt-4-*", LatencyRule("fast")),))))
    ranks.encoding("cl100k_base")
    assert not registry.ready("gpt-4")
    draws_of(PRESETS["gpt-4"])
    assert registry.ready("gpt-4")
    assert not registry.ready("gpt-4-0613")
    draws_of(PRESETS["gpt-4o"])
    assert not registry.ready("gpt-4o")


OFFERED = ("gpt-4o", "house-model")


@pytest.mark.parametrize(
    ("models", "served", "refused"),
    [
        (Models(), ["gpt-4o", "nobody-knows-it"], []),
        (Models(unknown="reject"), ["gpt-4o", "gpt-4"], ["nobody-knows-it"]),
        (Models(OFFERED), ["gpt-4o", "house-model", "gpt-4", "nobody-knows-it"], []),
        (Models(OFFERED, "reject"), ["gpt-4o", "house-model"], ["gpt-4", "nobody-knows-it"]),
        (Models(()), ["gpt-4o"], []),
        (Models((), "reject"), [], ["gpt-4o"]),
    ],
)
def test_which_models_are_served(models: Models, served: list[str], refused: list[str]) -> None:
    registry = ModelRegistry(Config(models=models))
    for name in served:
        assert registry.settings(name).model.id == name
    for name in refused:
        for _ in range(2):  # the refusal is not remembered as an answer
            with pytest.raises(BadRequest) as caught:
                registry.settings(name)
            assert caught.value.failure.kind is FailureKind.MODEL_NOT_FOUND
            assert f"`{name}`" in caught.value.failure.message


@pytest.mark.parametrize(
    ("models", "listed", "unlisted"),
    [
        (Models(), ["gpt-4o", "gpt-4"], ["house-model", ""]),
        (Models(OFFERED), ["gpt-4o", "house-model"], ["gpt-4", "nobody-knows-it"]),
        (Models(OFFERED, "reject"), ["gpt-4o", "house-model"], ["gpt-4"]),
        (Models(()), [], ["gpt-4o"]),
    ],
)
def test_which_models_are_listed(models: Models, listed: list[str], unlisted: list[str]) -> None:
    registry = ModelRegistry(Config(models=models))
    for name in listed:
        assert registry.model(name).id == name
    for name in unlisted:
        with pytest.raises(BadRequest):
            registry.model(name)


def test_an_alias_is_shown_as_the_model_it_stands_for() -> None:
    alias, model = next((m.aliases[0], m) for m in MODELS.values() if m.aliases)
    assert ModelRegistry(Config()).model(alias) == model
    assert ModelRegistry(Config()).settings(alias).model.id == alias, (
        "it is answered as it was asked for"
    )


def test_a_listing_is_what_is_offered() -> None:
    assert [one.id for one in ModelRegistry(Config(models=Models(OFFERED))).listed()] == list(
        OFFERED
    )
    assert [one.id for one in ModelRegistry(Config()).listed()] == list(MODELS)
