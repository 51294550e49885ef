"""Threads of ``/v1/messages``: a request continues earlier ones, which are in the journal."""

from __future__ import annotations

import asyncio

from llmsim.core import Plan, Request
from llmsim.pipeline.context import Call
from llmsim.providers.anthropic.messages import threads as messages_threads
from llmsim.providers.anthropic.messages.codec import Anthropic
from llmsim.providers.anthropic.messages.threads import Turn, lost
from llmsim.server.pipeline_state import by_size
from llmsim.state.shared_state import SharedState

MOST_TURNS = 1000
AT_A_TIME = 8  # turns looked up before the event loop gets its turn


class Threads:
    """Continues threads that any worker began."""

    def __init__(self, codec: Anthropic, shared: SharedState) -> None:
        self._codec = codec
        self._shared = shared

    async def recall(self, request: Request) -> Request:
        """The request with the turns before it. Raises BadRequest if they are not remembered."""
        name = messages_threads.previous(request.wire)
        if name is None:
            return request
        turns = await self._turns(name)
        size = sum(len(turn.body) + len(turn.answer) for turn in turns)
        return await by_size(size, self._codec.continued, request, turns)

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> None:
        """Nothing: the journal has the answer already."""

    async def _turns(self, name: str) -> list[Turn]:
        """The turns up to that message, oldest first."""
        turns: list[Turn] = []
        before: str | None = name
        while before is not None:
            entry = self._shared.entry(before)
            if entry is None or not entry.answer or len(turns) == MOST_TURNS:
                raise lost(name)
            turns.append(Turn(entry.body, entry.answer))
            earlier = await by_size(len(entry.body), messages_threads.earlier_request, entry.body)
            before = messages_threads.previous(earlier)
            if len(turns) % AT_A_TIME == 0:
                await asyncio.sleep(0)
        turns.reverse()
        return turns
