"""Chat completions: a request's messages in neutral terms."""

from __future__ import annotations

from llmsim.core import Image, Message, Role, ToolCall
from llmsim.core.conversation import Orphan, Unanswered, mismatch
from llmsim.core.errors import invalid
from llmsim.providers.openai.chat.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    ImageUrl,
    Part,
    RefusalPart,
    TextPart,
    WireMessage,
)
from llmsim.providers.wire import attachments

ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}

# Roles whose messages can neither make nor answer a call, unless they hold more than text.
_UNTRACKED: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}

# For audio and file parts: nobody publishes their token count, and its order of size is enough.
CHARACTERS_PER_TOKEN = 48
# For an answer that was said and is only referred to.
SAID_BEFORE = 100


def conversation(wires: list[WireMessage]) -> tuple[Message, ...]:
    """The messages in neutral terms. Raises BadRequest where they do not fit together."""
    messages = []
    tracked = False
    for place, wire in enumerate(wires):
        role = _UNTRACKED.get(wire.role)
        content = wire.content
        if (
            role is not None
            and type(content) is str
            and wire.tool_calls is None
            and wire.function_call is None
        ):
            messages.append(Message(role, content, wire.name))
        else:
            tracked = True
            messages.append(_message(place, wire))
    return _checked(tuple(messages)) if tracked else tuple(messages)


def _checked(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    match mismatch(messages):
        case Orphan(index=place):
            raise invalid(
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
                "message with 'tool_calls'.",
                f"messages.[{place}].role",
            )
        case Unanswered(ids=ids):
            raise invalid(
                "An assistant message with 'tool_calls' must be followed by tool messages "
                "responding to each 'tool_call_id'. The following tool_call_ids did not have "
                f"response messages: {', '.join(ids)}",
                "messages",
            )
        case None:
            return messages


def _message(place: int, wire: WireMessage) -> Message:
    content = wire.content
    if wire.tool_calls is None and wire.function_call is None and isinstance(content, str):
        return Message(ROLES[wire.role], content, wire.name, (), (), wire.tool_call_id)
    calls = tuple(_calls(place, wire))
    if content is None:
        if wire.role != "assistant":
            where = f"messages[{place}].content"
            raise invalid(
                f"Invalid type for '{where}': expected a string or array of objects, but got null "
                "instead.",
                where,
                "invalid_type",
            )
        if wire.audio is not None:
            mark = attachments.mark(wire.audio.id, 0)
            return Message("assistant", "", wire.name, (), calls, None, SAID_BEFORE, mark)
        return Message("assistant", "", wire.name, (), calls)
    if isinstance(content, str):
        return Message(ROLES[wire.role], content, wire.name, (), calls, wire.tool_call_id)
    text, images, extra, mark = _parts(content)
    role = ROLES[wire.role]
    return Message(role, text, wire.name, images, calls, wire.tool_call_id, extra, mark)


def _calls(place: int, wire: WireMessage) -> list[ToolCall]:
    calls = []
    for index, call in enumerate(wire.tool_calls or ()):
        if call.type == "function" and call.function is not None:
            calls.append(ToolCall(call.id, call.function.name, call.function.arguments))
        elif call.type == "custom" and call.custom is not None:
            calls.append(ToolCall(call.id, call.custom.name, call.custom.input, True))
        else:
            where = f"messages[{place}].tool_calls[{index}].{call.type}"
            raise invalid(
                f"Missing required parameter: '{where}'.", where, "missing_required_parameter"
            )
    if wire.function_call is not None:
        calls.append(ToolCall("", wire.function_call.name, wire.function_call.arguments))
    return calls


def _parts(parts: list[Part]) -> tuple[str, tuple[Image, ...], int, int]:
    texts: list[str] = []
    images: list[Image] = []
    extra = mark = 0
    for part in parts:
        match part:
            case TextPart(text=text) | RefusalPart(refusal=text):
                texts.append(text)
            case ImagePart(image_url=image):
                images.append(_image(image))
                mark = attachments.mark(image.url, mark)
            case AudioPart(input_audio=audio):
                extra += len(audio.data) // CHARACTERS_PER_TOKEN
                mark = attachments.mark(audio.data, mark)
            case FilePart(file=file):
                data = file.file_data or ""
                extra += len(data) // CHARACTERS_PER_TOKEN
                mark = attachments.mark(data or file.file_id or "", mark)
    return "".join(texts), tuple(images), extra, mark


def _image(image: ImageUrl) -> Image:
    detail = image.detail or "auto"
    if not image.url.startswith("data:image/"):
        return Image(detail)
    return Image(detail, *attachments.size(image.url.partition(",")[2]))
