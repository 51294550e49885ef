"""State of ``/v1/responses``: what a request continues, and what it adds to its conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from llmsim.core import Plan, Request, Stamp, Usage
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.engine.compose import ModelSettings
from llmsim.engine.tokens.prompt import tokens
from llmsim.engine.tokens.truncation import truncated
from llmsim.pipeline.context import Call
from llmsim.providers.openai.responses import conversion, inputs, stored
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.openai.responses.inputs import Item
from llmsim.providers.openai.responses.params import ResponsesRequest, Wire, parsed
from llmsim.server.pipeline_state import by_size, offload
from llmsim.server.resources.conversations import Conversations
from llmsim.server.resources.response_archive import ENDPOINTS, ResponseArchive
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.journal import JournalEntry

MOST_TURNS = 1000
"""Responses a chain of ``previous_response_id`` may have."""

AT_A_TIME = 8
"""Of those, how many are looked up before the event loop gets its turn."""

MANY_ITEMS = 200
"""Items from which it takes long to make messages of them."""

COMPACTED = 256
"""Tokens a compacted conversation has at most."""


class Responses:
    """Continues earlier responses and conversations, and stores new ones in them."""

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
        """The request with the items of all it continues.

        ``unstored`` is the id of a response that is not stored but may be continued all the same.
        Raises BadRequest for an id that is unknown.
        """
        wire: Wire = request.wire
        if wire.continues:
            request = await self._continued(request, wire.params, unstored)
        if wire.params.truncation == "auto":
            settings = await self._settings(request.model)
            if window := settings.model.context_window:
                request = await offload(truncated, request, settings.tokenizer, window)
        return request

    async def _continued(
        self, request: Request, params: ResponsesRequest, unstored: str | None
    ) -> Request:
        earlier: list[Item] = []
        if params.previous_response_id is not None:
            name = params.previous_response_id
            if (await self._archive.update(name)).deleted:
                raise _not_continued(name)
            earlier = await self._chain(name, unstored)
        elif (conversation := params.conversation_id) is not None:
            earlier = await self._conversations.items(conversation)

        def whole() -> Request:
            items = self._resolved(inputs.items(params.input))
            return conversion.continued(request, [*earlier, *items])

        own = len(params.input) if isinstance(params.input, list) else 0
        return await offload(whole) if len(earlier) + own > MANY_ITEMS else whole()

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> bytes | None:
        """Add the items of request and answer to their conversation, if they belong to one.

        Gives the body to answer with at once where the client fetches the response later; None
        where the answer itself is sent.
        """
        request, stamp = call.request, call.stamp
        params: ResponsesRequest = request.wire.params
        if (conversation := params.conversation_id) is not None:
            size = len(call.body)
            listed = await by_size(size, stored.input_items, call.body, stamp.mark)
            input_items = [item for item in listed if item["type"] != "item_reference"]
            await self._conversations.add(conversation, input_items)
            written = await by_size(len(answer), stored.written_items, answer)
            await self._conversations.add_written(conversation, written)
        if params.background and not request.stream:
            return self._codec.queued(request, stamp)
        return None

    async def _chain(self, name: str, unstored: str | None) -> list[Item]:
        """All items of a response and of those before it, oldest first."""
        turns: list[list[Item]] = []
        response_id: str | None = name
        private = name == unstored
        while response_id is not None:
            entry = self._archive.entry(response_id)
            if entry is None or len(turns) == MOST_TURNS:
                raise _not_continued(response_id)
            size = len(entry.body) + len(entry.answer)
            params, items = await by_size(size, self._turn, entry)
            if params.store is False and not private:
                raise _not_continued(response_id)
            turns.append(items)
            response_id = params.previous_response_id
            if len(turns) % AT_A_TIME == 0:
                await asyncio.sleep(0)
        return [item for turn in reversed(turns) for item in turn]

    def _turn(self, entry: JournalEntry) -> tuple[ResponsesRequest, list[Item]]:
        """The parameters of an earlier response, and its items."""
        params = parsed(entry.body)
        output = stored.output_items(entry.answer)
        return params, [*self._resolved(inputs.items(params.input)), *output]

    def _resolved(self, items: Sequence[Item]) -> list[Item]:
        """The items, references replaced by what they refer to."""
        return [
            self._referenced(item.id or "") if item.kind == "item_reference" else item
            for item in items
        ]

    def _referenced(self, name: str) -> Item:
        entry = self._shared.entry(name)
        if entry is not None and entry.endpoint in ENDPOINTS and entry.answer:
            params = parsed(entry.body)
            items = inputs.items(params.input)
            listed = stored.input_items(entry.body, entry.mark)
            by_id = {shown["id"]: item for shown, item in zip(listed, items, strict=True)}
            by_id |= {item.id: item for item in stored.output_items(entry.answer)}
            if params.store is not False and name in by_id:
                return by_id[name]
        message = (
            f"Item with id '{name}' not found. Items are not persisted when `store` is set to "
            "false. Try again with `store` set to true, or remove this item from your input."
        )
        raise BadRequest(Failure(FailureKind.NOT_FOUND, message, "input"))

    async def input_tokens(self, body: bytes) -> bytes:
        """``POST /v1/responses/input_tokens``: the tokens of a request's input."""
        request, settings = await self._decoded(body)
        return stored.input_tokens(await offload(tokens, request, settings.tokenizer))

    async def compact(self, body: bytes, stamp: Stamp) -> bytes:
        """``POST /v1/responses/compact``: the latest of a conversation in one item."""
        request, settings = await self._decoded(body)
        text = await offload(lambda: settings.tokenizer.cut(_transcript(request), COMPACTED))
        prompt_tokens = await offload(tokens, request, settings.tokenizer)
        return stored.compaction(text, Usage(prompt_tokens, settings.tokenizer.count(text)), stamp)

    async def _decoded(self, body: bytes) -> tuple[Request, ModelSettings]:
        decoded = await by_size(len(body), self._codec.decode, body or b"{}")
        request = await self.recall(decoded)
        return request, await self._settings(request.model)


def _transcript(request: Request) -> str:
    """The texts of a conversation, latest first."""
    lines = (f"{one.role}: {one.text}" for one in reversed(request.messages) if one.text)
    return "\n".join(lines)


def _not_continued(name: str) -> BadRequest:
    message = f"Previous response with id '{name}' not found."
    return invalid(message, "previous_response_id", "previous_response_not_found")
