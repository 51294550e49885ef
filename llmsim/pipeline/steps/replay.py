"""Requests get the answers that were recorded for the same request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from llmsim.core import Plan
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.state import Offload, PipelineState
from llmsim.pipeline.context import RequestContext


class Asked(NamedTuple):
    """What recordings are asked about a request. ``choices`` is how many answers it wants."""

    provider: str
    codec: str
    model: str
    stream: bool
    choices: int
    body: bytes


class MatchingAnswers(Protocol):
    """The recorded answers to one request. ``key`` is what all requests share that get them,
    ``count`` how many there are, ``taken`` how many of them make one answer. ``converts`` says that
    the answer is not sent as it was recorded, which takes longer."""

    @property
    def key(self) -> str: ...

    @property
    def count(self) -> int: ...

    @property
    def taken(self) -> int: ...

    @property
    def converts(self) -> bool: ...

    def plan(self, places: Sequence[int], context: RequestContext, /) -> tuple[str, Plan] | None:
        """The ids of the recordings at these places, and the answer they make; None if they make
        none."""
        ...


class RecordedAnswers(Protocol):
    """Answers by the requests they were recorded for."""

    @property
    def lengthy(self) -> bool:
        """Whether finding the answers to a request takes long."""
        ...

    def find(self, asked: Asked, /) -> MatchingAnswers | None:
        """The answers to a request; None if there are none."""
        ...

    def one(self, name: str, asked: Asked, /) -> MatchingAnswers | None:
        """The recording of that id as the answer to a request; None if there is none."""
        ...

    def miss(self, asked: Asked, /) -> str:
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
        if context.call.mock and context.on_miss is None:
            return
        asked = asked_of(context)
        if self._answers.lengthy:
            found = await self._offload(self._answers.find, asked)
        else:
            found = self._answers.find(asked)
        if found is None:
            return
        name, last = f"replay {found.key}", found.count - 1
        places = [min(self._counters.advance(name), last) for _ in range(found.taken)]
        await play(found, places, context, self._offload)


class RecordingPlayer:
    """Plays the recordings that mocks name."""

    def __init__(self, answers: RecordedAnswers | None, state: PipelineState) -> None:
        self._answers = answers
        self._offload = state.offload

    async def play(self, name: str, context: RequestContext) -> None:
        """Answer with that recording. Raises BadRequest where it is no answer to the request."""
        found = self._answers.one(name, asked_of(context)) if self._answers else None
        if found is not None:
            await play(found, (0,) * found.taken, context, self._offload)
        if context.plan is None:
            message = f"The recording {name!r} " + (
                "is none that is replayed." if found is None else "cannot answer this request."
            )
            raise BadRequest(Failure(FailureKind.INVALID, message, code="no_recording"))


async def play(
    found: MatchingAnswers, places: Sequence[int], context: RequestContext, offload: Offload
) -> None:
    """Answer with the recordings at these places, if they make an answer."""
    if found.converts:
        made = await offload(found.plan, places, context)
    else:
        made = found.plan(places, context)
    if made is not None:
        context.call.recording, context.plan = made


def asked_of(context: RequestContext) -> Asked:
    """What recordings are asked about a request."""
    call, request = context.call, context.request
    endpoint = call.endpoint
    name, codec = endpoint.provider.name, endpoint.codec.name
    choices = request.n if request.task is None else 1
    return Asked(name, codec, call.model, request.stream, choices, call.body)
