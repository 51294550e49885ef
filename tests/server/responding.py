"""Two workers that answer requests for responses, without processes, sockets or time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import orjson

from llmsim.config import Config, Server
from llmsim.core import Plan, Request, Stamp
from llmsim.core.latency import Latency, LatencyRule
from llmsim.engine.compose import ModelSettings, PlanInputs
from llmsim.engine.plan import plan
from llmsim.engine.tokens import prompt
from llmsim.pipeline.context import Call
from llmsim.providers.openai.provider import responses_endpoint
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.runtime.model_settings import ModelRegistry
from llmsim.server.resources.conversations import Conversations
from llmsim.server.resources.response_archive import ENDPOINTS, ResponseArchive
from llmsim.server.resources.responses import Responses
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.journal import Journal
from llmsim.state.sqlite import Store, new_store

T = TypeVar("T")
SEED = 7


class World:
    """What the workers share and remember; ``now`` is the time of day, which stands still."""

    def __init__(self, store: Store, profile: str = "gpt-4o") -> None:
        self.now = 1_700_000_000.25
        segment = new_segment(Config(Server(workers=2, journal_mb=1)))
        self.shared = SharedState(segment)
        self.journals = [Journal(segment.journal(slot), slot, segment.secret) for slot in (0, 1)]
        self.codec = OpenAIResponses()
        self.conversations = Conversations(store)
        self.archive = ResponseArchive(self.shared, store, lambda: self.now)
        self._registry = ModelRegistry(Config(latency=Latency(LatencyRule(profile))))
        self.responses = Responses(
            self.codec, self.shared, self.archive, self.conversations, self.settings
        )
        self.asked: list[Request] = []
        self.planned: list[Plan] = []

    async def settings(self, model: str) -> ModelSettings:
        return self._registry.settings(model)

    async def create(
        self,
        worker: int = 0,
        unstored: str | None = None,
        endpoint: str = ENDPOINTS[0],
        **fields: Any,
    ) -> dict[str, Any]:
        """Answer a request as the server does; gives the whole response, not what is sent."""
        body = orjson.dumps({"model": "gpt-4o", "input": "hi", **fields})
        request = await self.responses.recall(self.codec.decode(body), unstored)
        settings = await self.settings(request.model)
        journal = self.journals[worker]
        number = journal.reserve()
        stamp = Stamp(journal.mark(number), int(self.now))
        inputs = PlanInputs(SEED, 0, prompt.tokens(request, settings.tokenizer))
        planned = plan(request, settings, inputs, self.codec, stamp)
        assert planned.completion is not None
        whole = self.codec.plain(request, planned.completion, stamp)
        kept = whole if request.store or unstored is not None else b""
        timing = (planned.ttft, planned.total)
        journal.begin(
            number, endpoint, request.model, body, self.now, timing, len(planned.due), SEED, kept
        )
        call = Call(responses_endpoint(self.codec), None, stamp, body, request=request)
        await self.responses.keep(call, planned, whole)
        self.asked.append(request)
        self.planned.append(planned)
        told: dict[str, Any] = orjson.loads(whole)
        return told


@contextmanager
def world(profile: str) -> Iterator[World]:
    with new_store() as path, closing(Store(path)) as store:
        yield World(store, profile)


def living(scene: Callable[[World], Awaitable[T]], profile: str = "gpt-4o") -> T:
    """What happens in a new world."""

    async def run() -> T:
        with world(profile) as made:
            return await scene(made)

    return asyncio.run(run())
