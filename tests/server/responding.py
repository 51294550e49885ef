"""Two workers that answer requests for responses, without processes, sockets or time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import orjson

from llmsim.config import Config, Latency, Rule, Server
from llmsim.dialects.openai_responses import OpenAIResponses
from llmsim.engine import prompt
from llmsim.engine.answer import Draw, Rules
from llmsim.engine.plan import plan
from llmsim.exchange import Ask, Plan, Stamp
from llmsim.server.answering import stored
from llmsim.server.books import Books, new_segment
from llmsim.server.conversations import Conversations
from llmsim.server.responses import Responses
from llmsim.server.responses_archive import ENDPOINT, Archive
from llmsim.server.rulebook import Rulebook
from llmsim.server.store import Store, new_store
from llmsim.shared.journal import Journal

T = TypeVar("T")
SEED = 7


class World:
    """What the workers share and remember; ``now`` is the time of day, which stands still."""

    def __init__(self, store: Store, profile: str = "gpt-4o") -> None:
        self.now = 1_700_000_000.25
        segment = new_segment(Config(Server(workers=2, journal_mb=1)))
        self.books = Books(segment)
        self.journals = [Journal(segment.journal(slot), slot, segment.secret) for slot in (0, 1)]
        self.dialect = OpenAIResponses()
        self.conversations = Conversations(store)
        self.archive = Archive(self.books, store, lambda: self.now)
        self._rulebook = Rulebook(Config(latency=Latency(Rule(profile))))
        self.responses = Responses(
            self.dialect, self.books, self.archive, self.conversations, self.rules
        )
        self.asked: list[Ask] = []
        self.planned: list[Plan] = []

    async def rules(self, model: str) -> Rules:
        return self._rulebook.rules(model)

    async def create(
        self, worker: int = 0, unstored: str | None = None, endpoint: str = ENDPOINT, **fields: Any
    ) -> dict[str, Any]:
        """Answer a request as the server does; gives the whole response, not what is sent."""
        body = orjson.dumps({"model": "gpt-4o", "input": "hi", **fields})
        ask = await self.responses.recall(self.dialect.decode(body), unstored)
        rules = await self.rules(ask.model)
        journal = self.journals[worker]
        number = journal.reserve()
        stamp = Stamp(journal.mark(number), int(self.now))
        draw = Draw(SEED, 0, prompt.tokens(ask, rules.tokenizer))
        planned = plan(ask, rules, draw, self.dialect, stamp)
        whole = stored(ask, planned, self.dialect, stamp)
        kept = whole if ask.store or unstored is not None else b""
        timing = (planned.ttft, planned.total)
        journal.begin(
            number, endpoint, ask.model, body, self.now, timing, len(planned.due), SEED, kept
        )
        await self.responses.keep(ask, body, whole, stamp)
        self.asked.append(ask)
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
