"""Assistants: the requests, as openai 3.57's ``types.beta`` has them.

What an object only echoes is kept as it was sent: it is checked here, and read as plain JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from llmsim.core import Effort
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers.openai import strict
from llmsim.providers.openai.chat.tools import Function, ResponseFormat
from llmsim.providers.openai.errors import refuse
from llmsim.providers.openai.lists import Object
from llmsim.providers.wire.decoding import MalformedBody, decode, json_values

T = TypeVar("T")

HEADER = "openai-beta"
VERSION = "assistants=v2"

Model = Annotated[str, Meta(min_length=1, max_length=256)]
Instructions = Annotated[str, Meta(max_length=256_000)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
TopP = Annotated[float, Meta(ge=0, le=1)]


class CodeInterpreterTool(Struct, tag="code_interpreter", tag_field="type"):
    pass


class FileSearchTool(Struct, tag="file_search", tag_field="type"):
    file_search: dict[str, Any] | None = None


class AssistantFunction(Struct, tag="function", tag_field="type"):
    function: Function


AssistantTool = CodeInterpreterTool | FileSearchTool | AssistantFunction


class ChosenFunction(Struct):
    name: str


class ChosenTool(Struct):
    """The one tool to use. ``function`` goes with the type of that name only."""

    type: Literal["function", "code_interpreter", "file_search"]
    function: ChosenFunction | None = None


AssistantToolChoice = Literal["none", "auto", "required"] | ChosenTool
AssistantResponseFormat = Literal["auto"] | ResponseFormat


class FileIds(Struct):
    file_ids: list[str] | None = None


class VectorStores(Struct):
    vector_store_ids: list[str] | None = None
    vector_stores: list[dict[str, Any]] | None = None


class ToolResources(Struct):
    code_interpreter: FileIds | None = None
    file_search: VectorStores | None = None


class TruncationStrategy(Struct):
    type: Literal["auto", "last_messages"]
    last_messages: Annotated[int, Meta(ge=1)] | None = None


class ImageFile(Struct):
    file_id: str
    detail: str | None = None


class ImageURL(Struct):
    url: str
    detail: str | None = None


class ContentPart(Struct):
    """A part of a message, of any kind: the field with the kind's name is there."""

    type: Literal["text", "image_file", "image_url"]
    text: str | None = None
    image_file: ImageFile | None = None
    image_url: ImageURL | None = None


class Attachment(Struct):
    file_id: str | None = None
    tools: list[dict[str, Any]] | None = None


