"""The memory behind ``/v1/responses``: what requests build on, and what they add to it."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Sequence

import orjson

from llmsim.dialects import (
    openai_responses_ask,
    openai_responses_input,
    openai_responses_request,
    openai_responses_stored,
)
from llmsim.dialects.openai_responses import OpenAIResponses
from llmsim.dialects.openai_responses_input import Item
from llmsim.dialects.openai_responses_request import ResponsesRequest, Wire
from llmsim.engine.answer import Rules
from llmsim.engine.prompt import tokens
from llmsim.engine.truncation import truncated
from llmsim.errors import BadRequest, Failure, Kind, invalid
from llmsim.exchange import Ask, Stamp, Usage
from llmsim.server.books import Books
from llmsim.server.conversations import Conversations
from llmsim.server.responses_archive import ENDPOINT, Archive

MOST_TURNS = 1000
"""How many responses a chain of ``previous_response_id`` may have."""

COMPACTED = 256
"""Tokens a compacted conversation has at most."""


class Responses:
    """The conversations of requests to ``/v1/responses``."""

    def __init__(
        self,
        dialect: OpenAIResponses,
        books: Books,
        archive: Archive,
        conversations: Conversations,
        rules: Callable[[str], Awaitable[Rules]],
    ) -> None:
        self._dialect = dialect
        self._books = books
        self._archive = archive
        self._conversations = conversations
        self._rules = rules

    async def recall(self, ask: Ask, unstored: str | None = None) -> Ask:
        """The request with all it builds on.

        ``unstored`` is the id of a response that is not stored but may be continued here. Raises
        BadRequest for what is not remembered.
        """
        wire: Wire = ask.wire
        if wire.continues:
            ask = await self._continued(ask, wire.given, unstored)
        if wire.given.truncation == "auto":
            rules = await self._rules(ask.model)
            if window := rules.model.context_window:
                ask = await to_thread(truncated, ask, rules.tokenizer, window)
        return ask

    async def _continued(self, ask: Ask, given: ResponsesRequest, unstored: str | None) -> Ask:
        earlier: list[Item] = []
        if given.previous_response_id is not None:
            name = given.previous_response_id
            if (await self._archive.mark(name)).deleted:
                raise _not_continued(name)
            earlier = self._chain(name, unstored)
        elif (conversation := given.conversation_id) is not None:
            earlier = await self._conversations.items(conversation)
        own = self._resolved(openai_responses_input.items(given.input))
        return openai_responses_ask.continued(ask, [*earlier, *own])

    async def keep(self, ask: Ask, body: bytes, answer: bytes, stamp: Stamp) -> bytes | None:
        """Add request and answer to their conversation, if they belong to one. Gives what to
        answer at once if the client comes back for the answer itself."""
        given: ResponsesRequest = ask.wire.given
        if (conversation := given.conversation_id) is not None:
            listed = openai_responses_stored.input_items(body, stamp.mark)
            heard = [item for item in listed if item["type"] != "item_reference"]
            said = orjson.loads(answer)["output"]
            await self._conversations.add(conversation, [*heard, *said])
        if given.background and not ask.stream:
            return self._dialect.queued(ask, stamp)
        return None

    def _chain(self, name: str, unstored: str | None) -> list[Item]:
        """All items of a response and of those before it, oldest first."""
        turns: list[list[Item]] = []
        following: str | None = name
        private = name == unstored
        while following is not None:
            entry = self._archive.entry(following)
            if entry is None or len(turns) == MOST_TURNS:
                raise _not_continued(following)
            given = openai_responses_request.parsed(entry.body)
            if given.store is False and not private:
                raise _not_continued(following)
            said = openai_responses_stored.output(entry.answer)
            turns.append([*self._resolved(openai_responses_input.items(given.input)), *said])
            following = given.previous_response_id
        return [item for turn in reversed(turns) for item in turn]

    def _resolved(self, items: Sequence[Item]) -> list[Item]:
        """The items, references replaced by what they refer to."""
        return [
            self._referred(item.id or "") if item.kind == "item_reference" else item
            for item in items
        ]

    def _referred(self, name: str) -> Item:
        entry = self._books.entry(name)
        if entry is not None and entry.endpoint == ENDPOINT and entry.answer:
            given = openai_responses_request.parsed(entry.body)
            said = openai_responses_stored.output(entry.answer)
            heard = openai_responses_input.items(given.input)
            listed = openai_responses_stored.input_items(entry.body, entry.mark)
            named = {told["id"]: item for told, item in zip(listed, heard, strict=True)}
            named |= {item.id: item for item in said}
            if given.store is not False and name in named:
                return named[name]
        message = (
            f"Item with id '{name}' not found. Items are not persisted when `store` is set to "
            "false. Try again with `store` set to true, or remove this item from your input."
        )
        raise BadRequest(Failure(Kind.NOT_FOUND, message, "input"))

    async def counted(self, body: bytes) -> bytes:
        """How many tokens a request's input is."""
        ask, rules = await self._asked(body)
        return openai_responses_stored.counted(await to_thread(tokens, ask, rules.tokenizer))

    async def compacted(self, body: bytes, stamp: Stamp) -> bytes:
        """A conversation in one item: the latest of it."""
        ask, rules = await self._asked(body)
        text = rules.tokenizer.cut(_transcript(ask), COMPACTED)
        prompt, said = await to_thread(tokens, ask, rules.tokenizer), rules.tokenizer.count(text)
        return openai_responses_stored.compacted(text, Usage(prompt, said), stamp)

    async def _asked(self, body: bytes) -> tuple[Ask, Rules]:
        ask = await self.recall(self._dialect.decode(body or b"{}"))
        return ask, await self._rules(ask.model)


def _transcript(ask: Ask) -> str:
    """What was said, latest first."""
    said = (f"{one.role}: {one.text}" for one in reversed(ask.messages) if one.text)
    return "\n".join(said)


def _not_continued(name: str) -> BadRequest:
    message = f"Previous response with id '{name}' not found."
    return invalid(message, "previous_response_id", "previous_response_not_found")
