"""What Anthropic's API refuses, and llmsim accepts unless it is configured to validate strictly.

The error messages are the live service's as far as they are known.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeGuard

from llmsim.core.catalog import models
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.providers import rules
from llmsim.providers.anthropic.messages.blocks import (
    AnyBlock,
    Base64Source,
    ImageBlock,
    RedactedThinkingBlock,
    ServerToolUseBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from llmsim.providers.anthropic.messages.conversation import WireMessage
from llmsim.providers.anthropic.messages.params import Adaptive, Enabled, MessagesRequest, Prompt
from llmsim.providers.anthropic.messages.tools import WireTool, malformed_properties
from llmsim.providers.rules import Breach, Rules
from llmsim.providers.wire.decoding import json_values
from llmsim.providers.wire.plain_bodies import PlainBodies
from llmsim.providers.wire.request_fields import (
    MapKey,
    Path,
    RequestFields,
    Variant,
    request_fields,
)

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")
SERVER_CALL_ID = re.compile(r"srvtoolu_[a-zA-Z0-9_]+")
PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
COMBINED = ("oneOf", "allOf", "anyOf")
MOST_TEMPERATURE, LEAST_TOP_P = 1, 0.95
SIGNED = b"\x12"
"""What a signature begins with, decoded."""

SINCE_4_6 = rules.models("Claude 4.6 and later", r"claude-[a-z]+-([5-9]|4-[6-9])(-.*)?")
BEFORE_4_6 = rules.models("before Claude 4.6", rf"(?!{SINCE_4_6.pattern.pattern}$).*")
UNSAMPLED = rules.models(
    "Claude Opus 4.7 and later, Claude 5 and later", r"claude-(opus-4-[7-9]|[a-z]+-[5-9])(-.*)?"
)
SAMPLED_ONE_WAY = rules.models(
    "Claude Opus 4.1, Claude 4.5 and later", r"claude-([a-z]+-([5-9]|4-[5-9])|opus-4-1)(-.*)?"
)
OPUS_4_5 = rules.models("Claude Opus 4.5", r"claude-opus-4-5(-.*)?")
NO_EFFORT = rules.models(
    "before Claude 4.6, but Opus 4.5",
    rf"(?!({SINCE_4_6.pattern.pattern}|{OPUS_4_5.pattern.pattern})$).*",
)

API = "Messages API reference"
SEEN = "seen from the live service"
THINKING = "guide to extended thinking"

RULES: Rules[Prompt] = Rules()


def check_version(version: str | None) -> None:
    """The header ``anthropic-version``. Raises BadRequest."""
    if version is None:
        raise invalid("anthropic-version: header is required")


def check_fields(body: bytes, name: str) -> None:
    """The fields of a body. Raises BadRequest for one that the API does not have, also with
    every beta."""
    if _plain(name).takes(body):
        return
    for misfit in _fields(name).misfits(json_values(body)):
        where = path((*misfit.path, misfit.name))
        raise invalid(f"{where}: Extra inputs are not permitted", where)


def prepare() -> None:
    """Make what :func:`check_fields` needs: some 20 ms, which no request has to wait."""
    _plain("anthropic")


@cache
def _plain(name: str) -> PlainBodies:
    fields = _fields(name)
    return PlainBodies(fields.root, fields.types)


@cache
def _fields(name: str) -> RequestFields:
    return request_fields(name)


def path(steps: Path) -> str:
    """A path as the API writes it: ``tools.0.custom.name``, members of unions by their type.

    Roles are no types, and the one type that caching has is named, too.
    """
    words: list[str] = []
    for step in steps:
        if isinstance(step, Variant) and step in ("user", "assistant", "system"):
            continue
        words.append(step.key if isinstance(step, MapKey) else str(step))
        if step == "cache_control":
            words.append("ephemeral")
    return ".".join(words if words[-1] != "ephemeral" else words[:-1])


def check(wire: Prompt) -> None:
    """Raises BadRequest for the first rule that a well-formed request breaks."""
    model = models.find(wire.model)
    if model is None:
        message = f"model: {wire.model}"
        raise BadRequest(Failure(FailureKind.MODEL_NOT_FOUND, message, model=wire.model))
    RULES.check(wire, wire.model)


@RULES.row(
    "tool-name",
    "{where}: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'",
    API,
    on=("tools",),
)
def _tool_name(wire: Prompt) -> Iterator[Breach]:
    for place, tool in _tools(wire):
        if tool.name is not None and not NAME.fullmatch(tool.name):
            yield Breach(f"tools.{place}.custom.name")


@RULES.row("tool-schema-type", "{where}: {problem}", API, on=("tools",))
def _tool_schema_type(wire: Prompt) -> Iterator[Breach]:
    for place, schema in _schemas(wire):
        if schema.get("type") != "object":
            problem = "Input should be 'object'" if "type" in schema else "Field required"
            yield Breach(f"tools.{place}.custom.input_schema.type", {"problem": problem})


@RULES.row(
    "tool-schema-top",
    "{where}: input_schema does not support oneOf, allOf, or anyOf at the top level",
    SEEN,
    on=("tools",),
)
def _tool_schema_top(wire: Prompt) -> Iterator[Breach]:
    for place, schema in _schemas(wire):
        if any(word in schema for word in COMBINED):
            yield Breach(f"tools.{place}.custom.input_schema")


@RULES.row(
    "tool-schema-properties",
    "{where}: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
    "(https://json-schema.org/draft/2020-12).",
    SEEN,
    on=("tools",),
)
def _tool_schema_properties(wire: Prompt) -> Iterator[Breach]:
    for place, schema in _schemas(wire):
        if malformed_properties(schema):
            yield Breach(f"tools.{place}.custom.input_schema")


@RULES.row("empty-text", "messages: text content blocks must be non-empty", SEEN)
def _empty_text(wire: Prompt) -> Iterator[Breach]:
    for where, block in _blocks(wire.messages):
        if isinstance(block, TextBlock) and not block.text:
            yield Breach(where)


@RULES.row("blank-text", "messages: text content blocks must contain non-whitespace text", SEEN)
def _blank_text(wire: Prompt) -> Iterator[Breach]:
    for where, block in _blocks(wire.messages):
        if isinstance(block, TextBlock) and not block.text.strip():
            yield Breach(where)


@RULES.row("image-type", "{where}: Input should be {allowed}", API)
def _image_type(wire: Prompt) -> Iterator[Breach]:
    for where, block in _blocks(wire.messages):
        source = block.source if isinstance(block, ImageBlock) else None
        if isinstance(source, Base64Source) and source.media_type not in PICTURES:
            first = ", ".join(f"'{one}'" for one in PICTURES[:-1])
            allowed = {"allowed": f"{first} or '{PICTURES[-1]}'"}
            yield Breach(f"{where}.image.source.base64.media_type", allowed)


@RULES.row(
    "trailing-whitespace",
    "messages: final assistant content cannot end with trailing whitespace",
    SEEN,
)
def _trailing_whitespace(wire: Prompt) -> Iterator[Breach]:
    last = wire.messages[-1]
    content = last.content
    text = content if isinstance(content, str) else None
    if content and isinstance(content[-1], TextBlock):
        text = content[-1].text
    if last.role == "assistant" and text is not None and text != text.rstrip():
        yield Breach("messages")


@RULES.row(
    "prefill",
    "This model does not support assistant message prefill. The conversation must end with a user "
    "message.",
    "guide to migrating to Claude 4.6",
    models=SINCE_4_6,
)
def _prefill(wire: Prompt) -> Iterator[Breach]:
    last = wire.messages[-1]
    if last.role == "assistant" and not _calls_server_tool(last):
        yield Breach("messages")


def _calls_server_tool(message: WireMessage) -> bool:
    """Whether it is a paused turn, which is sent back to be gone on with."""
    return any(isinstance(block, ServerToolUseBlock) for block in _content(message))


@RULES.row("call-id", "{where}: String should match pattern '^[a-zA-Z0-9_-]+$'", SEEN)
def _call_id(wire: Prompt) -> Iterator[Breach]:
    for where, block in _blocks(wire.messages):
        if type(block) is ToolUseBlock and not CALL_ID.fullmatch(block.id):
            yield Breach(f"{where}.tool_use.id")
        elif isinstance(block, ToolResultBlock) and not CALL_ID.fullmatch(block.tool_use_id):
            yield Breach(f"{where}.tool_result.tool_use_id")


@RULES.row(
    "server-call-id", "{where}: String should match pattern '^srvtoolu_[a-zA-Z0-9_]+$'", SEEN
)
def _server_call_id(wire: Prompt) -> Iterator[Breach]:
    for where, block in _blocks(wire.messages):
        if type(block) is ServerToolUseBlock and not SERVER_CALL_ID.fullmatch(block.id):
            yield Breach(f"{where}.server_tool_use.id")


@RULES.row("call-id-unique", "{where}: `tool_use` ids must be unique", SEEN)
def _call_id_unique(wire: Prompt) -> Iterator[Breach]:
    seen: set[str] = set()
    for where, block in _blocks(wire.messages):
        if type(block) is ToolUseBlock:
            if block.id in seen:
                yield Breach(where)
            seen.add(block.id)


@RULES.row("signature", "{where}: Invalid `signature` in `thinking` block", SEEN)
def _signature(wire: Prompt) -> Iterator[Breach]:
    for where, block in _blocks(wire.messages):
        if isinstance(block, ThinkingBlock) and not _is_signature(block.signature):
            yield Breach(where)


def _is_signature(signature: str) -> bool:
    try:
        return b64decode(signature, validate=True).startswith(SIGNED)
    except binascii.Error:
        return False


@RULES.row(
    "thinking-first",
    "{where}.type: Expected `thinking` or `redacted_thinking`, but found `{found}`. When "
    "`thinking` is enabled, a final `assistant` message must start with a thinking block "
    "(preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you "
    "include thinking blocks from previous turns. To avoid this requirement, disable `thinking`.",
    THINKING,
    on=("thinking",),
)
def _thinking_first(wire: Prompt) -> Iterator[Breach]:
    if not isinstance(wire.thinking, Enabled):
        return
    place = _turn_of_calls(wire.messages)
    if place is None:
        return
    first = _content(wire.messages[place])[0]
    if not isinstance(first, ThinkingBlock | RedactedThinkingBlock):
        yield Breach(f"messages.{place}.content.0", {"found": _type(first)})


def _turn_of_calls(messages: list[WireMessage]) -> int | None:
    """Where the assistant calls the tools whose results the conversation ends with."""
    if len(messages) < 2 or messages[-1].role != "user" or messages[-2].role != "assistant":
        return None
    answered = any(isinstance(block, ToolResultBlock) for block in _content(messages[-1]))
    called = any(isinstance(block, ToolUseBlock) for block in _content(messages[-2]))
    return len(messages) - 2 if answered and called else None


@RULES.row(
    "max-tokens",
    "max_tokens: {wanted} > {most}, which is the maximum allowed number of "
    "output tokens for {model}",
    API,
)
def _max_tokens(wire: Prompt) -> Iterator[Breach]:
    if isinstance(wire, MessagesRequest):
        most = models.resolve(wire.model).max_output_tokens
        if wire.max_tokens > most:
            values = {"wanted": wire.max_tokens, "most": most, "model": wire.model}
            yield Breach("max_tokens", values)


@RULES.row(
    "sampling-deprecated",
    "`{where}` is deprecated for this model.",
    "guide to migrating to Claude Opus 4.7",
    models=UNSAMPLED,
)
def _sampling_deprecated(wire: Prompt) -> Iterator[Breach]:
    if isinstance(wire, MessagesRequest):
        for name, value, usual in (
            ("temperature", wire.temperature, 1),
            ("top_p", wire.top_p, 1),
            ("top_k", wire.top_k, None),
        ):
            if value is not None and value != usual:
                yield Breach(name)


@RULES.row(
    "sampling-both",
    "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    "guide to migrating to Claude 4.5",
    models=SAMPLED_ONE_WAY,
)
def _sampling_both(wire: Prompt) -> Iterator[Breach]:
    both = isinstance(wire, MessagesRequest) and None not in (wire.temperature, wire.top_p)
    if both:
        yield Breach("temperature")


@RULES.row(
    "thinking-temperature",
    "`temperature` may only be set to 1 when thinking is enabled.",
    THINKING,
    on=("thinking",),
)
def _thinking_temperature(wire: Prompt) -> Iterator[Breach]:
    if _thinks(wire) and wire.temperature not in {None, MOST_TEMPERATURE}:
        yield Breach("temperature")


@RULES.row(
    "thinking-top-k", "`top_k` must be unset when thinking is enabled.", THINKING, on=("thinking",)
)
def _thinking_top_k(wire: Prompt) -> Iterator[Breach]:
    if _thinks(wire) and wire.top_k is not None:
        yield Breach("top_k")


@RULES.row(
    "thinking-top-p",
    "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
    THINKING,
    on=("thinking",),
)
def _thinking_top_p(wire: Prompt) -> Iterator[Breach]:
    if _thinks(wire) and wire.top_p is not None and wire.top_p < LEAST_TOP_P:
        yield Breach("top_p")


@RULES.row(
    "thinking-adaptive-only",
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
    '"output_config.effort" to control thinking behavior.',
    "guide to adaptive thinking",
    models=UNSAMPLED,
    on=("thinking",),
)
def _thinking_adaptive_only(wire: Prompt) -> Iterator[Breach]:
    if isinstance(wire.thinking, Enabled):
        yield Breach("thinking.type")


@RULES.row(
    "thinking-no-adaptive",
    "adaptive thinking is not supported on this model",
    "guide to adaptive thinking",
    models=BEFORE_4_6,
    on=("thinking",),
)
def _thinking_no_adaptive(wire: Prompt) -> Iterator[Breach]:
    if isinstance(wire.thinking, Adaptive):
        yield Breach("thinking.type")


@RULES.row(
    "effort",
    "This model does not support the effort parameter.",
    "guide to effort",
    models=NO_EFFORT,
    on=("output_config",),
)
def _effort(wire: Prompt) -> Iterator[Breach]:
    if wire.output_config is not None and wire.output_config.effort is not None:
        yield Breach("output_config.effort")


@RULES.row(
    "effort-level",
    "This model does not support effort level '{level}'. Supported levels: high, low, medium.",
    "guide to effort",
    models=OPUS_4_5,
    on=("output_config",),
)
def _effort_level(wire: Prompt) -> Iterator[Breach]:
    if wire.output_config is not None and wire.output_config.effort in ("xhigh", "max"):
        yield Breach("output_config.effort", {"level": wire.output_config.effort})


def _thinks(wire: Prompt) -> TypeGuard[MessagesRequest]:
    return isinstance(wire, MessagesRequest) and isinstance(wire.thinking, Enabled | Adaptive)


def _tools(wire: Prompt) -> Iterator[tuple[int, WireTool]]:
    yield from enumerate(wire.tools or ())


def _schemas(wire: Prompt) -> Iterator[tuple[int, dict[str, Any]]]:
    for place, tool in _tools(wire):
        if tool.input_schema is not None:
            yield place, tool.input_schema


def _content(message: WireMessage) -> list[AnyBlock]:
    return [] if isinstance(message.content, str) else message.content


def _blocks(messages: list[WireMessage]) -> Iterator[tuple[str, AnyBlock]]:
    for place, message in enumerate(messages):
        for index, block in enumerate(_content(message)):
            yield f"messages.{place}.content.{index}", block


def _type(block: AnyBlock) -> str:
    return str(block.__struct_config__.tag)
