"""Responses: the items of a request's input (``types.responses.ResponseInputItem``).

All kinds of items are read as one type: a response's output comes back as the next request's
input, and most kinds share their fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from llmsim.core import Image, Message, Role, ToolCall
from llmsim.core.codec import dumps
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers.openai.responses import built_in
from llmsim.providers.openai.responses.encrypted_content import decrypted
from llmsim.providers.wire import attachments

# For audio and file parts: nobody publishes their token count, and its order of size is enough.
CHARACTERS_PER_TOKEN = 48

ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}


class InputAudio(Struct):
    data: str
    format: str = ""


class Part(Struct):
    """A part of a message or of a tool's output, of any kind."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    stdout: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    input_audio: InputAudio | None = None


class Item(Struct):
    """An item of any kind. Fields that no simulated answer depends on are not read."""

    type: str | None = None
    id: str | None = None
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: Any = None
    input: Any = None
    output: str | list[Part] | dict[str, Any] | None = None
    encrypted_content: str | None = None
    action: Any = None
    actions: Any = None
    operation: Any = None
    approval_request_id: str | None = None
    approve: bool | None = None

    @property
    def called(self) -> str:
        """The id of the call that it is or answers."""
        named = self.call_id or (self.id if self.type == "local_shell_call_output" else None)
        return named or ""

    @property
    def kind(self) -> str:
        """The type; messages and references may leave it out."""
        return self.type or ("message" if self.role is not None else "item_reference")

    @property
    def plain(self) -> bool:
        """Whether it is a message with all it must have, as most items are."""
        return (
            self.role is not None
            and self.content is not None
            and (self.type is None or self.type == "message")
        )


# The fields that each kind must have. The tools that the provider runs itself are not simulated,
# so their items are accepted as they are.
REQUIRED: dict[str, tuple[str, ...]] = {
    "message": ("role", "content"),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("output",),
    "custom_tool_call": ("call_id", "name", "input"),
    "custom_tool_call_output": ("call_id", "output"),
    "item_reference": ("id",),
    "reasoning": (),
    "compaction": ("encrypted_content",),
    **dict.fromkeys(
        (
            "additional_tools", "apply_patch_call", "apply_patch_call_output",
            "code_interpreter_call", "compaction_trigger", "computer_call",
            "computer_call_output", "configuration_update", "file_search_call",
            "image_generation_call", "local_shell_call", "local_shell_call_output",
            "mcp_approval_request", "mcp_approval_response", "mcp_call", "mcp_list_tools",
            "program", "program_output", "shell_call", "shell_call_output", "tool_search_call",
            "tool_search_output", "web_search_call",
        ),
        (),
    ),
}  # fmt: skip
CALLS = {"function_call": "function call", "custom_tool_call": "custom tool call"}
BUILT_IN_CALLS = {kind: kind.replace("_", " ") for kind in built_in.CALLS}
"""Calls of tools that the provider defines and the client runs."""


def _outputs(calls: Mapping[str, str]) -> dict[str, str]:
    """The kinds of items that answer such calls."""
    return {f"{kind}_output": what for kind, what in calls.items()}


OUTPUTS = _outputs(CALLS)
ANY_CALLS = CALLS | BUILT_IN_CALLS
ANY_OUTPUTS = _outputs(ANY_CALLS)


def items(sent: str | Sequence[Item] | None) -> list[Item]:
    """The input as items. Raises BadRequest for one that is malformed."""
    if sent is None:
        return []
    if isinstance(sent, str):
        return [Item("message", None, "user", sent)]
    for place, item in enumerate(sent):
        if not item.plain:
            _check(item, f"input[{place}]")
    return list(sent)


def _check(item: Item, where: str) -> None:
    required = REQUIRED.get(item.kind)
    if required is None:
        known = ", ".join(f"'{kind}'" for kind in sorted(REQUIRED))
        message = f"Invalid value: '{item.kind}'. Supported values are: {known}."
        raise invalid(message, f"{where}.type", "invalid_value")
    for field in required:
        value = getattr(item, field)
        if value is None:
            path = f"{where}.{field}"
            raise invalid(
                f"Missing required parameter: '{path}'.", path, "missing_required_parameter"
            )
        if field in ("arguments", "input") and not isinstance(value, str):
            path = f"{where}.{field}"
            message = (
                f"Invalid type for '{path}': expected a string, but got {_type(value)} instead."
            )
            raise invalid(message, path, "invalid_type")


