"""Anthropic Messages: the tools offered and which of them to call (``types.tool_union_param``,
``types.tool_choice_param``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from llmsim.core import AUTO, Hosted, Schema, Tool, ToolChoice
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers.anthropic.messages.blocks import CacheControl

T = TypeVar("T")


class WireTool(Struct):
    """A client's own tool, or by its ``type`` one that Anthropic defines."""

    name: str | None = None
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    cache_control: CacheControl | None = None


class AutoChoice(Struct, tag="auto", tag_field="type"):
    disable_parallel_tool_use: bool = False


class AnyChoice(Struct, tag="any", tag_field="type"):
    disable_parallel_tool_use: bool = False


class OneChoice(Struct, tag="tool", tag_field="type"):
    name: str
    disable_parallel_tool_use: bool = False


class NoChoice(Struct, tag="none", tag_field="type"):
    pass


WireToolChoice = AutoChoice | AnyChoice | OneChoice | NoChoice


def _commands(*names: str, **others: Schema) -> Schema:
    properties = {"command": {"type": "string", "enum": list(names)}, **others}
    return {"type": "object", "properties": properties, "required": list(properties)}


# The tools that Anthropic defines and the client runs, by the beginning of their type, with the
# arguments a model is most likely to call them with.
DEFINED: dict[str, Schema] = {
    "bash_": {
        "type": "object",
        "properties": {"command": {"type": "string"}},
        "required": ["command"],
    },
    "text_editor_": _commands("view", path={"type": "string"}),
    "memory_": _commands("view", path={"type": "string", "const": "/memories"}),
    "computer_2": {
        "type": "object",
        "properties": {"action": {"type": "string", "enum": ["screenshot"]}},
        "required": ["action"],
    },
}

# Families of tools without a name of their own, by the beginning of their type: what the family
# is called, and its member that a model is most likely to begin with.
TOOLSETS: dict[str, tuple[str, str]] = {
    "computer_toolset_": ("computer", "screenshot"),
    "browser_toolset_": ("browser", "list_tabs"),
}


def _one(name: str) -> Schema:
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


# The tools that run at the service, by the beginning of their type: what they do, and how they are
# called. Any others (MCP, tool search, the advisor) are never called.
HOSTED: dict[str, tuple[Hosted, Schema]] = {
    "web_search_": ("web_search", _one("query")),
    "web_fetch_": ("web_fetch", _one("url")),
    "code_execution_20250522": ("code", _one("code")),
    "code_execution_": ("code", _one("command")),
}


def offered_tools(wires: Sequence[WireTool]) -> tuple[Tool, ...]:
    """The tools that may be called. Raises BadRequest."""
    tools: list[Tool] = []
    for place, wire in enumerate(wires):
        schema = None if wire.input_schema is None else _repaired(wire.input_schema)
        hosted: Hosted | None = None
        if wire.type is not None and (family := _of_type(TOOLSETS, wire.type)) is not None:
            toolset, member = family
            tools.append(Tool(member, schema={"type": "object"}, form=toolset))
            continue
        if wire.type is not None and wire.type != "custom":
            schema = _of_type(DEFINED, wire.type)
            if schema is None:
                hosted, schema = _of_type(HOSTED, wire.type) or (None, None)
            if schema is None:
                continue
        elif schema is None:
            raise _missing(f"tools.{place}.custom.input_schema")
        if wire.name is None:
            raise _missing(f"tools.{place}.custom.name")
        tools.append(Tool(wire.name, wire.description or "", schema, hosted=hosted))
    if len({tool.name for tool in tools}) < len(tools):
        raise invalid("tools: Tool names must be unique.", "tools")
    return tuple(tools)


def _of_type(known: Mapping[str, T], kind: str) -> T | None:
    return next((known[one] for one in known if kind.startswith(one)), None)


def malformed_properties(schema: dict[str, Any]) -> list[str]:
    """The properties of a schema that have no schema themselves, but a value of another type."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return []
    return [name for name, one in properties.items() if not isinstance(one, dict | bool)]


def _repaired(schema: dict[str, Any]) -> Schema:
    """The schema, with any value allowed for its malformed properties."""
    malformed = malformed_properties(schema)
    if not malformed:
        return schema
    return schema | {"properties": schema["properties"] | dict.fromkeys(malformed, True)}


def _missing(where: str) -> BadRequest:
    return invalid(f"{where}: Field required", where)


def tool_choice(choice: WireToolChoice | None, tools: Sequence[Tool]) -> ToolChoice:
    """Which tools may or must be called. Raises BadRequest for one that is not offered."""
    match choice:
        case None | AutoChoice(disable_parallel_tool_use=False):
            return AUTO
        case AutoChoice():
            return ToolChoice("auto", (), False)
        case AnyChoice(disable_parallel_tool_use=alone):
            return ToolChoice("required", (), not alone)
        case OneChoice(name=name, disable_parallel_tool_use=alone):
            if all(tool.name != name for tool in tools):
                raise invalid(
                    f"tool_choice: Tool '{name}' not found in provided tools", "tool_choice"
                )
            return ToolChoice("required", (name,), not alone)
        case NoChoice():
            return ToolChoice("none")
