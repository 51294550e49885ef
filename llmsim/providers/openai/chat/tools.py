"""Chat completions: the tools offered, which of them to call, and the form of the answer
(``types.chat.chat_completion_tool_union_param``, ``types.shared.response_format_*``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from llmsim.core import AUTO, Format, Tool, ToolChoice
from llmsim.core.errors import invalid


class Function(Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Struct, tag="function", tag_field="type"):
    function: Function


class Custom(Struct):
    name: str
    description: str | None = None


class CustomTool(Struct, tag="custom", tag_field="type"):
    custom: Custom


WireTool = FunctionTool | CustomTool


class ToolName(Struct):
    name: str


class FunctionChoice(Struct, tag="function", tag_field="type"):
    function: ToolName


class CustomChoice(Struct, tag="custom", tag_field="type"):
    custom: ToolName


class AllowedTool(Struct):
    type: str = "function"
    function: ToolName | None = None
    custom: ToolName | None = None


class Allowed(Struct):
    mode: Literal["auto", "required"]
    tools: list[AllowedTool]


class AllowedChoice(Struct, tag="allowed_tools", tag_field="type"):
    allowed_tools: Allowed


WireToolChoice = Literal["none", "auto", "required"] | FunctionChoice | CustomChoice | AllowedChoice
LegacyChoice = Literal["none", "auto"] | ToolName


class TextFormat(Struct, tag="text", tag_field="type"):
    pass


class JsonFormat(Struct, tag="json_object", tag_field="type"):
    pass


class JsonSchema(Struct):
    name: str
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class SchemaFormat(Struct, tag="json_schema", tag_field="type"):
    json_schema: JsonSchema


ResponseFormat = TextFormat | JsonFormat | SchemaFormat


def offered_tools(
    wires: Sequence[WireTool] | None, functions: Sequence[Function] | None
) -> tuple[Tool, ...]:
    """The tools the model may call; ``functions`` is the legacy form of the parameter."""
    if wires is None and functions is None:
        return ()
    if wires is None:
        return tuple(_function(function) for function in functions or ())
    return tuple(
        _function(wire.function)
        if isinstance(wire, FunctionTool)
        else Tool(wire.custom.name, wire.custom.description or "", None, True)
        for wire in wires
    )


def _function(function: Function) -> Tool:
    return Tool(function.name, function.description or "", function.parameters)


def tool_choice(
    choice: WireToolChoice | None,
    function_call: LegacyChoice | None,
    parallel: bool | None,
    tools: Sequence[Tool],
) -> ToolChoice:
    """Which tools may or must be called. Raises BadRequest for one that is not offered."""
    side_by_side = parallel is not False
    names = {tool.name for tool in tools}
    match choice:
        case None:
            return _legacy_choice(function_call, names, side_by_side)
        case (
            FunctionChoice(function=ToolName(name=name)) | CustomChoice(custom=ToolName(name=name))
        ):
            return ToolChoice("required", (_known(name, names, "tool_choice"),), side_by_side)
        case AllowedChoice(allowed_tools=allowed):
            chosen = [tool.function or tool.custom for tool in allowed.tools]
            picked = tuple(_known(one.name, names, "tool_choice") for one in chosen if one)
            return ToolChoice(allowed.mode, picked, side_by_side)
        case _:
            return ToolChoice(choice, (), side_by_side)


def _legacy_choice(
    function_call: LegacyChoice | None, names: set[str], parallel: bool
) -> ToolChoice:
    """The same for ``function_call``, which calls one function at a time."""
    match function_call:
        case None:
            return AUTO if parallel else ToolChoice("auto", (), False)
        case ToolName(name=name):
            return ToolChoice("required", (_known(name, names, "function_call"),), False)
        case _:
            return ToolChoice(function_call, (), False)


def _known(name: str, names: set[str], param: str) -> str:
    if name not in names:
        message = f"Invalid value for '{param}': no tool named '{name}' is specified in 'tools'."
        raise invalid(message, param)
    return name


def answer_format(response_format: ResponseFormat | None) -> Format | None:
    """The form the answer must have; None for plain text."""
    match response_format:
        case None | TextFormat():
            return None
        case JsonFormat():
            return Format()
        case SchemaFormat(json_schema=json_schema):
            return Format(json_schema.schema)
