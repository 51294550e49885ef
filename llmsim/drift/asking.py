"""llmsim's own answer to a recorded request, which says what the recorded one says.

The request goes the way of any other through the pipeline, without a server. Only what is said is
the recording's, as a mock would say it, and so is the failure where it was one: then what differs
is llmsim's way of saying it.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from msgspec import structs

from llmsim.config import Config
from llmsim.core import Headers, Stamp
from llmsim.core.errors import BadRequest
from llmsim.engine.faults.injection import of_status
from llmsim.engine.mocks.rendered import RenderedMock
from llmsim.library.answers import HeadersOnly
from llmsim.pipeline.context import Call, RequestContext
from llmsim.pipeline.pipeline import Pipeline
from llmsim.providers import registry
from llmsim.providers.provider import Endpoint
from llmsim.recordings.conversion.said import SaidChoice, choices
from llmsim.recordings.generated import words
from llmsim.recordings.recording import Recording
from llmsim.runtime.model_settings import ModelRegistry
from llmsim.state.memory import memory_state

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
SEED = 7


class OwnAnswer(NamedTuple):
    """What llmsim answers; ``refusal`` says why where it refuses."""

    status: int
    headers: Headers
    body: bytes
    refusal: str = ""


class SayRecorded:
    """The step that has the answer say what the recorded one says."""

    def __init__(self) -> None:
        self.recording: Recording | None = None

    async def consider(self, context: RequestContext) -> None:
        """Decide about one request. Raises BadRequest where the recorded answer is a failure."""
        assert self.recording is not None
        response = self.recording.response
        if response.status >= 400:
            raise BadRequest(of_status(response.status))
        said = choices([frame.body.content for frame in response.frames])
        if said and context.request.task is None:
            usage = self.recording.usage
            mock = _mock(said[0], usage.reasoning if usage else 0)
            context.overrides = structs.replace(context.overrides, mock=mock)


class OwnAnswers:
    """Answers recorded requests under one configuration."""

    def __init__(self, config: Config) -> None:
        state = memory_state(lambda: SEED)
        self._strict = config.validation == "strict"
        self._step = SayRecorded()
        self._pipeline = Pipeline(ModelRegistry(config), [self._step], (), state, SEED)

    def answer(self, one: Recording) -> OwnAnswer | None:
        """The answer to one request; None where llmsim has no such endpoint."""
        endpoint = self._endpoint(one)
        if endpoint is None:
            return None
        self._step.recording = one
        call = Call(endpoint, HeadersOnly(dict(one.request.headers)), STAMP)
        call.body = one.request.body.content
        try:
            if endpoint.header_check is not None:
                endpoint.header_check(HeadersOnly(dict(one.request.headers)).header)
            plan = asyncio.run(self._pipeline.plan(call))
        except BadRequest as bad:
            plan = call.refused(bad.failure)
        headers = endpoint.headers(plan, STAMP)
        body = b"".join([plan.frames[place] for place in range(len(plan.frames))])
        failure = plan.failure if plan.completion is None else None
        refusal = failure.message if failure is not None else ""
        return OwnAnswer(plan.status, headers, body, refusal)

    def _endpoint(self, one: Recording) -> Endpoint | None:
        path, query = one.request.path, one.request.query
        for provider in registry.PROVIDERS:
            if provider.name != one.provider:
                continue
            if provider.pattern is not None and provider.pattern.matches(path):
                return provider.pattern.endpoint(path, query)
            for endpoint in provider.endpoints(self._strict):
                if path in endpoint.paths or path in endpoint.shared:
                    return (endpoint.streaming or endpoint) if one.stream else endpoint
        return None


def _mock(said: SaidChoice, reasoning: int) -> RenderedMock:
    """What is said as a mock says it; of reasoning that is not shown there is as much."""
    texts = {
        kind: "".join(part.text for part in said.parts.values() if part.kind == kind)
        for kind in ("text", "reasoning", "refusal")
    }
    calls = [
        (part.name, part.text) for part in said.parts.values() if part.kind in ("call", "custom")
    ]
    return RenderedMock(
        None if calls and not texts["text"] else texts["text"],
        tuple(calls),
        texts["refusal"] or None,
        texts["reasoning"] or words(reasoning, SEED),
        said.finish,
        reason=said.reason,
    )
