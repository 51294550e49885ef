"""What becomes of requests that neither a mock nor a recording answers."""

from __future__ import annotations

from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.mocks.on_miss import OnMissRules
from llmsim.core.state import PipelineState
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.steps.replay import RecordedAnswers, asked_of

NOBODY = "Neither a mock nor a recording answers this request."


class OnMissStep:
    """The step after all that have answers of their own. ``answers`` says which recording is
    nearest; None where there are none."""

    def __init__(
        self, rules: OnMissRules, answers: RecordedAnswers | None, state: PipelineState
    ) -> None:
        self._rules = rules
        self._answers = answers
        self._offload = state.offload

    async def consider(self, context: RequestContext) -> None:
        """Decide about a request without an answer. Raises BadRequest where that is an error."""
        if not context.call.mock and self._rules.of(context.request.model) == "fail":
            raise BadRequest(Failure(FailureKind.NOT_FOUND, await self._message(context)))

    async def _message(self, context: RequestContext) -> str:
        if self._answers is None:
            return NOBODY
        return await self._offload(self._answers.miss, asked_of(context))
