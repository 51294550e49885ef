"""Anthropic Messages: the conversation of a request (``types.message_param``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from llmsim.core import Breakpoint, Image, Message, Role, ToolCall
from llmsim.core.codec import dumps
from llmsim.core.conversation import Orphan, Unanswered, mismatch
from llmsim.core.errors import invalid
from llmsim.providers.anthropic.messages.blocks import (
    BASE64_PER_TOKEN,
    CHARACTERS_PER_TOKEN,
    PAGE,
    AnyBlock,
    Base64Source,
    CacheControl,
    CompactionBlock,
    ContainerUploadBlock,
    ContentSource,
    DocumentBlock,
    FileSource,
    ImageBlock,
    Marker,
    RedactedThinkingBlock,
    Returned,
    SearchResultBlock,
    ServerResult,
    ServerToolUseBlock,
    TextBlock,
    TextSource,
    ThinkingBlock,
    ToolReferenceBlock,
    ToolResultBlock,
    ToolUseBlock,
    URLSource,
)
from llmsim.providers.wire import attachments


class WireMessage(Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[AnyBlock]


class Conversation:
    """The messages of a request in neutral terms, and where its prompt is to be cached.

    A wire message with tool results becomes a message for each of them, and one more for its
    other blocks.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.breakpoints: list[Breakpoint] = []
        self._wires: list[int] = []
        self._tracked = False

    def add_system(self, text: str | list[TextBlock]) -> None:
        """The system prompt, which comes first."""
        if isinstance(text, str):
            self._append(-1, Message("system", text))
        elif text:
            self._add(-1, "system", text)

    def add_messages(self, wires: Sequence[WireMessage]) -> None:
        """All messages in their order. Raises BadRequest where they do not fit together."""
        for place, wire in enumerate(wires):
            content = wire.content
            if not content and (wire.role != "assistant" or place < len(wires) - 1):
                raise invalid(
                    f"messages.{place}: all messages must have non-empty content except for the "
                    "optional final assistant message",
                    f"messages.{place}",
                )
            if isinstance(content, str):
                self._append(place, Message(wire.role, content))
            else:
                self._add(place, wire.role, content)
        if self._tracked:
            self._check(wires)

    def add_breakpoint(self, control: CacheControl, end: int | None = None) -> None:
        """Cache the prompt up to the last message so far, or to ``end`` characters of it."""
        self.breakpoints.append(Breakpoint(len(self.messages) - 1, end, control.seconds))

    def _append(self, place: int, message: Message) -> None:
        self.messages.append(message)
        self._wires.append(place)

    def _add(self, place: int, role: Role, blocks: Sequence[AnyBlock]) -> None:
        builder = _MessageBuilder()
        controls: list[tuple[CacheControl, int]] = []
        for block in blocks:
            if isinstance(block, ToolResultBlock):
                self._result(place, block)
                continue
            builder.add(block)
            if block.cache_control is not None:
                controls.append((block.cache_control, builder.length))
        if builder.has_content or role == "assistant":
            self._append(place, builder.message(role))
            self._tracked |= bool(builder.calls)
        for control, end in controls:
            self.add_breakpoint(control, None if blocks[-1].cache_control is control else end)

    def _result(self, place: int, block: ToolResultBlock) -> None:
        builder = _MessageBuilder()
        if isinstance(block.content, str):
            builder.add_text(block.content)
        else:
            for part in block.content or ():
                builder.add(part)
        self._append(place, builder.message("tool", block.tool_use_id))
        self._tracked = True
        if block.cache_control is not None:
            self.add_breakpoint(block.cache_control)

    def _check(self, wires: Sequence[WireMessage]) -> None:
        match mismatch(self.messages):
            case Orphan(index=place, id=wanted):
                wire = self._wires[place]
                where = f"messages.{wire}.content.{_place_of(wanted, wires[wire].content)}"
                raise invalid(
                    f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {wanted}. "
                    "Each `tool_result` block must have a corresponding `tool_use` block in the "
                    "previous message.",
                    where,
                )
            case Unanswered(index=place, ids=ids):
                where = f"messages.{self._wires[place]}"
                raise invalid(
                    f"{where}: `tool_use` ids were found without `tool_result` blocks immediately "
                    f"after: {', '.join(ids)}. Each `tool_use` block must have a corresponding "
                    "`tool_result` block in the next message.",
                    where,
                )


