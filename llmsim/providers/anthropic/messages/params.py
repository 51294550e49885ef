"""Anthropic Messages: the request, as anthropic 2.12's ``MessageCreateParams`` types it."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from llmsim.core import AUTO, Breakpoint, Count, Effort, Format, MediaSizes, Request, Thinking
from llmsim.core.catalog import models
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers.anthropic.errors import refuse
from llmsim.providers.anthropic.messages import beta_fields, documents
from llmsim.providers.anthropic.messages.blocks import CacheControl, TextBlock
from llmsim.providers.anthropic.messages.conversation import Conversation, WireMessage
from llmsim.providers.anthropic.messages.tools import (
    AnyChoice,
    OneChoice,
    WireTool,
    WireToolChoice,
    offered_tools,
    tool_choice,
)
from llmsim.providers.wire.decoding import MalformedBody, decode

LEAST_BUDGET = 1024
MOST_BREAKPOINTS = 4

Display = Literal["summarized", "omitted"]


class Enabled(Struct, tag="enabled", tag_field="type"):
    budget_tokens: int
    display: Display | None = None


class Adaptive(Struct, tag="adaptive", tag_field="type"):
    display: Display | None = None


class Disabled(Struct, tag="disabled", tag_field="type"):
    pass


class BetweenTools(Struct, tag="between_tools", tag_field="type"):
    pass


class JSONFormat(Struct, tag="json_schema", tag_field="type"):
    schema: dict[str, Any]


class OutputConfig(Struct):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: JSONFormat | None = None


class Create(Struct, tag="create", tag_field="type"):
    pass


class Continue(Struct, tag="continue", tag_field="type"):
    previous_message_id: str


class Metadata(Struct):
    user_id: str | None = None


class Prompt(Struct, kw_only=True):
    """The parameters that make up a prompt: the body of ``count_tokens``."""

    model: Annotated[str, Meta(min_length=1, max_length=256)]
    messages: list[WireMessage]
    system: str | list[TextBlock] | None = None
    tools: list[WireTool] | None = None
    tool_choice: WireToolChoice | None = None
    thinking: Enabled | Adaptive | Disabled | BetweenTools | None = None
    output_config: OutputConfig | None = None
    output_format: JSONFormat | None = None
    cache_control: CacheControl | None = None


class MessagesRequest(Prompt, kw_only=True):
    """The parameters llmsim reads or checks; every other one is ignored."""

    max_tokens: Annotated[int, Meta(ge=0)]
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    metadata: Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    thread: Create | Continue | None = None


_decoder = msgspec.json.Decoder(MessagesRequest)
_prompts = msgspec.json.Decoder(Prompt)

P = TypeVar("P", bound=Prompt)


def read(body: bytes, strict: bool = False) -> Request:
    """The request in neutral terms. Raises BadRequest naming the parameter that is wrong.

    Unknown blocks and values are accepted unless ``strict``.

    A request that continues a thread cannot be read without it: then only ``model``, ``stream``,
    ``store`` and ``wire`` are set.
    """
    wire = decoded(body, strict)
    if isinstance(wire.thread, Continue):
        return Request(wire.model, (), wire.stream is True, store=True, wire=wire)
    return whole_request(wire)


def decoded(body: bytes, strict: bool = False) -> MessagesRequest:
    """The request as it is on the wire. Raises BadRequest."""
    return _decoded(_decoder, body, strict)


def whole_request(wire: MessagesRequest) -> Request:
    """A decoded request that continues no thread, in neutral terms. Raises BadRequest."""
    for stop in wire.stop_sequences or ():
        if not stop.strip():
            raise invalid(
                "stop_sequences: each stop sequence must contain non-whitespace", "stop_sequences"
            )
    thinking = wire.thinking
    if type(thinking) is Enabled and thinking.budget_tokens >= wire.max_tokens:
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.", "max_tokens")
    stops = tuple(wire.stop_sequences or ())
    return _request(wire, wire.stream is True, wire.max_tokens, stops, wire.thread is not None)


def read_prompt(body: bytes, strict: bool = False) -> Request:
    """The body of ``count_tokens`` in neutral terms. Raises BadRequest."""
    return structs.replace(_request(_decoded(_prompts, body, strict)), task=Count())


def _decoded(decoder: msgspec.json.Decoder[P], body: bytes, strict: bool) -> P:
    try:
        return decode(decoder, body)
    except MalformedBody as mistake:
        if strict or mistake.problem != "value":
            raise refuse(mistake) from None
    try:
        return decode(decoder, beta_fields.known(body))
    except MalformedBody as mistake:
        raise refuse(mistake) from None


def _request(
    wire: Prompt,
    stream: bool = False,
    max_tokens: int | None = None,
    stop: tuple[str, ...] = (),
    store: bool = False,
) -> Request:
    if not wire.messages:
        raise invalid("messages: at least one message is required", "messages")
    conversation = Conversation()
    if wire.system is not None:
        conversation.add_system(wire.system)
    conversation.add_messages(wire.messages)
    tools = offered_tools(wire.tools) if wire.tools else ()
    if wire.tool_choice is not None and not wire.tools:
        raise invalid(
            "tool_choice: tool_choice may only be specified while providing tools", "tool_choice"
        )
    configured = wire.output_config is not None
    return Request(
        wire.model,
        tuple(conversation.messages),
        stream,
        max_tokens,
        stop,
        1,
        None,
        None,
        _thinking(wire) if configured or wire.thinking is not None else None,
        tools,
        tool_choice(wire.tool_choice, tools) if tools else AUTO,
        _format(wire) if configured or wire.output_format is not None else None,
        store,
        wire,
        _breakpoints(wire, conversation),
        media=MediaSizes() if documents.wanted(wire.messages) else None,
    )


def _thinking(wire: Prompt) -> Thinking | None:
    """How the model is to think. Raises BadRequest.

    An effort alone does not make a model think that does not by default.
    """
    thinking = wire.thinking
    effort: Effort | None = wire.output_config.effort if wire.output_config is not None else None
    match thinking:
        case None:
            if effort is None or models.resolve(wire.model).effort == "none":
                return None
            return Thinking(effort)
        case Disabled() | BetweenTools():
            return Thinking("none")
        case Enabled() if thinking.budget_tokens < LEAST_BUDGET:
            where = "thinking.enabled.budget_tokens"
            raise invalid(f"{where}: Input should be greater than or equal to 1024", where)
        case Enabled() | Adaptive():
            if isinstance(wire.tool_choice, AnyChoice | OneChoice):
                raise invalid(
                    "Thinking may not be enabled when tool_choice forces tool use.", "thinking"
                )
            budget = thinking.budget_tokens if isinstance(thinking, Enabled) else None
            return Thinking(effort, budget, thinking.display != "omitted", wanted=True)


def _format(wire: Prompt) -> Format | None:
    """The form the answer must have; ``output_format`` is the older place to say so."""
    if wire.output_config is not None and wire.output_config.format is not None:
        return Format(wire.output_config.format.schema)
    return Format(wire.output_format.schema) if wire.output_format is not None else None


def _breakpoints(wire: Prompt, conversation: Conversation) -> tuple[Breakpoint, ...]:
    """Where the prompt is to be cached, in its own order: tools, system, messages."""
    if wire.cache_control is not None:
        conversation.add_breakpoint(wire.cache_control)
    tools = wire.tools or ()
    controls = [tool.cache_control for tool in tools if tool.cache_control] if tools else []
    if not controls and not conversation.breakpoints:
        return ()
    on_tools = [Breakpoint(-1, None, control.seconds) for control in controls]
    breakpoints = (*on_tools, *conversation.breakpoints)
    if len(breakpoints) > MOST_BREAKPOINTS:
        raise _invalid_cache(
            f"A maximum of {MOST_BREAKPOINTS} blocks with cache_control may be provided. "
            f"Found {len(breakpoints)}."
        )
    if any(later.ttl > earlier.ttl for earlier, later in pairwise(breakpoints)):
        raise _invalid_cache(
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. "
            "Note that blocks are processed in the following order: `tools`, `system`, `messages`."
        )
    return breakpoints


def _invalid_cache(message: str) -> BadRequest:
    return invalid(message, "cache_control")
