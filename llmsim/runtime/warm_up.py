"""What has to be built before the first request for a model is as punctual as any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

from llmsim.config import Config
from llmsim.core.catalog import profiles
from llmsim.core.catalog.models import MODELS, resolve
from llmsim.core.errors import BadRequest
from llmsim.core.latency import LatencyRule
from llmsim.core.mocks.match import MockMatch
from llmsim.core.patterns import matches
from llmsim.engine import painting
from llmsim.engine.tasks import embeddings
from llmsim.engine.text import pool
from llmsim.engine.timing import KEPT, draws_of
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.runtime.model_settings import ModelRegistry


def preload(config: Config) -> None:
    """Build what holds the interpreter for long: texts, and the tokenizers of the models of
    ``server.warm`` (60 ms or more each). For the launcher, before it forks workers, which share it:
    built in a worker that serves, it would hold up every stream."""
    for name in dict.fromkeys(resolve(one).encoding for one in models(config)):
        tokenizer(name)
    pool("lorem")
    pool("random")  # reasoning that is shown


def warm_up(config: Config, registry: ModelRegistry) -> None:
    """Build what requests for the models of ``server.warm`` need. Not for the event loop: it takes
    0.2 s or more, in parts of a few milliseconds where the launcher has built the rest."""
    preload(config)  # nothing is left to do where workers are forked
    names = models(config)
    for name in names:
        with suppress(BadRequest):  # a model that is not served
            registry.settings(name)
    own = {profiles.preset(resolve(name).latency) for name in names}
    of_mocks = {rule.on(profile) for rule in _mock_latencies(config) for profile in own}
    for profile in list(of_mocks)[: KEPT // 2]:  # more would drive out those of the models
        draws_of(profile)
    kinds = {resolve(name).kind for name in names}
    if "image" in kinds:
        painting.preload()
    if "embedding" in kinds:
        embeddings.vector("", embeddings.SPACE)


def models(config: Config) -> tuple[str, ...]:
    """The models to warm up: ``server.warm``, those that the configuration names, or the
    catalogue's. A pattern that none of the catalogue's matches stands for itself: what has to be
    built is the same for every name it could mean."""
    wanted = config.server.warm
    if wanted == ():
        return ()
    wanted = wanted or tuple(_named(config))
    found: dict[str, None] = {}
    for pattern in wanted:
        listed = (
            [pattern] if pattern in MODELS else [one for one in MODELS if matches(pattern, one)]
        )
        found.update(dict.fromkeys(listed or [pattern]))
    return tuple(found or MODELS)


def _named(config: Config) -> Iterator[str]:
    """The models that a configuration names, or shell patterns of them."""
    yield from config.models.available or ()
    for pattern, _ in config.latency.models:
        yield pattern
    mocked, scripted = (one.match for one in config.mocks), (one.match for one in config.scripts)
    for match in chain(mocked, scripted):
        yield from _matched(match)


def _matched(match: MockMatch) -> Iterator[str]:
    if match.model is not None:
        yield match.model
    for inner in chain(match.all_, match.any_):
        yield from _matched(inner)


def _mock_latencies(config: Config) -> Iterator[LatencyRule]:
    """How long answers of mocks and scripts take, where they say so."""
    mocked = chain.from_iterable(mock.all_responses for mock in config.mocks)
    scripted = chain.from_iterable(script.turns for script in config.scripts)
    for response in chain(mocked, scripted):
        if response.latency is not None:
            yield response.latency
