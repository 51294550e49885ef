"""Requests get the answers that were recorded for the same request."""

from __future__ import annotations

from typing import Protocol

from llmsim.core import Plan, Stamp
from llmsim.core.state import PipelineState
from llmsim.pipeline.context import RequestContext


class RecordedAnswers(Protocol):
    """Answers by the requests they were recorded for."""

    @property
    def lengthy(self) -> bool:
        """Whether finding the key of a request takes long."""
        ...

    def key(self, provider: str, codec: str, model: str, stream: bool, body: bytes, /) -> str:
        """What all requests share that the same recordings answer."""
        ...

    def count(self, key: str, /) -> int:
        """How many answers there are to a key."""
        ...

    def plan(self, key: str, place: int, stamp: Stamp, /) -> tuple[str, Plan]:
        """The id of one of the recordings, and its answer."""
        ...

    def miss(self, provider: str, codec: str, model: str, stream: bool, body: bytes, /) -> str:
        """What to say to a request that has none: which recording is nearest."""
        ...


class ReplayStep:
    """The step that replays; a request that a mock answers is left to it.

    Answers to the same request come in their order, over all workers; after the last comes the last
    again.
    """

    def __init__(self, answers: RecordedAnswers, state: PipelineState) -> None:
        self._answers = answers
        self._counters = state.counters
        self._offload = state.offload

    async def consider(self, context: RequestContext) -> None:
        """Find the recorded answer, if there is one."""
        call = context.call
        if call.mock:
            return
        asked = asked_of(context)
        if self._answers.lengthy:
            key = await self._offload(self._answers.key, *asked)
        else:
            key = self._answers.key(*asked)
        count = self._answers.count(key)
        if count:
            place = min(self._counters.advance(f"replay {key}"), count - 1)
            call.recording, context.plan = self._answers.plan(key, place, call.stamp)


def asked_of(context: RequestContext) -> tuple[str, str, str, bool, bytes]:
    """What recordings are asked about a request."""
    call, endpoint = context.call, context.call.endpoint
    stream = context.request.stream
    return endpoint.provider.name, endpoint.codec.name, call.model, stream, call.body
