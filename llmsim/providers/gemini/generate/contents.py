"""Gemini: the contents of a request as messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from llmsim.core import Message, ToolCall
from llmsim.core.codec import dumps
from llmsim.core.conversation import Orphan, Unanswered, mismatch
from llmsim.core.errors import invalid
from llmsim.providers.gemini.generate.media import Medium, Modality, inline_medium, linked_medium
from llmsim.providers.gemini.generate.parts import (
    Content,
    Contents,
    FunctionCall,
    FunctionResponse,
    Part,
    TextContent,
)
from llmsim.providers.wire import attachments

ROLES = {None: "user", "": "user", "user": "user", "model": "model", "function": "user"}

LONE_RESPONSE = (
    "Please ensure that function response turn comes immediately after a function call turn."
)
MISCOUNTED = (
    "Please ensure that the number of function response parts is equal to the number of function "
    "call parts of the function call turn."
)
CALLED_BY_USER = (
    "Please ensure that function call turn comes immediately after a user turn or after a "
    "function response turn."
)


Media: TypeAlias = dict[Modality, int]
"""Prompt tokens of media, by modality."""


def read(
    contents: Contents | list[TextContent], system: str | Content | None
) -> tuple[tuple[Message, ...], Media]:
    """The conversation in neutral terms, and the media in it.

    Raises BadRequest where it does not fit together.
    """
    reader = _Reader()
    messages = reader.messages
    if system is not None:
        messages.append(Message("system", texts(system)))
    listed: Sequence[str | Content | TextContent]
    listed = contents if isinstance(contents, list) else [contents]
    if not listed:
        raise invalid("* GenerateContentRequest.contents: contents is not specified", "contents")
    before: str | None = None
    for place, content in enumerate(listed):
        if type(content) is TextContent:
            role, parts = content.role, content.parts
            text = parts[0].text if len(parts) == 1 else "".join([part.text for part in parts])
            if role != "model":
                messages.append(Message("user", text))
            elif before != "model":
                messages.append(Message("assistant", text))
            else:
                messages[-1] = Message("assistant", messages[-1].text + text)
            before = role
        elif isinstance(content, Content):
            reader.add(place, content)
        elif isinstance(content, str):
            messages.append(Message("user", content))
    if reader.tracked:
        _check(messages)
    return tuple(messages), reader.media


def texts(content: str | Content) -> str:
    """All the text of a content."""
    if isinstance(content, str):
        return content
    return "".join(
        part if isinstance(part, str) else part.text or "" for part in _parts(content.parts)
    )


def _parts(parts: str | Part | list[str | Part] | None) -> Sequence[str | Part]:
    if parts is None:
        return ()
    return parts if isinstance(parts, list) else [parts]


def _check(messages: list[Message]) -> None:
    match mismatch(messages):
        case Orphan():
            raise invalid(LONE_RESPONSE)
        case Unanswered():
            raise invalid(MISCOUNTED)


class _Reader:
    """Reads one content after another into messages.

    Successive contents of the model, as from clients that keep the chunks of a stream, become one
    message. Calls without an id get one, and so do the responses to them: a response without an
    id answers the first open call of its name, or else the first open one.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.media: Media = {}
        self.tracked = False
        self._open: list[ToolCall] = []
        self._named: set[str] = set()
        self._calls = 0

    def add(self, place: int, content: Content) -> None:
        role = ROLES.get(content.role)
        if role is None:
            message = "Please use a valid role: user, model."
            raise invalid(message, f"contents[{place}].role")
        parts = _parts(content.parts)
        if not parts and role == "user":
            where = f"contents[{place}].parts"
            message = f"* GenerateContentRequest.{where}: contents.parts must not be empty."
            raise invalid(message, where)
        texts: list[str] = []
        calls: list[ToolCall] = []
        media: list[Medium] = []
        for index, part in enumerate(parts):
            if isinstance(part, str):
                texts.append(part)
            elif part.text is not None:
                if not part.thought:
                    texts.append(part.text)
            elif part.function_call is not None:
                calls.append(self._call(part.function_call))
            else:
                self._other(part, texts, media, f"contents[{place}].parts[{index}]")
        extra, mark = self._counted(media) if media else (0, 0)
        if role == "model":
            self._add_assistant(
                Message("assistant", "".join(texts), None, (), tuple(calls), None, extra, mark)
            )
        elif calls:
            raise invalid(CALLED_BY_USER)
        elif texts or media:
            self.messages.append(Message("user", "".join(texts), extra=extra, mark=mark))

    def _counted(self, media: list[Medium]) -> tuple[int, int]:
        """The tokens of the media, and a mark that sets them apart from any others."""
        mark = 0
        for medium in media:
            self.media[medium.modality] = self.media.get(medium.modality, 0) + medium.tokens
            mark = attachments.mark(medium.content, mark)
        return sum(medium.tokens for medium in media), mark

    def _add_assistant(self, message: Message) -> None:
        messages = self.messages
        if messages and messages[-1].role == "assistant":
            before = messages.pop()
            message = Message(
                "assistant",
                before.text + message.text,
                calls=before.calls + message.calls,
                extra=before.extra + message.extra,
                mark=before.mark ^ message.mark,
            )
        messages.append(message)
        if message.calls:
            self.tracked = True
            self._open = list(message.calls)

    def _call(self, call: FunctionCall) -> ToolCall:
        self._calls += 1
        if call.id:
            self._named.add(call.id)
        args = "{}" if call.args is None else dumps(call.args).decode()
        return ToolCall(call.id or f"#{self._calls}", call.name, args)

    def _response(self, response: FunctionResponse) -> Message:
        self.tracked = True
        answered = self._answered(response)
        if answered is not None:
            self._open.remove(answered)
        text = "" if response.response is None else dumps(response.response).decode()
        answers = "?" if answered is None else answered.id
        return Message("tool", text, response.name, answers=answers)

    def _answered(self, response: FunctionResponse) -> ToolCall | None:
        """The open call that a response answers."""
        if response.id and response.id in self._named:
            return next((call for call in self._open if call.id == response.id), None)
        unnamed = self._open
        if response.id:
            unnamed = [call for call in unnamed if call.id not in self._named]
        alike = [call for call in unnamed if call.name == response.name]
        return next(iter(alike or unnamed), None)

    def _other(self, part: Part, texts: list[str], media: list[Medium], where: str) -> None:
        """A part that is neither text nor a function call."""
        if part.function_response is not None:
            self.messages.append(self._response(part.function_response))
        elif part.inline_data is not None:
            media.append(inline_medium(part.inline_data))
        elif part.file_data is not None:
            media.append(linked_medium(part.file_data))
        elif part.executable_code is not None:
            texts.append(part.executable_code.code)
        elif part.code_execution_result is not None:
            texts.append(part.code_execution_result.output or "")
        elif part.thought_signature is None and part.tool_call is part.tool_response is None:
            raise invalid(
                f"* GenerateContentRequest.{where}.data: required oneof field 'data' must have "
                "one initialized field",
                f"{where}.data",
            )
