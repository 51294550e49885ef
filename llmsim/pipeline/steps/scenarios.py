"""Requests meet a starter scenario: one that they ask for, or the configured one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from llmsim.core import Finish, Request, Thinking, Tool
from llmsim.core.conversation import results
from llmsim.core.errors import BadRequest, FailureKind
from llmsim.core.faults import ContentFilter, Cut, Stall
from llmsim.core.mocks.response import MockUsage
from llmsim.core.overrides import Scenario, ScenarioName
from llmsim.core.state import PipelineState
from llmsim.engine import tools
from llmsim.engine.faults.injection import failure
from llmsim.engine.mocks.rendered import RenderedMock
from llmsim.engine.seeds import mix
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.steps.faults import apply_outcome

WAIT = 10.0
"""Seconds that a stream stalls, and that the first token takes longer."""
RETRY_AFTER = 1.0
LOOPS = 8
"""How often tools are called before the answer comes in words."""
MOST_CALLS = 3
THOUGHTS = 512
"""Tokens that are really thought; as many as the request allows are reported."""
ALLOWED = 1024
"""Tokens that a request allows which says nothing of them."""


class ScenarioStep:
    """The step that does so. ``configured`` is for requests that ask for none."""

    def __init__(self, configured: ScenarioName | None, state: PipelineState) -> None:
        self._configured = None if configured is None else Scenario(configured)
        self._counters = state.counters
        self._offload = state.offload
        self._fresh = state.fresh

    async def consider(self, context: RequestContext) -> None:
        """Bend one request. Raises BadRequest where the scenario is a failure."""
        scenario = context.scenario or self._configured
        if scenario is None or context.request.task is not None:
            return
        context.call.rule = f"scenario {scenario.name}"
        if scenario.seed is not None:
            context.request = structs.replace(context.request, seed=scenario.seed)
        if scenario.speed != 1.0:
            factor, overrides = 1 / scenario.speed, context.overrides
            context.overrides = structs.replace(
                overrides, pace=overrides.pace * factor, delay=overrides.delay * factor
            )
        match scenario.name:
            case "flaky-429":
                self._throttle(scenario)
            case "stream-stall":
                stall = Stall(lasts=WAIT / scenario.speed)
                apply_outcome(context, stall)
            case "broken-stream":
                apply_outcome(context, Cut())
            case "slow-first-token":
                waited = context.overrides.waited + WAIT / scenario.speed
                context.overrides = structs.replace(context.overrides, waited=waited)
            case "content-filter":
                apply_outcome(context, ContentFilter())
            case "reasoning-starved":
                _starve(context)
            case "parallel-tools":
                await self._call(context, _parallel(context.request))
            case "long-tool-loop":
                await self._call(context, _next(context.request))

    def _throttle(self, scenario: Scenario) -> None:
        """Of two requests the first fails, so that whoever tries again is served."""
        if self._counters.advance(f"scenario {scenario.name} {scenario.seed}") % 2 == 0:
            raise BadRequest(failure(FailureKind.RATE_LIMIT, retry=RETRY_AFTER / scenario.speed))

    async def _call(self, context: RequestContext, called: Sequence[Tool]) -> None:
        """Let the answer be calls of these tools; none leaves it as it is."""
        if not called:
            return
        request = context.request
        if request.seed is None:
            context.request = request = structs.replace(request, seed=self._fresh())
        made = []
        for index, tool in enumerate(called):
            seed = mix(request.seed or 0, 60 + index)
            if tool.custom:
                text = f"input {seed % 1000}"
            elif tools.quick(tool):
                text = tools.arguments(tool, seed)
            else:
                text = await self._offload(tools.arguments, tool, seed)
            made.append((tool.name, text))
        mock = RenderedMock(calls=tuple(made))
        context.overrides = structs.replace(context.overrides, mock=mock)


def _parallel(request: Request) -> list[Tool]:
    """The tools that are called at once: several, in answer to the user only."""
    if request.choice.mode == "none" or results(request.messages):
        return []
    offered = tools.offered_tools(request)[:MOST_CALLS]
    if not request.choice.parallel:
        return offered[:1]
    return offered * 2 if len(offered) == 1 else offered


def _next(request: Request) -> list[Tool]:
    """The one tool that is called next, until there were enough calls."""
    rounds = sum(1 for message in request.messages if message.calls)
    offered = tools.offered_tools(request)
    if request.choice.mode == "none" or not offered or rounds >= LOOPS:
        return []
    return [offered[rounds % len(offered)]]


def _starve(context: RequestContext) -> None:
    """Let reasoning take all that the request allows."""
    request = context.request
    allowed = request.max_tokens or ALLOWED
    asked = request.thinking or Thinking()
    context.request = structs.replace(
        request,
        max_tokens=min(allowed, THOUGHTS),
        thinking=structs.replace(asked, effort="max", budget=None, wanted=True),
    )
    context.settings = structs.replace(context.settings, may_starve=True)
    usage = MockUsage(completion_tokens=allowed, reasoning_tokens=allowed)
    mock = RenderedMock(finish=Finish.LENGTH, usage=usage)
    context.overrides = structs.replace(context.overrides, mock=mock)
