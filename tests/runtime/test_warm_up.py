"""What is built before requests come, for which models, and that nothing is left for later."""

from dataclasses import replace

import pytest

from llmsim.config import Config, Models, Server
from llmsim.core.catalog.models import MODELS
from llmsim.core.catalog.profiles import LatencyProfile
from llmsim.core.latency import Latency, LatencyRule
from llmsim.core.mocks.match import MockMatch
from llmsim.core.mocks.mock import Mock, MockScript
from llmsim.core.mocks.response import MockResponse
from llmsim.engine import timing
from llmsim.engine.timing import drawn
from llmsim.engine.tokens import ranks
from llmsim.runtime import warm_up as module
from llmsim.runtime.model_settings import ModelRegistry
from llmsim.runtime.warm_up import models, preload, warm_up

SLOW = LatencyRule(None, 9.0, 0.5, 0.25, 0.0)
OPUS = tuple(name for name in MODELS if name.startswith("claude-opus-"))


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """No profile has draws yet."""
    monkeypatch.setattr(timing, "_made", {})


def warmed(*names: str) -> Config:
    return Config(Server(warm=names))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (Config(), tuple(MODELS)),
        (Config(latency=Latency(LatencyRule("fast"))), tuple(MODELS)),
        (Config(mocks=(Mock(), Mock(match=MockMatch(content_contains="x")))), tuple(MODELS)),
        (warmed("gpt-4o", "house-model"), ("gpt-4o", "house-model")),
        (warmed("claude-opus-*", "llama-*", "gpt-4o"), (*OPUS, "llama-*", "gpt-4o")),
        (Config(models=Models(("gpt-4o", "house-model"))), ("gpt-4o", "house-model")),
        (Config(models=Models(())), tuple(MODELS)),
        (Config(latency=Latency(models=(("claude-opus-*", SLOW), ("o3", SLOW)))), (*OPUS, "o3")),
        (
            Config(
                models=Models(("gpt-4",)),
                mocks=(
                    Mock(match=MockMatch(all_=(MockMatch(model="o3"), MockMatch(model="gpt-4")))),
                ),
                scripts=(MockScript(match=MockMatch(any_=(MockMatch(model="gpt-5"),))),),
            ),
            ("gpt-4", "o3", "gpt-5"),
        ),
        (Config(mocks=(Mock(match=MockMatch(not_=(MockMatch(model="o3"),))),)), tuple(MODELS)),
        (
            Config(Server(warm=("o3",)), models=Models(("gpt-4o",))),
            ("o3",),
        ),
    ],
)
def test_which_models_are_warmed_up(config: Config, expected: tuple[str, ...]) -> None:
    assert models(config) == expected


def test_nothing_has_to_be_built_afterwards() -> None:
    registry = ModelRegistry(Config())
    warm_up(Config(), registry)
    assert all(registry.known(name) is not None for name in MODELS)
    assert registry.ready("nobody-knows-it")


def test_models_that_are_not_named_are_left_for_later() -> None:
    config = warmed("gpt-4o")
    registry = ModelRegistry(config)
    warm_up(config, registry)
    assert registry.known("gpt-4o") is not None
    assert registry.known("claude-opus-4-5") is None
    assert not registry.ready("claude-opus-4-5")


def test_a_pattern_for_names_nobody_listed_has_its_draws() -> None:
    config = Config(latency=Latency(models=(("llama-*", SLOW),)))
    registry = ModelRegistry(config)
    warm_up(config, registry)
    assert registry.ready("llama-4-scout")


def test_models_that_are_refused_hold_nothing_up() -> None:
    config = replace(warmed("nobody-knows-it", "gpt-4o"), models=Models(unknown="reject"))
    registry = ModelRegistry(config)
    warm_up(config, registry)
    assert registry.known("gpt-4o") is not None


@pytest.mark.parametrize("scripted", [False, True])
def test_answers_with_a_time_of_their_own_have_their_draws(scripted: bool) -> None:
    response = MockResponse(content="Hi", latency=SLOW)
    config = warmed("gpt-4o")
    if scripted:
        config = replace(config, scripts=(MockScript(turns=(response,)),))
    else:
        config = replace(config, mocks=(Mock(response=response),))
    assert not drawn(LatencyProfile.of(9.0, 0.5, 0.25, 0.0))
    warm_up(config, ModelRegistry(config))
    assert drawn(LatencyProfile.of(9.0, 0.5, 0.25, 0.0))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("gpt-4o",), {"o200k_base"}),
        (("gpt-4o", "gpt-4", "gpt-3.5-turbo"), {"o200k_base", "cl100k_base"}),
        (None, {"o200k_base", "cl100k_base"}),
        ((), set()),
    ],
)
def test_tokenizers_are_built_before_workers_are(
    names: tuple[str, ...] | None, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    built: set[str] = set()
    monkeypatch.setattr(module, "tokenizer", built.add)
    preload(Config() if names is None else warmed(*names))
    assert built == expected


def test_once_preloaded_a_worker_builds_no_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    config = warmed("gpt-4", "gpt-4o", "claude-sonnet-4-6", "gemini-2.5-flash", "llama-3")
    preload(config)
    monkeypatch.setattr(ranks, "_build", lambda name: pytest.fail(f"{name} was not preloaded"))
    warm_up(config, ModelRegistry(config))