def _type(value: object) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case bool():
            return "a boolean"
    return "a number"


def mismatch(
    items: Iterable[Item], calls: Mapping[str, str] = CALLS, outputs: Mapping[str, str] = OUTPUTS
) -> BadRequest | None:
    """The first call without its output, or output without its call; None if all fit. Those of
    built-in tools are looked at by strict validation only."""
    waiting: dict[str, str] = {}
    called: set[str] = set()
    for item in items:
        name = item.called
        if not name:
            continue
        kind = item.kind
        if kind in calls:
            waiting[name] = calls[kind]
            called.add(name)
        elif kind in outputs:
            if name not in called:
                message = f"No tool call found for {outputs[kind]} output with call_id {name}."
                return invalid(message, "input")
            waiting.pop(name, None)
    for name, what in waiting.items():
        return invalid(f"No tool output found for {what} {name}.", "input")
    return None


def messages(instructions: str | None, items: Iterable[Item]) -> tuple[Message, ...]:
    """The conversation in neutral terms; successive calls become one message."""
    made = [Message("system", instructions)] if instructions is not None else []
    calls: list[ToolCall] = []
    for item in items:
        if not calls and item.plain and type(item.content) is str:
            made.append(Message(ROLES[item.role or "user"], item.content))
            continue
        kind = item.kind
        if kind == "reasoning":
            continue
        if kind in ANY_CALLS:
            calls.append(_call(item, kind))
            continue
        if calls:
            made.append(Message("assistant", "", None, (), tuple(calls)))
            calls = []
        if kind == "message":
            made.append(_message(ROLES[item.role or "user"], item.content or "", None))
        elif kind == "compaction":
            made.append(Message("assistant", decrypted(item.encrypted_content or "")))
        elif kind in ANY_OUTPUTS:
            made.append(_message("tool", _output(item.output), item.called or None))
    if calls:
        made.append(Message("assistant", "", None, (), tuple(calls)))
    return tuple(made)


def _call(item: Item, kind: str) -> ToolCall:
    if kind in built_in.CALLS:
        own = {"action": item.action, "actions": item.actions, "operation": item.operation}
        text = dumps({name: value for name, value in own.items() if value is not None}).decode()
        return ToolCall(item.called, built_in.CALLS[kind], text)
    custom = kind == "custom_tool_call"
    return ToolCall(item.called, item.name or "", item.input if custom else item.arguments, custom)


def _output(output: str | list[Part] | dict[str, Any] | None) -> str | list[Part]:
    """What a tool gave; a computer's is its screen."""
    if not isinstance(output, dict):
        return output or ""
    url, file = output.get("image_url"), output.get("file_id")
    return [Part("input_image", image_url=url, file_id=file)]


def _message(role: Role, content: str | list[Part], answers: str | None) -> Message:
    if isinstance(content, str):
        return Message(role, content, None, (), (), answers)
    texts: list[str] = []
    images: list[Image] = []
    extra = mark = 0
    for part in content:
        if part.text is not None or part.refusal is not None or part.stdout is not None:
            texts.append(part.text or part.refusal or part.stdout or "")
        elif part.type == "input_image":
            images.append(_image(part))
            mark = attachments.mark(part.image_url or part.file_id or "", mark)
        else:
            data = part.input_audio.data if part.input_audio else part.file_data or ""
            extra += len(data) // CHARACTERS_PER_TOKEN
            mark = attachments.mark(data or part.file_id or part.file_url or "", mark)
    return Message(role, "".join(texts), None, tuple(images), (), answers, extra, mark)


def _image(part: Part) -> Image:
    detail = part.detail or "auto"
    if part.image_url is None or not part.image_url.startswith("data:image/"):
        return Image(detail)
    return Image(detail, *attachments.size(part.image_url.partition(",")[2]))
