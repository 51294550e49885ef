"""What becomes of requests that neither a mock nor a recording answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from llmsim.core import Completion, ConnectionEnd, Plan, StreamCodec, Usage
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.faults import FaultPoint, Reset
from llmsim.core.mocks.on_miss import OnMissRules
from llmsim.core.state import PipelineState
from llmsim.engine.faults.fault_context import BROKEN, FrameList
from llmsim.engine.faults.injection import STATUSES
from llmsim.engine.faults.passing import PassingAnswer, PassingChanges
from llmsim.engine.timing import TokenArrivals
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.steps.replay import RecordedAnswers, asked_of

if TYPE_CHECKING:
    from llmsim.core.upstream.answer import UpstreamAnswer

NOBODY: Final = "Neither a mock nor a recording answers this request."
NOT_HERE: Final = Failure(
    FailureKind.BAD_GATEWAY, "This request is for its provider's service, which is not asked here."
)
RULE: Final = "on_miss"
"""The part of the configuration that lets such a request fail."""
LONGEST: Final = 1 << 20
"""Tokens that an answer of another service may have."""

NO_FRAMES: Final = FrameList([])
NOTHING: Final = FrameList([b""])
NEVER: Final = np.zeros(0)
AT_ONCE: Final = np.zeros(1)


class OnMissStep:
    """The step after all that have answers of their own. ``answers`` says which recording is
    nearest; None where there are none. ``count`` makes what counts the tokens of a stream's
    frames."""

    def __init__(
        self,
        rules: OnMissRules,
        answers: RecordedAnswers | None,
        state: PipelineState,
        count: Callable[[], Callable[[bytes], int]],
    ) -> None:
        self._rules = rules
        self._answers = answers
        self._upstreams = state.upstreams
        self._fresh = state.fresh
        self._offload = state.offload
        self._count = count

    async def consider(self, context: RequestContext) -> None:
        """Decide about a request without an answer. Raises BadRequest where that is an error."""
        outcome = context.on_miss
        if outcome is None:
            if context.call.mock:
                return
            outcome = self._rules.of(context.request.model)
        if outcome == "fail":
            context.call.rule = RULE
            raise BadRequest(Failure(FailureKind.NOT_FOUND, await self._message(context)))
        # What is answered later, or to nobody, is an object of this server's.
        if outcome == "proxy" and context.call.caller and not context.request.polled:
            context.plan = await self._passed_on(context)

    async def _message(self, context: RequestContext) -> str:
        if self._answers is None:
            return NOBODY
        return await self._offload(self._answers.miss, asked_of(context))

    async def _passed_on(self, context: RequestContext) -> Plan:
        """The answer of the provider's service."""
        call, caller, fault = context.call, context.call.caller, context.overrides.fault
        if self._upstreams is None or caller is None:
            raise BadRequest(NOT_HERE)
        usage = Usage(context.prompt_tokens, 0)
        if isinstance(fault, Reset) and fault.after == FaultPoint():
            unanswered = ConnectionEnd.UNANSWERED
            return Plan(
                *(200, NOTHING, AT_ONCE, False, 0.0, 0.0, 0, Completion((), usage), BROKEN),
                ending=unanswered,
                length=0,
            )
        answer = await self._upstreams.open(call.endpoint.provider.name, caller, call.body)
        call.upstream = answer
        changes = self._changes(context, answer)
        shaper = PassingAnswer(changes, self._count()) if changes.needed else None
        return Plan(
            answer.status,
            NO_FRAMES,
            NEVER,
            changes.stream,
            answer.waited,
            answer.waited,
            0,
            Completion((), usage),
            failure_of(answer.status),
            length=answer.length if changes.keeps_length else None,
            deferred=answer.deferred(context.prompt_tokens, shaper),
            headers=answer.headers,
        )

    def _changes(self, context: RequestContext, answer: UpstreamAnswer) -> PassingChanges:
        """What faults, factors and a latency of its own do to the answer."""
        request, settings, overrides = context.request, context.settings, context.overrides
        call = context.call
        clock = None
        if context.paced:
            seed = self._fresh() if request.seed is None else request.seed
            work = settings.draws.work(context.prompt_tokens, 0)
            clock = TokenArrivals(settings.draws, LONGEST, seed, work=work)

        def error_event(failed: Failure, sent: int) -> bytes:
            codec = cast("StreamCodec", call.endpoint.codec)
            completion = Completion((), Usage(context.prompt_tokens, 0))
            return codec.error_event(request, completion, failed, call.stamp, sent)

        return PassingChanges(
            request.stream and answer.status < 400,
            overrides.fault,
            overrides.pace,
            overrides.delay,
            clock,
            min(settings.target_tokens, request.max_tokens or settings.target_tokens),
            answer.length,
            error_event,
        )


def failure_of(status: int) -> Failure | None:
    """How an answer with this status counts: None if it is none that fails."""
    if status < 400:
        return None
    other = FailureKind.INVALID if status < 500 else FailureKind.SERVER_ERROR
    return Failure(STATUSES.get(status, other), "")
