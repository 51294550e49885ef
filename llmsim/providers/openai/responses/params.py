"""Responses: the request, as openai 3.54's ``ResponseCreateParams`` types it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from llmsim.core import Effort
from llmsim.providers.openai.errors import refuse
from llmsim.providers.openai.responses.inputs import Item
from llmsim.providers.openai.responses.tools import TextConfig
from llmsim.providers.wire.decoding import MalformedBody, decode

Include = Literal[
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
]


class Reasoning(Struct):
    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


class StreamOptions(Struct):
    include_obfuscation: bool | None = None


class ConversationParam(Struct):
    id: str


class ResponsesRequest(Struct):
    """The parameters llmsim reads, checks or echoes; every other one is ignored.

    ``generate`` and ``stream_id`` come over a WebSocket only.
    """

    model: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    input: str | list[Item] | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    background: bool | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: str | ConversationParam | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: Reasoning | None = None
    include: list[Include] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tool_calls: Annotated[int, Meta(ge=0)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    prompt: dict[str, Any] | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    user: str | None = None
    generate: bool | None = None
    stream_id: str | None = None

    @property
    def obfuscated(self) -> bool:
        options = self.stream_options
        return options is None or options.include_obfuscation is not False

    @property
    def conversation_id(self) -> str | None:
        conversation = self.conversation
        return conversation.id if isinstance(conversation, ConversationParam) else conversation

    @property
    def continues(self) -> bool:
        """Whether this request builds on what the server has stored."""
        return (
            self.previous_response_id is not None
            or self.conversation is not None
            or (
                type(self.input) is list
                and any(not item.plain and item.kind == "item_reference" for item in self.input)
            )
        )

    @property
    def items(self) -> Sequence[Item]:
        """The input's items; none where it is just a text."""
        return self.input if isinstance(self.input, list) else ()

    @property
    def approved(self) -> str | None:
        """The request to call an MCP server that was approved with this input."""
        if not isinstance(self.input, list):
            return None
        found = (one for one in self.input if one.kind == "mcp_approval_response" and one.approve)
        return next((one.approval_request_id for one in found), None)

    @property
    def summarized(self) -> bool:
        """Whether a summary of the reasoning is wanted."""
        reasoning = self.reasoning
        return (
            reasoning is not None and (reasoning.summary or reasoning.generate_summary) is not None
        )


class Wire(Struct, frozen=True):
    """What the codec needs of a request to write its response: the parameters, and as JSON the
    members in which the response object echoes them, up to its closing brace (``echo``).
    ``continues`` says that the request builds on what the server has stored."""

    params: ResponsesRequest
    echo: bytes
    continues: bool


_decoder = msgspec.json.Decoder(ResponsesRequest)


def parsed(body: bytes) -> ResponsesRequest:
    """The request as it was sent. Raises BadRequest naming the ``param`` that is wrong."""
    try:
        return decode(_decoder, body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
