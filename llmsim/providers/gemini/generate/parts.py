"""Gemini: contents and their parts (``Content`` and ``Part`` of google-genai 3.4's types)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from llmsim.providers.gemini.generate.media import Blob, FileData


class FunctionCall(Struct):
    name: str
    args: dict[str, Any] | None = None
    id: str | None = None


class FunctionResponse(Struct):
    name: str
    response: dict[str, Any] | None = None
    id: str | None = None


class ExecutableCode(Struct):
    code: str = ""


class CodeExecutionResult(Struct):
    output: str | None = None


class Part(Struct, rename="camel", gc=False):
    text: str | None = None
    thought: bool | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    executable_code: ExecutableCode | None = None
    code_execution_result: CodeExecutionResult | None = None
    thought_signature: str | None = None
    tool_call: Any = None
    tool_response: Any = None


class Content(Struct, gc=False):
    """``parts`` may be one part, and a part may be just its text."""

    parts: str | Part | list[str | Part] | None = None
    role: str | None = None


Contents: TypeAlias = str | Content | list[str | Content]


class TextPart(Struct, gc=False, forbid_unknown_fields=True):
    """A part that is only text."""

    text: str


class TextContent(Struct, gc=False, forbid_unknown_fields=True):
    """A content that is only text, as most are. It is quicker to read."""

    parts: Annotated[list[TextPart], Meta(min_length=1)]
    role: Literal["user", "model"] | None = None
