"""Requests get what mocks and scripts have for them.

How often each was used is counted over all workers, and each use is one step of its responses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from llmsim.core.catalog import profiles
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.latency import LatencyRule
from llmsim.core.mocks.mock import Mock, MockScript
from llmsim.core.mocks.response import MockResponse
from llmsim.core.state import PipelineState
from llmsim.engine import seeds
from llmsim.engine.mocks import scripts as turns
from llmsim.engine.mocks.index import MockIndex, MockRule
from llmsim.engine.mocks.rendering import Occasion, mock_failure, rendered
from llmsim.engine.mocks.view import View
from llmsim.engine.seeds import fraction
from llmsim.engine.timing import drawn, draws_of, span
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.steps.replay import RecordingPlayer

INLINE = 4_000_000
"""Steps of searches that keep nobody waiting: 16 ms in the worst case, less than one in most.
Others take place elsewhere."""


class MockStep:
    """The step that decides what is said. The last one: it sees what the others left of the
    request, and a request that is refused uses no mock. ``player`` has the recordings that mocks
    may name."""

    def __init__(
        self,
        mocks: Sequence[Mock],
        scripts: Sequence[MockScript],
        seed: int | None,
        state: PipelineState,
        player: RecordingPlayer | None = None,
    ) -> None:
        self._configured_seed = seed
        self._player = player
        self._counters = state.counters
        self._fresh = state.fresh
        self._offload = state.offload
        self._index = MockIndex(mocks, scripts)

    async def consider(self, context: RequestContext) -> None:
        """Find what is said to one request. Raises BadRequest where that is an error."""
        if context.overrides.mock is not None:  # a scenario, or a filter, has decided
            return
        call = context.call
        header = _no_header if call.caller is None else call.caller.header
        endpoint = call.endpoint
        view = self._index.view(
            context.request, endpoint.name, endpoint.codec.name, call.body, header
        )
        if context.prompt_tokens * self._index.steps > INLINE and view.weight > INLINE:
            await self._offload(self._index.look, view)
        for rule in self._index.matching(view):
            if rule.probability < 1.0 and not self._drawn(context, rule):
                continue
            count = self._used(rule)
            if count is None:
                continue
            call.mock = rule.label
            response = self._response(rule, count, context, view)
            if response is None:
                raise BadRequest(_exhausted(rule))
            if response.recording is not None and self._player is not None:
                await self._player.play(response.recording, context)
                return
            if response.latency is not None:
                await self._pace(response.latency, context)
            self._answer(response, rule, count, context, view)
            return

    def _used(self, rule: MockRule) -> int | None:
        """How often the rule was used before; None if it may not be used any more."""
        if rule.times is None:
            return self._counters.advance(rule.key)
        return self._counters.take(rule.key, rule.times)

    def _response(
        self, rule: MockRule, count: int, context: RequestContext, view: View
    ) -> MockResponse | None:
        if not rule.turns:
            return turns.at(rule.speeches, count, rule.exhausted)
        key, call = "", context.call
        if call.caller is not None:
            key = call.endpoint.provider.auth.key(call.caller.header, call.caller.query)
        name = f"{rule.key} {turns.conversation(context.request, key)}"

        def fresh(place: str) -> bool:
            return self._counters.take(f"{name} {place}", 1) is not None

        return turns.turn(rule.speeches, view.turn - 1, rule.exhausted, fresh)

    def _answer(
        self,
        response: MockResponse,
        rule: MockRule,
        count: int,
        context: RequestContext,
        view: View,
    ) -> None:
        occasion = Occasion(view, self._seed(context), count + 1, rule.regexes)
        if response.error is not None:
            failure = mock_failure(response.error, occasion)
            if response.latency is not None and response.error.after is None:
                draws = context.settings.draws
                work = draws.work(context.prompt_tokens, 0)
                first, _ = span(draws, 1, occasion.seed, 1.0, work)
                failure = replace(failure, after=first)
            raise BadRequest(failure)
        if response.on_miss is not None:
            context.on_miss = response.on_miss
            return
        context.overrides = structs.replace(context.overrides, mock=rendered(response, occasion))

    async def _pace(self, latency: LatencyRule, context: RequestContext) -> None:
        """Let the answer take the response's time in place of the model's."""
        profile = latency.on(profiles.preset(context.settings.model.latency))
        quick = drawn(profile)
        draws = draws_of(profile) if quick else await self._offload(draws_of, profile)
        context.settings = structs.replace(context.settings, draws=draws)
        context.paced = True

    def _drawn(self, context: RequestContext, rule: MockRule) -> bool:
        """Whether chance lets the rule be used for this request."""
        return fraction(self._seed(context), rule.salt) < rule.probability

    def _seed(self, context: RequestContext) -> int:
        """The seed of the request, settled now if it was not yet."""
        request = context.request
        seed = seeds.settled(request.seed, self._configured_seed, context.call.body)
        if seed is None:
            seed = self._fresh()
            context.request = structs.replace(request, seed=seed)
        return seed


def _no_header(name: str) -> str | None:
    """A request without headers."""
    return None


def _exhausted(rule: MockRule) -> Failure:
    """The failure past the last response. Clients do not try again after it."""
    message = (
        f"The {rule.kind} {rule.label!r} is exhausted: all of its {len(rule.speeches)} responses "
        "have been given."
    )
    return Failure(FailureKind.INVALID, message, code="mock_exhausted", injected=True)
