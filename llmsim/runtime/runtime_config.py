"""Everything derived from one configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from llmsim.config import Config, overrides
from llmsim.core.mocks.on_miss import OnMiss
from llmsim.core.state import PipelineState
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.pipeline.context import Step
from llmsim.pipeline.pipeline import Pipeline, ServerEndpoints
from llmsim.pipeline.steps.faults import FaultStep, any_configured
from llmsim.pipeline.steps.mocks import MockStep
from llmsim.pipeline.steps.on_miss import OnMissStep
from llmsim.pipeline.steps.overrides import OverrideStep
from llmsim.pipeline.steps.rate_limits import RateLimitStep
from llmsim.pipeline.steps.replay import RecordedAnswers, RecordingPlayer, ReplayStep
from llmsim.pipeline.steps.scenarios import ScenarioStep
from llmsim.providers.openai.vllm.codecs import VLLMEndpoints
from llmsim.runtime.model_settings import ModelRegistry


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """Everything derived from one configuration, replaced as a whole: a request sees one
    configuration only, the one in effect when it arrived.

    ``api_keys`` are those that are let in; empty where nobody needs one. ``hosted`` says that
    answers have the rate-limit headers of the hosted service.
    """

    config: Config
    registry: ModelRegistry
    pipeline: Pipeline
    api_keys: frozenset[str]
    hosted: bool = False


def runtime_config(
    config: Config, state: PipelineState, registry: ModelRegistry | None = None
) -> RuntimeConfig:
    """What follows from a configuration: its pipeline works on ``state``. ``registry`` has its
    models, where another configuration has the same."""
    registry = registry or ModelRegistry(config)
    own: list[Step] = []
    if config.control.headers:
        generator = config.response.generator
        names = callers(config)
        own.append(OverrideStep(config.errors, generator, overrides.parse, state, names))
        if config.scenario is None:
            own.append(ScenarioStep(None, state))
    pipeline = Pipeline(
        registry,
        steps(config, state),
        own,
        state,
        config.seed,
        config.server.max_answer_bytes,
        config.scopes.by_key,
        passes_on=any(outcome == "proxy" for outcome in outcomes(config)),
        servers=_servers(config),
    )
    api_keys = frozenset(one.key for one in config.keys)
    hosted = config.rate_limit_headers == "hosted" and not config.rate_limits
    return RuntimeConfig(config, registry, pipeline, api_keys, hosted)


def _servers(config: Config) -> ServerEndpoints | None:
    """The endpoints of the models' servers; None where all have their providers' own."""
    models = config.models
    return VLLMEndpoints(lambda name: models.server(name) == "vllm") if models.servers else None


def callers(config: Config) -> dict[str, str]:
    """The callers' names by their API keys."""
    return {one.key: one.name for one in config.keys if one.name}


def steps(config: Config, state: PipelineState) -> list[Step]:
    """The steps that a configuration needs, in the order in which they decide: a request that a
    limit refuses does not fail on purpose, and one that fails uses no mock."""
    needed: list[Step] = []
    if config.scenario is not None:
        needed.append(ScenarioStep(config.scenario, state))
    if config.rate_limits or config.concurrency.max_concurrency is not None:
        limits = config.rate_limits
        needed.append(RateLimitStep(limits, config.concurrency, callers(config), state))
    if any_configured(config.errors, config.timetable):
        needed.append(FaultStep(config.errors, config.timetable, config.seed, state))
    answers: RecordedAnswers | None = None
    if config.replay.path is not None:
        # Imported late: those who replay nothing need none of it.
        from llmsim.recordings.replay import loaded  # noqa: PLC0415

        answers = loaded(config.replay)
    if config.mocks or config.scripts:
        player = RecordingPlayer(answers, state)
        needed.append(MockStep(config.mocks, config.scripts, config.seed, state, player))
    if answers is not None:
        needed.append(ReplayStep(answers, state))
    if any(outcome != "simulate" for outcome in outcomes(config)):
        needed.append(OnMissStep(config.on_miss, answers, state, _frame_tokens))
    return needed


def outcomes(config: Config) -> Iterator[OnMiss]:
    """All that may become of requests that neither a mock nor a recording answers."""
    yield config.on_miss.default
    yield from (outcome for _, outcome in config.on_miss.models)
    mocked = (mock.all_responses for mock in config.mocks)
    scripted = (script.turns for script in config.scripts)
    for response in chain.from_iterable(chain(mocked, scripted)):
        if response.on_miss is not None:
            yield response.on_miss


def _frame_tokens() -> Callable[[bytes], int]:
    """What counts the tokens of one stream's frames."""
    # Imported late, as it is needed for few answers.
    from llmsim.recordings.answers import FrameTokens  # noqa: PLC0415

    return FrameTokens(tokenizer("o200k_base").count).of
