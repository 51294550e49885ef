"""Responses: the tools offered, which of them to call, and the form of the answer's text
(``types.responses.tool``, ``tool_choice_*``, ``response_format_text_config``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from llmsim.core import AUTO, Format, Tool, ToolChoice
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers.openai.errors import refuse
from llmsim.providers.openai.responses import built_in
from llmsim.providers.openai.responses.built_in import BUILT_IN
from llmsim.providers.wire.decoding import malformed_body


class Function(Struct, tag="function", tag_field="type"):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Custom(Struct, tag="custom", tag_field="type"):
    name: str
    description: str | None = None


CLIENT_TOOLS: dict[str, type[Function] | type[Custom]] = {"function": Function, "custom": Custom}


class TextFormat(Struct, tag="text", tag_field="type"):
    pass


class JsonFormat(Struct, tag="json_object", tag_field="type"):
    pass


class SchemaFormat(Struct, tag="json_schema", tag_field="type", omit_defaults=True):
    name: str
    schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


class TextConfig(Struct):
    format: TextFormat | JsonFormat | SchemaFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


def offered_tools(
    wires: Sequence[dict[str, Any]] | None, approved: bool = False
) -> tuple[Tool, ...]:
    """The tools that may be called; ``approved`` says that calls of MCP servers were. Raises
    BadRequest for one of no known type."""
    tools: list[Tool] = []
    for place, wire in enumerate(wires or ()):
        where = f"tools[{place}]"
        kind = wire.get("type")
        wire_type = CLIENT_TOOLS.get(kind) if isinstance(kind, str) else None
        if wire_type is not None:
            tools.append(_tool(wire, wire_type, where))
        elif isinstance(kind, str) and kind in BUILT_IN:
            if (defined := built_in.tool(wire, approved)) is not None:
                tools.append(defined)
        else:
            raise _unknown(kind, ["function", "custom", *sorted(BUILT_IN)], f"{where}.type")
    return tuple(tools)


def _tool(wire: dict[str, Any], kind: type[Function | Custom], where: str) -> Tool:
    try:
        tool = msgspec.convert(wire, kind)
    except msgspec.ValidationError as error:
        mistake = malformed_body(error)
        mistake.path = f"{where}.{mistake.path}" if mistake.path else where
        raise refuse(mistake) from None
    if isinstance(tool, Function):
        return Tool(tool.name, tool.description or "", tool.parameters)
    return Tool(tool.name, tool.description or "", None, True)


def echoed_tools(wires: Sequence[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """The tools as the response object echoes them: functions with all their members."""
    return [
        {"description": None, "parameters": None, "strict": True, **tool}
        if tool["type"] == "function"
        else tool
        for tool in wires or ()
    ]


def tool_choice(
    choice: str | dict[str, Any] | None, parallel: bool | None, tools: Sequence[Tool]
) -> ToolChoice:
    """Which tools may or must be called. Raises BadRequest for one that is not offered."""
    side_by_side = parallel is not False
    match choice:
        case None:
            return AUTO if side_by_side else ToolChoice("auto", (), False)
        case "auto" | "none" | "required":
            return ToolChoice(choice, (), side_by_side)
        case {"type": "function" | "custom", "name": str(name)}:
            return ToolChoice("required", (_known(name, tools),), side_by_side)
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": list(allowed)}:
            picked = _picked(allowed, tools)
            if not picked:
                return ToolChoice("none")
            return ToolChoice(mode, picked, side_by_side)
        case {"type": str(kind)} if kind in BUILT_IN:
            return _defined(_name(kind, choice), tools, side_by_side)
    raise invalid("Invalid value for 'tool_choice'.", "tool_choice", "invalid_value")


def _defined(name: str, tools: Sequence[Tool], parallel: bool) -> ToolChoice:
    """The choice of a tool that the provider defines; one that is never called is none."""
    if any(tool.name == name for tool in tools):
        return ToolChoice("required", (name,), parallel)
    return ToolChoice("none")


def _name(kind: str, choice: object) -> str:
    """What a tool that the provider defines is called here."""
    match choice:
        case {"type": "mcp", "server_label": str(label)}:
            return label
        case _:
            return built_in.name_of(kind)


def _picked(allowed: Sequence[object], tools: Sequence[Tool]) -> tuple[str, ...]:
    """The names of the tools allowed. Raises BadRequest for one of the client's that is not
    offered."""
    offered = {tool.name for tool in tools}
    picked: list[str] = []
    for one in allowed:
        match one:
            case {"type": "function" | "custom", "name": str(name)}:
                picked.append(_known(name, tools))
            case {"type": str(kind)} if kind in BUILT_IN and _name(kind, one) in offered:
                picked.append(_name(kind, one))
    return tuple(picked)


def _known(name: str, tools: Sequence[Tool]) -> str:
    if all(tool.name != name for tool in tools):
        message = f"Tool choice '{name}' not found in 'tools' parameter."
        raise invalid(message, "tool_choice")
    return name


def _unknown(kind: object, known: Sequence[str], where: str) -> BadRequest:
    if kind is None:
        message = f"Missing required parameter: '{where}'."
        return invalid(message, where, "missing_required_parameter")
    names = ", ".join(f"'{name}'" for name in known)
    return invalid(
        f"Invalid value: '{kind}'. Supported values are: {names}.", where, "invalid_value"
    )


def answer_format(text: TextConfig | None) -> Format | None:
    """The form the answer must have; None for plain text."""
    match text.format if text is not None else None:
        case None | TextFormat():
            return None
        case JsonFormat():
            return Format()
        case SchemaFormat(schema=schema):
            return Format(schema)
