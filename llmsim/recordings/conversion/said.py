"""What a recorded answer says: its choices, their parts, and the frame in which each piece came.

Answers are read by their shape: Chat Completions and completions, Responses, Anthropic's messages,
Gemini's content; whole or as events. A whole answer is read as one that came in a single piece.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import orjson

from llmsim.core import Finish
from llmsim.core.codec import dumps
from llmsim.core.mocks.finishes import FINISHES
from llmsim.recordings.answers import Json, dicts, placed_documents

PartKind: TypeAlias = Literal["text", "reasoning", "refusal", "call", "custom"]

STATUSES: Final = {"overloaded_error": 529, "rate_limit_error": 429, "rate_limit_exceeded": 429}
"""Statuses of failures that a stream tells by their type or code; 500 of all others."""


@dataclass(slots=True)
class SaidPart:
    """A part of a choice. ``pieces`` joined are its text, a call's arguments; ``frames[i]`` is the
    frame with which piece i had come."""

    kind: PartKind
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(slots=True)
class SaidChoice:
    """A choice: its parts in their order and why it ended, with the service's word for it."""

    parts: dict[Hashable, SaidPart] = field(default_factory=dict)
    finish: Finish | None = None
    stop: str | None = None
    reason: str | None = None


class SaidFailure(NamedTuple):
    """A failure within a stream, as it would be error in place of an answer."""

    status: int
    body: bytes


class _Piece(NamedTuple):
    """A piece of the part of that key; a ``name`` is a call's."""

    choice: int
    part: Hashable
    kind: PartKind
    text: str
    name: str = ""


class _End(NamedTuple):
    choice: int
    reason: str
    stop: str | None = None


def choices(frames: Sequence[bytes]) -> list[SaidChoice]:
    """The choices of an answer that came in these frames, in their order; none where it is not an
    answer of a shape that is known."""
    found: dict[int, SaidChoice] = {}
    fresh = count()
    for place, document in placed_documents(frames):
        for one in _read(document, fresh):
            choice = found.setdefault(one.choice, SaidChoice())
            if isinstance(one, _End):
                choice.finish = FINISHES.get(one.reason, Finish.STOP)
                choice.stop, choice.reason = one.stop, one.reason
                continue
            part = choice.parts.setdefault(one.part, SaidPart(one.kind))
            part.name = part.name or one.name
            if one.text:
                part.pieces.append(one.text)
                part.frames.append(place)
    return [found[index] for index in sorted(found)]


def failure(frames: Sequence[bytes]) -> SaidFailure | None:
    """The failure with which a stream ended; None if there is none."""
    for _, document in placed_documents(frames):
        error = document.get("error")
        failed = document.get("response") if document.get("type") == "response.failed" else None
        if isinstance(failed, dict):  # of Responses, as is the next
            error = failed.get("error")
        elif document.get("type") == "error" and error is None:
            error = {name: document.get(name) for name in ("message", "type", "param", "code")}
        if isinstance(error, dict):
            # Anthropic's events are what it answers in place of a stream.
            whole = document if document.get("error") is error else {"error": error}
            return SaidFailure(_status(error), orjson.dumps(whole))
    return None


def _status(error: Mapping[str, Any]) -> int:
    code = error.get("code")
    if isinstance(code, int) and 400 <= code <= 599:
        return code
    return STATUSES.get(str(error.get("type")), STATUSES.get(str(code), 500))


def _read(document: Json, fresh: Iterator[int]) -> Iterator[_Piece | _End]:
    """What one document says. ``fresh`` gives keys to parts that have none of their own."""
    if "choices" in document:
        for choice in dicts(document["choices"]):
            yield from _of_choice(choice, fresh)
    elif "candidates" in document:
        for candidate in dicts(document["candidates"]):
            yield from _of_candidate(candidate, fresh)
    elif document.get("object") == "response":
        yield from _of_response(document)
    else:
        reader = EVENTS.get(str(document.get("type")), _of_delta)
        yield from reader(document)


def _of_choice(choice: Json, fresh: Iterator[int]) -> Iterator[_Piece | _End]:
    """Chat Completions and completions, whole and in chunks."""
    index = choice.get("index", 0)
    if isinstance(choice.get("text"), str):
        yield _Piece(index, "text", "text", choice["text"])
    said = choice.get("delta", choice.get("message"))
    if isinstance(said, dict):
        for name, kind in CHAT_TEXTS:
            if isinstance(said.get(name), str):
                yield _Piece(index, kind, kind, said[name])
        for call in dicts(said.get("tool_calls")):
            # Whole answers list calls without their places.
            place = call.get("index", next(fresh) if "delta" not in choice else 0)
            function, custom = call.get("function"), call.get("custom")
            if isinstance(custom, dict):
                yield _call(index, ("call", place), custom, "input", "custom")
            elif isinstance(function, dict):
                yield _call(index, ("call", place), function, "arguments")
        if isinstance(said.get("function_call"), dict):
            yield _call(index, "function", said["function_call"], "arguments")
    if choice.get("finish_reason"):
        yield _End(index, str(choice["finish_reason"]))


CHAT_TEXTS: Final[tuple[tuple[str, PartKind], ...]] = (
    ("reasoning_content", "reasoning"),
    ("reasoning", "reasoning"),
    ("content", "text"),
    ("refusal", "refusal"),
)