class MessageParams(Struct):
    """``POST /v1/threads/{id}/messages``, and the messages of a new thread or run."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Meta(max_length=256_000)] | list[ContentPart]
    attachments: list[Attachment] | None = None
    metadata: dict[str, str] | None = None


class AssistantFields(Struct):
    """What an assistant may have, and what its update may replace."""

    model: Model | None = None
    name: Annotated[str, Meta(max_length=256)] | None = None
    description: Annotated[str, Meta(max_length=512)] | None = None
    instructions: Instructions | None = None
    tools: Annotated[list[AssistantTool], Meta(max_length=128)] | None = None
    tool_resources: ToolResources | None = None
    metadata: dict[str, str] | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    response_format: AssistantResponseFormat | None = None
    reasoning_effort: Effort | None = None


class ThreadFields(Struct):
    """``POST /v1/threads`` and ``POST /v1/threads/{id}``."""

    messages: list[MessageParams] | None = None
    metadata: dict[str, str] | None = None
    tool_resources: ToolResources | None = None


class MetadataFields(Struct):
    """The update of a message or a run."""

    metadata: dict[str, str] | None = None


class RunParams(Struct, kw_only=True):
    """``POST /v1/threads/{id}/runs`` and, with the thread to create, ``POST /v1/threads/runs``."""

    assistant_id: str
    thread: ThreadFields | None = None
    model: Model | None = None
    instructions: Instructions | None = None
    additional_instructions: str | None = None
    additional_messages: list[MessageParams] | None = None
    tools: Annotated[list[AssistantTool], Meta(max_length=128)] | None = None
    tool_resources: ToolResources | None = None
    metadata: dict[str, str] | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    stream: bool | None = None
    max_prompt_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    truncation_strategy: TruncationStrategy | None = None
    tool_choice: AssistantToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: AssistantResponseFormat | None = None
    reasoning_effort: Effort | None = None


class ToolOutput(Struct):
    tool_call_id: str | None = None
    output: str | None = None


class ToolOutputs(Struct):
    """``POST …/runs/{id}/submit_tool_outputs``."""

    tool_outputs: list[ToolOutput]
    stream: bool | None = None


_assistant = msgspec.json.Decoder(AssistantFields)
_thread = msgspec.json.Decoder(ThreadFields)
_message = msgspec.json.Decoder(MessageParams)
_metadata = msgspec.json.Decoder(MetadataFields)
_run = msgspec.json.Decoder(RunParams)
_outputs = msgspec.json.Decoder(ToolOutputs)


def assistant_fields(body: bytes, new: bool) -> Object:
    """The members of a request for an assistant; a ``new`` one must have a model. Raises
    BadRequest."""
    fields, members = _read(_assistant, body)
    if new and fields.model is None:
        raise invalid("Missing required parameter: 'model'.", "model", "missing_required_parameter")
    strict.check_metadata(fields.metadata)
    return members


def thread_fields(body: bytes) -> Object:
    """The members of a request for a thread. Raises BadRequest."""
    fields, members = _read(_thread, body or b"{}")
    strict.check_metadata(fields.metadata)
    for place, message in enumerate(fields.messages or ()):
        check_message(message, f"messages[{place}].")
    return members


def message_fields(body: bytes) -> Object:
    """The members of a request for a message. Raises BadRequest."""
    fields, members = _read(_message, body)
    check_message(fields, "")
    return members


def metadata(body: bytes) -> dict[str, str] | None:
    """The metadata of a request that replaces it; None leaves it as it is. Raises BadRequest."""
    fields, _ = _read(_metadata, body or b"{}")
    strict.check_metadata(fields.metadata)
    return fields.metadata


def run_params(body: bytes) -> tuple[RunParams, Object]:
    """A request for a run, and its members as they were sent. Raises BadRequest."""
    params, members = _read(_run, body)
    strict.check_metadata(params.metadata)
    for place, message in enumerate(params.additional_messages or ()):
        check_message(message, f"additional_messages[{place}].")
    for place, message in enumerate((params.thread and params.thread.messages) or ()):
        check_message(message, f"thread.messages[{place}].")
    strategy = params.truncation_strategy
    if strategy is not None and strategy.type == "last_messages" and not strategy.last_messages:
        raise _missing("truncation_strategy.last_messages")
    return params, members


def tool_outputs(body: bytes) -> ToolOutputs:
    """The outputs of a run's tools. Raises BadRequest."""
    return _read(_outputs, body)[0]


def check_message(message: MessageParams, where: str) -> None:
    """A message has content, and each part what its type says. Raises BadRequest."""
    strict.check_metadata(message.metadata)
    if not message.content:
        path = f"{where}content"
        raise invalid(f"Invalid '{path}': message content must be non-empty.", path)
    if isinstance(message.content, str):
        return
    for place, part in enumerate(message.content):
        if getattr(part, part.type) is None:
            raise _missing(f"{where}content[{place}].{part.type}")


def check_header(version: str | None) -> None:
    """The header that says which version of the API is meant. Raises BadRequest."""
    if version is None or VERSION not in version:
        message = (
            "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try "
            f"again by setting the header 'OpenAI-Beta: {VERSION}'."
        )
        raise invalid(message, None, "invalid_beta")


def _missing(path: str) -> BadRequest:
    return invalid(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def _read(decoder: msgspec.json.Decoder[T], body: bytes) -> tuple[T, Object]:
    try:
        return decode(decoder, body), json_values(body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
