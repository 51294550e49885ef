"""Gemini: the functions offered, which of them to call, and the form of the answer (``Tool``,
``ToolConfig`` and ``GenerationConfig`` of google-genai 3.4's types)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from llmsim.core import AUTO, Format, Hosted, Tool, ToolChoice
from llmsim.core.errors import invalid

MODES: dict[str, Literal["auto", "none", "required"]] = {
    "MODE_UNSPECIFIED": "auto",
    "AUTO": "auto",
    "VALIDATED": "auto",
    "ANY": "required",
    "NONE": "none",
}
# The modes that take allowed_function_names.
_RESTRICTED = ("ANY", "VALIDATED")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")

JSON = "application/json"
ENUM = "text/x.enum"
TEXT = "text/plain"


class FunctionDeclaration(Struct, rename="camel"):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: Any = None


class WireTool(Struct, rename="camel"):
    """Functions, and Google's own tools. Maps and MCP servers are ignored."""

    function_declarations: list[FunctionDeclaration] | None = None
    google_search: Any = None
    google_search_retrieval: Any = None
    enterprise_web_search: Any = None
    url_context: Any = None
    code_execution: Any = None
    file_search: Any = None
    computer_use: Any = None


HOSTED: tuple[tuple[str, Hosted], ...] = (
    ("google_search", "web_search"),
    ("google_search_retrieval", "web_search"),
    ("enterprise_web_search", "web_search"),
    ("url_context", "web_fetch"),
    ("code_execution", "code"),
    ("file_search", "file_search"),
)
"""The tools that the service runs itself, and what they do."""

COMPUTER = Tool("open_web_browser")
"""What a model that may use a computer begins with."""


class FunctionCallingConfig(Struct, rename="camel"):
    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(Struct, rename="camel"):
    function_calling_config: FunctionCallingConfig | None = None


def offered_tools(wires: Sequence[WireTool]) -> tuple[Tool, ...]:
    """The functions offered, and the tools of the service's own. Raises BadRequest for a function
    that cannot be declared so."""
    tools: list[Tool] = []
    for place, wire in enumerate(wires):
        where = f"tools[{place}].function_declarations"
        for index, declared in enumerate(wire.function_declarations or ()):
            tools.append(_tool(declared, f"{where}[{index}]"))
        tools += [
            Tool(name, hosted=hosted) for name, hosted in HOSTED if getattr(wire, name) is not None
        ]
        if wire.computer_use is not None:
            tools.append(COMPUTER)
    return tuple(tools)


def _tool(declared: FunctionDeclaration, where: str) -> Tool:
    if _NAME.fullmatch(declared.name) is None:
        raise invalid(
            f"* GenerateContentRequest.{where}.name: Invalid function name. Must start with a "
            "letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots "
            "(.), colons (:), or dashes (-), with a maximum length of 128.",
            f"{where}.name",
        )
    schema, field = declared.parameters, "parameters"
    if declared.parameters_json_schema is not None:
        schema, field = declared.parameters_json_schema, "parameters_json_schema"
    if schema is not None and not _is_object(schema):
        raise invalid(
            f"* GenerateContentRequest.{where}.{field}: {field} schema should be of type OBJECT",
            f"{where}.{field}",
        )
    return Tool(declared.name, declared.description or "", schema)


def _is_object(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    kind = schema.get("type", "object")
    return isinstance(kind, str) and kind.lower() in ("object", "type_unspecified")


def tool_choice(config: ToolConfig | None, tools: Sequence[Tool]) -> ToolChoice:
    """Which functions may or must be called. Raises BadRequest for one that is not offered."""
    calling = config.function_calling_config if config is not None else None
    if calling is None:
        return AUTO
    where = "tool_config.function_calling_config"
    name = (calling.mode or "AUTO").upper()
    mode = MODES.get(name)
    if mode is None:
        raise invalid(
            f"Invalid value at '{where}.mode' (type.googleapis.com/google.ai.generativelanguage."
            f'v1beta.FunctionCallingConfig.Mode), "{calling.mode}"',
            f"{where}.mode",
        )
    names = tuple(calling.allowed_function_names or ())
    if names and name not in _RESTRICTED:
        message = "Allowed function names can only be set with calling mode ANY or VALIDATED."
        raise invalid(message, f"{where}.allowed_function_names")
    known = {tool.name for tool in tools}
    for name in names:
        if name not in known:
            message = f"Allowed function name '{name}' is not one of the declared functions."
            raise invalid(message, f"{where}.allowed_function_names")
    return ToolChoice(mode, names)


def answer_format(
    mime_type: str | None, schema: dict[str, Any] | None, json_schema: Any
) -> Format | None:
    """The form the answer must have; None for plain text. Raises BadRequest for one that the
    API does not know."""
    answer_schema = schema if json_schema is None else json_schema
    match mime_type or (JSON if answer_schema is not None else TEXT):
        case "application/json":
            return Format(answer_schema)
        case "text/x.enum":
            return Format(answer_schema, bare=True)
        case "text/plain" if answer_schema is None:
            return None
        case "text/plain":
            message = "Schema can only be given when response_mime_type is application/json."
            raise invalid(message, "generation_config.response_schema")
        case _:
            where = "generation_config.response_mime_type"
            raise invalid(
                f"* GenerateContentRequest.{where}: allowed mimetypes are `{TEXT}`, `{JSON}` and "
                f"`{ENUM}`.",
                where,
            )
