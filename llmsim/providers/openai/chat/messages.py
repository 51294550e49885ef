"""Chat completions: the messages of a request (``types.chat.chat_completion_message_param``)."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct


class TextPart(Struct, tag="text", tag_field="type"):
    text: str


class RefusalPart(Struct, tag="refusal", tag_field="type"):
    refusal: str


class ImageUrl(Struct):
    url: str
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Struct, tag="image_url", tag_field="type"):
    image_url: ImageUrl


class Audio(Struct):
    data: str
    format: str


class AudioPart(Struct, tag="input_audio", tag_field="type"):
    input_audio: Audio


class File(Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Struct, tag="file", tag_field="type"):
    file: File


Part = TextPart | RefusalPart | ImagePart | AudioPart | FilePart


class FunctionCall(Struct):
    name: str
    arguments: str


class CustomCall(Struct):
    name: str
    input: str


class WireToolCall(Struct):
    id: str
    type: Literal["function", "custom"] = "function"
    function: FunctionCall | None = None
    custom: CustomCall | None = None


class AudioBack(Struct):
    """An earlier answer that was said."""

    id: str


class WireMessage(Struct):
    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_call_id: str | None = None
    function_call: FunctionCall | None = None
    reasoning_content: Any = None
    audio: AudioBack | None = None
