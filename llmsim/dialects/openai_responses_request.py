"""Responses: the request, as openai 3.54's ``ResponseCreateParams`` types it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, structs

from llmsim import catalog
from llmsim.dialects import openai_responses_input, openai_responses_tools
from llmsim.dialects.decoding import Malformed, decode
from llmsim.dialects.openai import refuse
from llmsim.dialects.openai_responses_input import Item
from llmsim.dialects.openai_responses_tools import TextConfig
from llmsim.errors import invalid
from llmsim.exchange import AUTO, Ask, Effort, Message, Thinking

DEFAULT_MODEL = "gpt-4o"
"""What answers a request that names no model, as one with a stored prompt need not."""

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


class Conversation(Struct):
    id: str


class ResponsesRequest(Struct):
    """The fields llmsim reads, checks or tells again; every other one is ignored.

    ``generate`` and ``stream_id`` come over WebSockets only.
    """

    model: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    input: str | list[Item] | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    background: bool | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: str | Conversation | None = None
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
        given = self.conversation
        return given.id if isinstance(given, Conversation) else given

    @property
    def continues(self) -> bool:
        """Whether this request builds on what the server remembers."""
        return (
            self.previous_response_id is not None
            or self.conversation is not None
            or any(item.kind == "item_reference" for item in self.items)
        )

    @property
    def items(self) -> Sequence[Item]:
        """The input's items, where it is not just a text."""
        return self.input if isinstance(self.input, list) else ()

    @property
    def summarized(self) -> bool:
        """Whether a summary of the reasoning is wanted."""
        asked = self.reasoning
        return asked is not None and (asked.summary or asked.generate_summary) is not None


class Wire(Struct, frozen=True):
    """What it takes to spell an answer: the request, and what each state of the response tells
    of it again (``about``, the members of an object and its closing brace). ``continues`` says
    that the request builds on what the server remembers."""

    given: ResponsesRequest
    about: bytes
    continues: bool


_decoder = msgspec.json.Decoder(ResponsesRequest)


def parsed(body: bytes) -> ResponsesRequest:
    """The request as it was sent. Raises BadRequest naming the ``param`` that is wrong."""
    try:
        return decode(_decoder, body)
    except Malformed as mistake:
        raise refuse(mistake) from None


def ask(given: ResponsesRequest) -> Ask:
    """The request in neutral words. Raises BadRequest where it makes no sense.

    What it builds on is not there yet: :func:`continued` adds it.
    """
    model = given.model or DEFAULT_MODEL
    own = openai_responses_input.items(given.input)
    continues = given.continues
    if continues:
        _check_continuing(given)
    elif (mistake := openai_responses_input.mismatch(own)) is not None:
        raise mistake
    tools = openai_responses_tools.tools(given.tools)
    silent = given.generate is False
    return Ask(
        model,
        _messages(given.instructions, own),
        given.stream is True,
        0 if silent else given.max_output_tokens,
        logprobs=_logprobs(given),
        thinking=_thinking(given),
        tools=() if silent else tools,
        choice=openai_responses_tools.choice(given.tool_choice, given.parallel_tool_calls, tools)
        if given.tools
        else AUTO,
        format=openai_responses_tools.form(given.text),
        store=given.store is not False or given.conversation is not None,
        wire=Wire(given, _about(given, model), continues),
    )


def continued(asked: Ask, items: Sequence[Item]) -> Ask:
    """The same request with the whole conversation: ``items`` are those before it and its own,
    references replaced. Raises BadRequest where they do not fit together."""
    mistake = openai_responses_input.mismatch(items)
    if mistake is not None:
        raise mistake
    given: ResponsesRequest = asked.wire.given
    return structs.replace(asked, messages=_messages(given.instructions, items))


def _messages(instructions: str | None, items: Sequence[Item]) -> tuple[Message, ...]:
    """Never empty: a request without any input is one with an empty one."""
    return openai_responses_input.messages(instructions, items) or (Message("user"),)


def _check_continuing(given: ResponsesRequest) -> None:
    if given.previous_response_id is not None and given.conversation is not None:
        raise invalid(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you "
            "are only providing one of these.",
            "previous_response_id",
            "mutually_exclusive_parameters",
        )


def _logprobs(given: ResponsesRequest) -> int | None:
    if given.include is not None and "message.output_text.logprobs" in given.include:
        return given.top_logprobs or 0
    return given.top_logprobs or None


def _thinking(given: ResponsesRequest) -> Thinking | None:
    asked = given.reasoning
    return None if asked is None else Thinking(asked.effort, visible=given.summarized)


def _about(given: ResponsesRequest, model: str) -> bytes:
    told: dict[str, Any] = {
        "background": given.background is True,
        "instructions": given.instructions,
        "max_output_tokens": given.max_output_tokens,
        "max_tool_calls": given.max_tool_calls,
        "metadata": given.metadata or {},
        "model": model,
        "parallel_tool_calls": given.parallel_tool_calls is not False,
        "previous_response_id": given.previous_response_id,
        "prompt_cache_key": given.prompt_cache_key,
        "reasoning": _reasoning(given, model),
        "safety_identifier": given.safety_identifier,
        "service_tier": _TIERS.get(given.service_tier, given.service_tier),
        "store": given.store is not False,
        "temperature": 1.0 if given.temperature is None else given.temperature,
        "text": _text(given.text),
        "tool_choice": "auto" if given.tool_choice is None else given.tool_choice,
        "tools": openai_responses_tools.echoed(given.tools),
        "top_logprobs": given.top_logprobs or 0,
        "top_p": 1.0 if given.top_p is None else given.top_p,
        "truncation": given.truncation or "disabled",
        "user": given.user,
    }
    if given.conversation is not None:
        told["conversation"] = {"id": given.conversation_id}
    if given.prompt is not None:
        told["prompt"] = given.prompt
    return msgspec.json.encode(told)[1:]


# The tier that a request is served with, by the one it asks for.
_TIERS: dict[str | None, str] = {None: "default", "auto": "default", "fast": "priority"}


def _reasoning(given: ResponsesRequest, model: str) -> dict[str, str | None]:
    asked = given.reasoning
    described = catalog.resolve(model)
    effort = asked.effort if asked is not None else None
    if effort is None and described.reasoning:
        effort = described.effort
    summary = asked.summary or asked.generate_summary if asked is not None else None
    return {"effort": effort, "summary": summary}


def _text(config: TextConfig | None) -> dict[str, object]:
    form = config.format if config is not None else None
    verbosity = config.verbosity if config is not None else None
    return {
        "format": openai_responses_tools.TextFormat() if form is None else form,
        "verbosity": verbosity or "medium",
    }
