"""The memory behind ``/v1/responses``: what requests build on, and what they add to it."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Sequence

import orjson

from llmsim.core import Request, Stamp, Usage
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.engine.compose import ModelSettings
from llmsim.engine.tokens.prompt import tokens
from llmsim.engine.tokens.truncation import truncated
from llmsim.providers.openai.responses import conversion, inputs, params
from llmsim.providers.openai.responses import stored as responses_stored
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.openai.responses.inputs import Item
from llmsim.providers.openai.responses.params import ResponsesRequest, Wire
from llmsim.server.resources.conversations import Conversations
from llmsim.server.resources.response_archive import ENDPOINT, ResponseArchive
from llmsim.state.shared_state import SharedState

MOST_TURNS = 1000
"""How many responses a chain of ``previous_response_id`` may have."""

COMPACTED = 256
"""Tokens a compacted conversation has at most."""


class Responses:
    """The conversations of requests to ``/v1/responses``."""

    def __init__(
        self,
        codec: OpenAIResponses,
        shared: SharedState,
        archive: ResponseArchive,
        conversations: Conversations,
        settings: Callable[[str], Awaitable[ModelSettings]],
    ) -> None:
        self._codec = codec
        self._shared = shared
        self._archive = archive
        self._conversations = conversations
        self._settings = settings

    async def recall(self, request: Request, unstored: str | None = None) -> Request:
        """The request with all it builds on.

        ``unstored`` is the id of a response that is not stored but may be continued here. Raises
        BadRequest for what is not remembered.
        """
        wire: Wire = request.wire
        if wire.continues:
            request = await self._continued(request, wire.params, unstored)
        if wire.params.truncation == "auto":
            settings = await self._settings(request.model)
            if window := settings.model.context_window:
                request = await to_thread(truncated, request, settings.tokenizer, window)
        return request

    async def _continued(
        self, request: Request, given: ResponsesRequest, unstored: str | None
    ) -> Request:
        earlier: list[Item] = []
        if given.previous_response_id is not None:
            name = given.previous_response_id
            if (await self._archive.update(name)).deleted:
                raise _not_continued(name)
            earlier = self._chain(name, unstored)
        elif (conversation := given.conversation_id) is not None:
            earlier = await self._conversations.items(conversation)
        own = self._resolved(inputs.items(given.input))
        return conversion.continued(request, [*earlier, *own])

    async def keep(
        self, request: Request, body: bytes, answer: bytes, stamp: Stamp
    ) -> bytes | None:
        """Add request and answer to their conversation, if they belong to one. Gives what to
        answer at once if the client comes back for the answer itself."""
        given: ResponsesRequest = request.wire.params
        if (conversation := given.conversation_id) is not None:
            listed = responses_stored.input_items(body, stamp.mark)
            heard = [item for item in listed if item["type"] != "item_reference"]
            said = orjson.loads(answer)["output"]
            await self._conversations.add(conversation, [*heard, *said])
        if given.background and not request.stream:
            return self._codec.queued(request, stamp)
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
            given = params.parsed(entry.body)
            if given.store is False and not private:
                raise _not_continued(following)
            said = responses_stored.output_items(entry.answer)
            turns.append([*self._resolved(inputs.items(given.input)), *said])
            following = given.previous_response_id
        return [item for turn in reversed(turns) for item in turn]

    def _resolved(self, items: Sequence[Item]) -> list[Item]:
        """The items, references replaced by what they refer to."""
        return [
            self._referred(item.id or "") if item.kind == "item_reference" else item
            for item in items
        ]

    def _referred(self, name: str) -> Item:
        entry = self._shared.entry(name)
        if entry is not None and entry.endpoint == ENDPOINT and entry.answer:
            given = params.parsed(entry.body)
            said = responses_stored.output_items(entry.answer)
            heard = inputs.items(given.input)
            listed = responses_stored.input_items(entry.body, entry.mark)
            named = {told["id"]: item for told, item in zip(listed, heard, strict=True)}
            named |= {item.id: item for item in said}
            if given.store is not False and name in named:
                return named[name]
        message = (
            f"Item with id '{name}' not found. Items are not persisted when `store` is set to "
            "false. Try again with `store` set to true, or remove this item from your input."
        )
        raise BadRequest(Failure(FailureKind.NOT_FOUND, message, "input"))

    async def counted(self, body: bytes) -> bytes:
        """How many tokens a request's input is."""
        request, settings = await self._asked(body)
        return responses_stored.input_tokens(await to_thread(tokens, request, settings.tokenizer))

    async def compacted(self, body: bytes, stamp: Stamp) -> bytes:
        """A conversation in one item: the latest of it."""
        request, settings = await self._asked(body)
        text = settings.tokenizer.cut(_transcript(request), COMPACTED)
        prompt, said = (
            await to_thread(tokens, request, settings.tokenizer),
            settings.tokenizer.count(text),
        )
        return responses_stored.compaction(text, Usage(prompt, said), stamp)

    async def _asked(self, body: bytes) -> tuple[Request, ModelSettings]:
        request = await self.recall(self._codec.decode(body or b"{}"))
        return request, await self._settings(request.model)


def _transcript(request: Request) -> str:
    """What was said, latest first."""
    said = (f"{one.role}: {one.text}" for one in reversed(request.messages) if one.text)
    return "\n".join(said)


def _not_continued(name: str) -> BadRequest:
    message = f"Previous response with id '{name}' not found."
    return invalid(message, "previous_response_id", "previous_response_not_found")
