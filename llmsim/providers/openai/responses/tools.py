"""Responses: tools on offer, which to call, and the form of the answer's text
(``types.responses.tool``, ``tool_choice_*``, ``response_format_text_config``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from llmsim.core import AUTO, Format, ToolChoice
from llmsim.core import Tool as Offered
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers.openai.errors import refuse
from llmsim.providers.wire.decoding import malformed_body


class Function(Struct, tag="function", tag_field="type"):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Custom(Struct, tag="custom", tag_field="type"):
    name: str
    description: str | None = None


OURS: dict[str, type[Function] | type[Custom]] = {"function": Function, "custom": Custom}

# What the provider runs itself. These are accepted, and never called.
BUILT_IN = frozenset(
    (
        "apply_patch", "code_interpreter", "computer", "computer_use", "computer_use_preview",
        "file_search", "image_generation", "local_shell", "mcp", "namespace",
        "programmatic_tool_calling", "shell", "tool_search", "web_search",
        "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11",
    )
)  # fmt: skip


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


def tools(given: Sequence[dict[str, Any]] | None) -> tuple[Offered, ...]:
    """The tools on offer that clients run. Raises BadRequest for one of no known type."""
    offered: list[Offered] = []
    for place, described in enumerate(given or ()):
        where = f"tools[{place}]"
        kind = described.get("type")
        ours = OURS.get(kind) if isinstance(kind, str) else None
        if ours is not None:
            offered.append(_offered(described, ours, where))
        elif not isinstance(kind, str) or kind not in BUILT_IN:
            raise _unknown(kind, ["function", "custom", *sorted(BUILT_IN)], f"{where}.type")
    return tuple(offered)


def _offered(described: dict[str, Any], kind: type[Function | Custom], where: str) -> Offered:
    try:
        tool = msgspec.convert(described, kind)
    except msgspec.ValidationError as error:
        mistake = malformed_body(error)
        mistake.path = f"{where}.{mistake.path}" if mistake.path else where
        raise refuse(mistake) from None
    if isinstance(tool, Function):
        return Offered(tool.name, tool.description or "", tool.parameters)
    return Offered(tool.name, tool.description or "", None, True)


def echoed(given: Sequence[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """The tools as a response tells them: functions with all their members."""
    return [
        {"description": None, "parameters": None, "strict": True, **tool}
        if tool["type"] == "function"
        else tool
        for tool in given or ()
    ]


def choice(
    asked: str | dict[str, Any] | None, parallel: bool | None, offered: Sequence[Offered]
) -> ToolChoice:
    """Which tools may or must be called. Raises BadRequest for one that is not on offer."""
    side_by_side = parallel is not False
    match asked:
        case None:
            return AUTO if side_by_side else ToolChoice("auto", (), False)
        case "auto" | "none" | "required":
            return ToolChoice(asked, (), side_by_side)
        case {"type": "function" | "custom", "name": str(name)}:
            return ToolChoice("required", (_known(name, offered),), side_by_side)
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": list(allowed)}:
            picked = tuple(_known(name, offered) for name in _names(allowed))
            if not picked:
                return ToolChoice("none")
            return ToolChoice(mode, picked, side_by_side)
        case {"type": str(kind)} if kind in BUILT_IN:
            return ToolChoice("none")
    raise invalid("Invalid value for 'tool_choice'.", "tool_choice", "invalid_value")


def _names(allowed: Sequence[object]) -> list[str]:
    """The names of those tools that clients run."""
    return [
        name
        for tool in allowed
        if isinstance(tool, dict) and tool.get("type") in ("function", "custom")
        if isinstance(name := tool.get("name"), str)
    ]


def _known(name: str, offered: Sequence[Offered]) -> str:
    if all(tool.name != name for tool in offered):
        message = f"Tool choice '{name}' not found in 'tools' parameter."
        raise invalid(message, "tool_choice")
    return name


def _unknown(given: object, known: Sequence[str], where: str) -> BadRequest:
    if given is None:
        message = f"Missing required parameter: '{where}'."
        return invalid(message, where, "missing_required_parameter")
    names = ", ".join(f"'{name}'" for name in known)
    return invalid(
        f"Invalid value: '{given}'. Supported values are: {names}.", where, "invalid_value"
    )


def form(text: TextConfig | None) -> Format | None:
    """The form the answer must have; None for plain text."""
    match text.format if text is not None else None:
        case None | TextFormat():
            return None
        case JsonFormat():
            return Format()
        case SchemaFormat(schema=schema):
            return Format(schema)