def _place_of(wanted: str, blocks: str | list[AnyBlock]) -> int:
    """The index of the block with the result of that call."""
    return next(
        place
        for place, block in enumerate(blocks)
        if isinstance(block, ToolResultBlock) and block.tool_use_id == wanted
    )


class _MessageBuilder:
    """Builds one message, block by block."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.length = 0
        self.images: list[Image] = []
        self.calls: list[ToolCall] = []
        self.extra = 0
        self.mark = 0

    @property
    def has_content(self) -> bool:
        return bool(self.texts or self.images or self.calls or self.extra)

    def message(self, role: Role, answers: str | None = None) -> Message:
        text = self.texts[0] if len(self.texts) == 1 else "".join(self.texts)
        images, calls = tuple(self.images), tuple(self.calls)
        return Message(role, text, None, images, calls, answers, self.extra, self.mark)

    def add_text(self, text: str) -> None:
        self.texts.append(text)
        self.length += len(text)

    def add(self, block: AnyBlock | Returned) -> None:
        match block:
            case TextBlock(text=text) | ToolReferenceBlock(tool_name=text):
                self.add_text(text)
            case ImageBlock(source=source):
                self._image(source)
            case DocumentBlock():
                self._document(block)
            case SearchResultBlock():
                for text in (block.title, block.source, *(part.text for part in block.content)):
                    self.add_text(text)
            case ToolUseBlock(id=name, name=tool, input=arguments):
                self.calls.append(ToolCall(name, tool, dumps(arguments).decode()))
            case ServerToolUseBlock(name=tool, input=arguments):
                self._other(tool + dumps(arguments).decode())
            case ServerResult(content=content):
                self._other(bytes(content).decode())
            case CompactionBlock(content=content):
                self.add_text(content or "")
            case ContainerUploadBlock(file_id=name):
                self.mark = attachments.mark(name, self.mark)
            case ThinkingBlock() | RedactedThinkingBlock() | ToolResultBlock() | Marker():
                # The service takes the thoughts of earlier turns out of the prompt.
                pass

    def _image(self, source: Base64Source | URLSource | FileSource) -> None:
        size = attachments.UNKNOWN
        if isinstance(source, Base64Source):
            size = attachments.size(source.data)
        self.images.append(Image("auto", *size, "area"))
        self.mark = attachments.mark(_content(source), self.mark)

    def _document(self, block: DocumentBlock) -> None:
        for text in (block.title, block.context):
            if text is not None:
                self.add_text(text)
        match block.source:
            case TextSource(data=text) | ContentSource(content=str() as text):
                self.add_text(text)
            case ContentSource(content=list() as parts):
                for part in parts:
                    self.add(part)
            case Base64Source(data=data) as source:
                self._file(source, max(PAGE, len(data) // BASE64_PER_TOKEN))
            case URLSource() | FileSource() as source:
                self._file(source, PAGE)

    def _file(self, source: Base64Source | URLSource | FileSource, tokens: int) -> None:
        self.extra += tokens
        self.mark = attachments.mark(_content(source), self.mark)

    def _other(self, text: str) -> None:
        self.extra += len(text) // CHARACTERS_PER_TOKEN
        self.mark = attachments.mark(text, self.mark)


def _content(source: Base64Source | URLSource | FileSource) -> str:
    """The part of a source that sets it apart from any other."""
    match source:
        case Base64Source(data=data):
            return data
        case URLSource(url=url):
            return url
        case FileSource(file_id=name):
            return name
