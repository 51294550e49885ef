"""Requests get what mocks and scripts have for them.

How often each was used is counted over all workers, and each use is one step of its responses.
"""

from __future__ import annotations

import secrets
from asyncio import to_thread
from dataclasses import replace

from msgspec import structs

from llmsim.core.catalog import profiles
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.mocks.response import MockResponse
from llmsim.engine import seeds
from llmsim.engine.mocks import scripts as mocks_scripts
from llmsim.engine.mocks.index import MockIndex, MockRule
from llmsim.engine.mocks.rendering import Occasion, mock_failure, rendered
from llmsim.engine.mocks.view import View
from llmsim.engine.seeds import fraction
from llmsim.engine.timing import draws_of, span
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.settings import PipelineSettings
from llmsim.state.shared_state import SharedState

INLINE = 4_000_000
"""Steps of searches that may be taken on the event loop: 16 ms in the worst case, less than one
in most. Others take place in a thread."""


class MockStep:
    """The step that decides what is said. The last one: it sees what the others left of the
    request, and a request that is refused uses no mock."""

    def __init__(self, config: PipelineSettings, shared: SharedState) -> None:
        self._config = config
        self._named_counters = shared.named_counters
        self._book = MockIndex(config.mocks, config.scripts)

    async def consider(self, context: RequestContext) -> None:
        """Give one request its words. Raises BadRequest where it gets an error."""
        port, endpoint = context.port, context.lifecycle.endpoint
        header = _none if port is None else port.header
        name = endpoint.codec.name
        view = self._book.view(context.request, endpoint.name, name, context.body, header)
        if context.prompt_tokens * self._book.steps > INLINE and view.weight > INLINE:
            await to_thread(self._book.look, view)
        for rule in self._book.matching(view):
            if rule.probability < 1.0 and self._lucky(context, rule) is False:
                continue
            count = self._used(rule)
            if count is None:
                continue
            context.lifecycle.mock = rule.label
            speech = self._speech(rule, count, context, view)
            if speech is None:
                raise BadRequest(_exhausted(rule))
            self._say(speech, rule, count, context, view)
            return

    def _used(self, rule: MockRule) -> int | None:
        """How often the rule was used before; None if it may not be used any more."""
        if rule.times is None:
            return self._named_counters.advance(rule.key)
        return self._named_counters.take(rule.key, rule.times)

    def _speech(
        self, rule: MockRule, count: int, context: RequestContext, view: View
    ) -> MockResponse | None:
        if not rule.turns:
            return mocks_scripts.at(rule.speeches, count, rule.exhausted)
        key = ""
        if context.port is not None:
            auth = context.lifecycle.endpoint.provider.auth
            key = auth.key(context.port.header, context.port.query)
        name = f"{rule.key} {mocks_scripts.conversation(context.request, key)}"

        def fresh(place: str) -> bool:
            return self._named_counters.take(f"{name} {place}", 1) is not None

        return mocks_scripts.turn(rule.speeches, view.turn - 1, rule.exhausted, fresh)

    def _say(
        self, speech: MockResponse, rule: MockRule, count: int, context: RequestContext, view: View
    ) -> None:
        occasion = Occasion(view, self._seed(context), count + 1, rule.regexes)
        if speech.latency is not None:
            model = context.settings.model
            profile = speech.latency.on(profiles.preset(model.latency))
            context.settings = structs.replace(context.settings, draws=draws_of(profile))
        if speech.error is not None:
            failure = mock_failure(speech.error, occasion)
            if speech.latency is not None and speech.error.after is None:
                first, _ = span(context.settings.draws, 1, occasion.seed)
                failure = replace(failure, after=first)
            raise BadRequest(failure)
        context.overrides = structs.replace(context.overrides, mock=rendered(speech, occasion))

    def _lucky(self, context: RequestContext, rule: MockRule) -> bool:
        return fraction(self._seed(context), rule.salt) < rule.probability

    def _seed(self, context: RequestContext) -> int:
        """The seed of the request, settled now if it was not yet."""
        request = context.request
        seed = seeds.settled(request.seed, self._config.seed, context.body)
        if seed is None:
            seed = secrets.randbits(seeds.BITS)
            context.request = structs.replace(request, seed=seed)
        return seed


def _none(name: str) -> str | None:
    """A request without headers."""
    return None


def _exhausted(rule: MockRule) -> Failure:
    """The failure past the last response. Clients do not try again after it."""
    message = (
        f"The {rule.kind} {rule.label!r} is exhausted: all of its {len(rule.speeches)} responses "
        "have been given."
    )
    return Failure(FailureKind.INVALID, message, code="mock_exhausted", injected=True)
