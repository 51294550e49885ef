"""Gemini: a request to generate content, as google-genai 3.4's ``_GenerateContentParameters``
and ``GenerateContentConfig`` put it on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from msgspec import Meta, Struct

from llmsim.core import AUTO, Effort, Format, Request, Thinking
from llmsim.core.errors import invalid
from llmsim.providers.gemini import errors, json_names
from llmsim.providers.gemini.generate import contents
from llmsim.providers.gemini.generate.answer_media import AnswerMedia, answer_media
from llmsim.providers.gemini.generate.parts import Content, Contents, TextContent
from llmsim.providers.gemini.generate.tools import (
    ToolConfig,
    WireTool,
    answer_format,
    offered_tools,
    tool_choice,
)
from llmsim.providers.wire.decoding import MalformedBody

LEVELS: dict[str, Effort | None] = {
    "THINKING_LEVEL_UNSPECIFIED": None,
    "MINIMAL": "minimal",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "XHIGH": "xhigh",
}
AUTOMATIC = -1  # a thinking budget that is left to the model

C = TypeVar("C")

Penalty = Annotated[float, Meta(ge=-2, le=2)]


class ThinkingConfig(Struct, rename="camel"):
    include_thoughts: bool | None = None
    thinking_budget: Annotated[int, Meta(ge=AUTOMATIC)] | None = None
    thinking_level: str | None = None


class ImageConfig(Struct, rename="camel"):
    aspect_ratio: str | None = None


class GenerationConfig(Struct, rename="camel"):
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    stop_sequences: Annotated[list[str], Meta(max_length=5)] | None = None
    candidate_count: Annotated[int, Meta(ge=1, le=8)] | None = None
    seed: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: float | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: Any = None
    response_logprobs: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    thinking_config: ThinkingConfig | None = None
    response_modalities: list[str] | None = None
    image_config: ImageConfig | None = None
    speech_config: dict[str, Any] | None = None


class GeminiWire(Struct, frozen=True, gc=False):
    """What the answer needs to know of its request: the media of the prompt, and its own."""

    media: contents.Media
    answer: AnswerMedia | None = None


class GenerateRequest(Struct, Generic[C], rename="camel"):
    """The fields llmsim reads or checks; every other one is ignored.

    ``stream`` is not one of Gemini's: it is for bodies without a path, which would say it.
    """

    contents: C
    model: str | None = None
    system_instruction: str | Content | None = None
    generation_config: GenerationConfig | None = None
    tools: list[WireTool] | None = None
    tool_config: ToolConfig | None = None
    stream: bool | None = None


AnyGenerateRequest: TypeAlias = GenerateRequest[Contents]
TextGenerateRequest: TypeAlias = GenerateRequest[list[TextContent]]

_reader: json_names.Reader[AnyGenerateRequest | TextGenerateRequest] = json_names.Reader(
    AnyGenerateRequest, TextGenerateRequest
)
_PLAIN = GenerationConfig()


def read(body: bytes, model: str | None, stream: bool) -> Request:
    """The request in neutral terms. Raises BadRequest naming the field that is wrong.

    ``model`` is None where no path names it: the body then does, and says whether the answer is
    to be streamed.
    """
    try:
        wire = _reader.read(body)
    except MalformedBody as mistake:
        raise errors.refuse(mistake) from None
    if model is None:
        return request(wire, body_model(wire.model), wire.stream is True)
    return request(wire, model, stream)


def body_model(model: str | None) -> str:
    """The model that a body names. Raises BadRequest if it names none."""
    if not model:
        raise invalid("* GenerateContentRequest.model: model is not specified", "model")
    return errors.bare(model)


def request(wire: AnyGenerateRequest | TextGenerateRequest, model: str, stream: bool) -> Request:
    """The decoded request in neutral terms."""
    config = wire.generation_config or _PLAIN
    messages, media = contents.read(wire.contents, wire.system_instruction)
    tools = offered_tools(wire.tools) if wire.tools else ()
    ratio = config.image_config.aspect_ratio if config.image_config is not None else None
    beside = answer_media(model, config.response_modalities, ratio)
    return Request(
        model,
        messages,
        stream,
        config.max_output_tokens,
        tuple(config.stop_sequences) if config.stop_sequences else (),
        config.candidate_count or 1,
        config.seed,
        _logprobs(config) if config.response_logprobs or config.logprobs else None,
        _thinking(config.thinking_config) if config.thinking_config is not None else None,
        tools,
        tool_choice(wire.tool_config, tools) if wire.tool_config is not None else AUTO,
        _format(config),
        False,
        GeminiWire(media, beside),
        media=None if beside is None else beside.sizes,
    )


def _logprobs(config: GenerationConfig) -> int:
    if not config.response_logprobs:
        message = "Logprobs can only be given when response_logprobs is true."
        raise invalid(message, "generation_config.logprobs")
    return config.logprobs or 0


def _format(config: GenerationConfig) -> Format | None:
    kind, schema, json_schema = (
        config.response_mime_type,
        config.response_schema,
        config.response_json_schema,
    )
    if kind is None and schema is None and json_schema is None:
        return None
    return answer_format(kind, schema, json_schema)


def _thinking(config: ThinkingConfig) -> Thinking:
    visible = config.include_thoughts is True
    budget, level = config.thinking_budget, config.thinking_level
    where = "generation_config.thinking_config"
    if level is not None:
        if budget is not None:
            message = "You can only set only one of thinking budget and thinking level."
            raise invalid(message, where)
        if level.upper() not in LEVELS:
            known = ", ".join(LEVELS)
            message = f"Invalid value at '{where}.thinking_level', \"{level}\" (known: {known})"
            raise invalid(message, f"{where}.thinking_level")
        return Thinking(LEVELS[level.upper()], None, visible, True)
    if budget == 0:
        return Thinking("none", 0, visible)
    wanted = visible or budget is not None
    return Thinking(None, None if budget == AUTOMATIC else budget, visible, wanted)
