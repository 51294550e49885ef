"""What Anthropic's API refuses, and llmsim accepts unless it is configured to validate strictly.

The error messages are the live service's as far as they are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmsim.core.catalog import models
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.providers.anthropic.messages.blocks import AnyBlock, Base64Source, ImageBlock, TextBlock
from llmsim.providers.anthropic.messages.conversation import WireMessage
from llmsim.providers.anthropic.messages.params import Adaptive, Enabled, MessagesRequest, Prompt
from llmsim.providers.anthropic.messages.tools import WireTool, malformed_properties

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
NO_SCHEMA = (
    "JSON schema is invalid. It must match JSON Schema draft 2020-12 "
    "(https://json-schema.org/draft/2020-12)."
)
PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def check_version(version: str | None) -> None:
    """The header ``anthropic-version``. Raises BadRequest."""
    if version is None:
        raise invalid("anthropic-version: header is required")


def check(wire: Prompt) -> None:
    """Raises BadRequest for the first rule that a well-formed request breaks."""
    model = models.find(wire.model)
    if model is None:
        message = f"model: {wire.model}"
        raise BadRequest(Failure(FailureKind.MODEL_NOT_FOUND, message, model=wire.model))
    for place, tool in enumerate(wire.tools or ()):
        _check_tool(place, tool)
    for where, block in _blocks(wire.messages):
        _check_block(where, block)
    _check_end(wire.messages[-1])
    if isinstance(wire, MessagesRequest):
        _check_sampling(wire)
        most = model.max_output_tokens
        if wire.max_tokens > most:
            raise invalid(
                f"max_tokens: {wire.max_tokens} > {most}, which is the maximum allowed number of "
                f"output tokens for {wire.model}",
                "max_tokens",
            )


def _check_sampling(wire: MessagesRequest) -> None:
    if not isinstance(wire.thinking, Enabled | Adaptive):
        return
    if wire.temperature not in {None, 1}:
        raise invalid("`temperature` may only be set to 1 when thinking is enabled.", "temperature")
    if wire.top_k is not None:
        raise invalid("`top_k` must be unset when thinking is enabled.", "top_k")


def _check_tool(place: int, tool: WireTool) -> None:
    if tool.name is not None and not NAME.fullmatch(tool.name):
        where = f"tools.{place}.custom.name"
        raise invalid(f"{where}: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'", where)
    if tool.input_schema is not None and tool.input_schema.get("type") != "object":
        where = f"tools.{place}.custom.input_schema.type"
        problem = "Input should be 'object'" if "type" in tool.input_schema else "Field required"
        raise invalid(f"{where}: {problem}", where)
    if tool.input_schema is not None and malformed_properties(tool.input_schema):
        where = f"tools.{place}.custom.input_schema"
        raise invalid(f"{where}: {NO_SCHEMA}", where)


def _blocks(messages: list[WireMessage]) -> Iterator[tuple[str, AnyBlock]]:
    for place, message in enumerate(messages):
        if not isinstance(message.content, str):
            for index, block in enumerate(message.content):
                yield f"messages.{place}.content.{index}", block


def _check_block(where: str, block: AnyBlock) -> None:
    if isinstance(block, TextBlock) and not block.text:
        raise invalid("messages: text content blocks must be non-empty", where)
    if isinstance(block, ImageBlock) and isinstance(block.source, Base64Source):
        media_type = block.source.media_type
        if media_type not in PICTURES:
            allowed = ", ".join(f"'{one}'" for one in PICTURES[:-1])
            path = f"{where}.image.source.base64.media_type"
            raise invalid(f"{path}: Input should be {allowed} or '{PICTURES[-1]}'", path)


def _check_end(last: WireMessage) -> None:
    """The text of a final assistant message must not end in whitespace."""
    content = last.content
    text = content if isinstance(content, str) else None
    if content and isinstance(content[-1], TextBlock):
        text = content[-1].text
    if last.role == "assistant" and text is not None and text != text.rstrip():
        raise invalid(
            "messages: final assistant content cannot end with trailing whitespace", "messages"
        )