def _call(choice: int, part: Hashable, said: Json, text: str, kind: PartKind = "call") -> _Piece:
    return _Piece(choice, part, kind, said.get(text) or "", said.get("name") or "")


def _of_candidate(candidate: Json, fresh: Iterator[int]) -> Iterator[_Piece | _End]:
    """Gemini's content, whole and in chunks, which have the same shape."""
    index = candidate.get("index", 0)
    content = candidate.get("content")
    for part in dicts(content.get("parts") if isinstance(content, dict) else None):
        called = part.get("functionCall")
        if isinstance(called, dict):
            arguments = dumps(called.get("args") or {}).decode()
            yield _Piece(index, next(fresh), "call", arguments, str(called.get("name", "")))
        elif isinstance(part.get("text"), str):
            kind: PartKind = "reasoning" if part.get("thought") else "text"
            yield _Piece(index, kind, kind, part["text"])
    if candidate.get("finishReason"):
        yield _End(index, str(candidate["finishReason"]))


def _of_response(response: Json) -> Iterator[_Piece | _End]:
    """A whole answer of Responses."""
    for place, item in enumerate(dicts(response.get("output"))):
        yield from _item(place, item)
        for list_, kind in (("summary", "reasoning"), ("content", "text")):
            for part in dicts(item.get(list_)):
                refused = isinstance(part.get("refusal"), str)
                said: PartKind = "refusal" if refused else kind  # type: ignore[assignment]
                text = part["refusal"] if refused else part.get("text")
                yield _Piece(0, (place, said), said, text if isinstance(text, str) else "")
    yield from _ended(response)


def _item(place: int, item: Json) -> Iterator[_Piece]:
    """A call with what is known of it."""
    if item.get("type") == "function_call":
        yield _call(0, (place, "call"), item, "arguments")
    elif item.get("type") == "custom_tool_call":
        yield _call(0, (place, "custom"), item, "input", "custom")


def _ended(response: Json) -> Iterator[_End]:
    details = response.get("incomplete_details")
    called = any(str(item.get("type")).endswith("call") for item in dicts(response.get("output")))
    if isinstance(details, dict):
        yield _End(0, str(details.get("reason")))
    elif response.get("status") == "completed":
        yield _End(0, "tool_calls" if called else "stop")


def _of_message(message: Json) -> Iterator[_Piece | _End]:
    """A whole message of Anthropic."""
    for place, block in enumerate(dicts(message.get("content"))):
        yield from _block(place, block)
        if isinstance(block.get("input"), dict):
            yield _Piece(0, place, "call", dumps(block["input"]).decode())
    if message.get("stop_reason"):
        yield _End(0, str(message["stop_reason"]), message.get("stop_sequence"))


def _block(place: int, block: Json) -> Iterator[_Piece]:
    """What a block has when it begins; a call's arguments follow."""
    match block.get("type"):
        case "text":
            yield _Piece(0, place, "text", str(block.get("text", "")))
        case "thinking":
            yield _Piece(0, place, "reasoning", str(block.get("thinking", "")))
        case "tool_use":
            yield _Piece(0, place, "call", "", str(block.get("name", "")))


def _of_block_start(event: Json) -> Iterator[_Piece]:
    block = event.get("content_block")
    yield from _block(event.get("index", 0), block if isinstance(block, dict) else {})


def _of_block_delta(event: Json) -> Iterator[_Piece]:
    delta = event.get("delta")
    for name, kind in BLOCK_TEXTS:
        if isinstance(delta, dict) and isinstance(delta.get(name), str):
            yield _Piece(0, event.get("index", 0), kind, delta[name])


BLOCK_TEXTS: Final[tuple[tuple[str, PartKind], ...]] = (
    ("text", "text"),
    ("thinking", "reasoning"),
    ("partial_json", "call"),
)


def _of_message_delta(event: Json) -> Iterator[_End]:
    delta = event.get("delta")
    if isinstance(delta, dict) and delta.get("stop_reason"):
        yield _End(0, str(delta["stop_reason"]), delta.get("stop_sequence"))


def _of_item(event: Json) -> Iterator[_Piece]:
    item = event.get("item")
    if isinstance(item, dict):
        yield from _item(event.get("output_index", 0), item)


def _of_end(event: Json) -> Iterator[_End]:
    response = event.get("response")
    yield from _ended(response if isinstance(response, dict) else {})


def _of_delta(event: Json) -> Iterator[_Piece]:
    """A delta of Responses."""
    kind = DELTAS.get(str(event.get("type")))
    if kind is not None and isinstance(event.get("delta"), str):
        yield _Piece(0, (event.get("output_index", 0), kind), kind, event["delta"])


DELTAS: Final[Mapping[str, PartKind]] = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
    "response.function_call_arguments.delta": "call",
    "response.custom_tool_call_input.delta": "custom",
}

EVENTS: Final[Mapping[str, Callable[[Json], Iterator[_Piece | _End]]]] = {
    "message": _of_message,
    "content_block_start": _of_block_start,
    "content_block_delta": _of_block_delta,
    "message_delta": _of_message_delta,
    "response.output_item.added": _of_item,
    "response.completed": _of_end,
    "response.incomplete": _of_end,
}
