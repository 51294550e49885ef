"""Responses: the tools that the provider defines (``types.responses.tool``), those that it runs
itself and those that it leaves to the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from llmsim.core import Canvas, Hosted, Paint, Schema, Tool
from llmsim.providers.openai.images.params import QUALITIES, size_of

BUILT_IN: Final = frozenset(
    (
        "apply_patch", "code_interpreter", "computer", "computer_use", "computer_use_preview",
        "file_search", "image_generation", "local_shell", "mcp", "namespace",
        "programmatic_tool_calling", "shell", "tool_search", "web_search",
        "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11",
    )
)  # fmt: skip
"""All their types. Namespaces, programs, searches for tools and shells in containers are accepted,
and never called."""

HOSTED: Final[dict[str, Hosted]] = {
    "code_interpreter": "code",
    "file_search": "file_search",
    "image_generation": "image",
    "mcp": "mcp",
    "web_search": "web_search",
}
MCP_TOOL: Final = "search"
"""What the tool of an MCP server is called whose tools are not named."""
APPROVAL: Final = "mcp_approval_request"
MOST_VERSIONS: Final = 3
FORMS: Final[dict[str, Literal["png", "jpeg", "webp"]]] = {"jpeg": "jpeg", "webp": "webp"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


_COMMANDS = ("ls -la", "pwd", "git status", "cat README.md")
_SCREENSHOT = _object(type={"const": "screenshot"})
_SHELL_COMMAND = [["bash", "-lc", one] for one in _COMMANDS]

CLIENT: Final[dict[str, tuple[str, Schema]]] = {
    "apply_patch": (
        "apply_patch_call",
        _object(
            operation=_object(
                type={"const": "create_file"},
                path={"enum": ["notes.txt", "docs/notes.md", "src/main.py"]},
                diff={"enum": ["+A first line.\n", '+print("Hello")\n']},
            )
        ),
    ),
    "computer": (
        "computer_call",
        _object(actions={"type": "array", "items": _SCREENSHOT, "minItems": 1, "maxItems": 1}),
    ),
    "computer_use_preview": ("computer_call", _object(action=_SCREENSHOT)),
    "local_shell": (
        "local_shell_call",
        _object(
            action=_object(type={"const": "exec"}, command={"enum": _SHELL_COMMAND}, env=_object())
        ),
    ),
    "shell": (
        "shell_call",
        _object(
            action=_object(
                commands={"enum": [[one] for one in _COMMANDS]},
                timeout_ms={"const": 10_000},
                max_output_length={"const": 4096},
            )
        ),
    ),
}
"""Tools that the client runs: the type of the item that calls them, and its members of its own."""

CALLS: Final[Mapping[str, str]] = {
    form: name for name, (form, _) in CLIENT.items() if name != "computer_use_preview"
}
"""What tool an item calls, by the item's type."""


def name_of(kind: str) -> str:
    """What a tool is called here that has several types."""
    if kind.startswith("web_search"):
        return "web_search"
    return "computer" if kind.startswith("computer") else kind


def tool(wire: Mapping[str, Any], approved: bool) -> Tool | None:
    """A tool that the provider defines; None for one that is never called. ``approved`` says that
    calls of MCP servers were, if they need to be."""
    kind: str = wire["type"]
    name = name_of(kind)
    if kind == "mcp":
        return _mcp(wire, approved)
    if name in HOSTED:
        return Tool(
            name, hosted=HOSTED[name], paint=_paint(wire) if name == "image_generation" else None
        )
    if kind == "shell" and _in_container(wire.get("environment")):
        return None
    found = CLIENT.get("computer" if kind == "computer_use" else kind)
    return None if found is None else Tool(name, "", found[1], form=found[0])


def _mcp(wire: Mapping[str, Any], approved: bool) -> Tool:
    label = str(wire.get("server_label", ""))
    if approved or wire.get("require_approval") == "never":
        return Tool(label, hosted="mcp")
    asked = _object(name={"const": mcp_tool(wire)}, arguments={"const": '{"query":"latest news"}'})
    return Tool(label, "", asked, form=APPROVAL)


def mcp_tool(wire: Mapping[str, Any]) -> str:
    """The tool of an MCP server that is called: the first of those allowed."""
    allowed = wire.get("allowed_tools")
    names = allowed.get("tool_names") if isinstance(allowed, dict) else allowed
    return str(names[0]) if isinstance(names, list) and names else MCP_TOOL


def of_label(wires: Sequence[Mapping[str, Any]] | None, label: str) -> Mapping[str, Any]:
    """The MCP server of that label."""
    found = (one for one in wires or () if one.get("server_label") == label)
    return next(found, {"server_label": label})


def of_type(wires: Sequence[Mapping[str, Any]] | None, kind: str) -> Mapping[str, Any]:
    """The first tool of that type."""
    return next((one for one in wires or () if one.get("type") == kind), {"type": kind})


def _in_container(environment: object) -> bool:
    return isinstance(environment, dict) and environment.get("type") != "local"


def _paint(wire: Mapping[str, Any]) -> Paint:
    """What pictures are to be like. Raises BadRequest for a size that there is not."""
    width, height = size_of(wire.get("size"))
    form = FORMS.get(str(wire.get("output_format")), "png")
    transparent = wire.get("background") == "transparent" and form != "jpeg"
    quality = QUALITIES.get(wire.get("quality"), "medium")
    partial = wire.get("partial_images")
    versions = min(partial, MOST_VERSIONS) if isinstance(partial, int) and partial > 0 else 0
    return Paint(Canvas(0, width, height, form, transparent), quality, versions)
