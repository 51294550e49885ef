"""Responses: the items of an answer (``types.responses.ResponseOutputItem``), as bytes."""

from __future__ import annotations

import orjson
from msgspec import Struct

from llmsim.dialects import openai
from llmsim.dialects.openai_deltas import told
from llmsim.dialects.openai_responses_request import Wire
from llmsim.dialects.openai_responses_sealed import sealed
from llmsim.exchange import Ask, Called, Finish, Refused, Reply, Said, Segment, Stamp, Thought

# Input items are numbered from here on, output items from 0.
INPUT = 0x800000

PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "compaction": "cmp",
}
"""What an item's id begins with, by its type."""


class Output(Struct, frozen=True, gc=False):
    """One item of an answer at its ``place``. ``segment`` is None for reasoning that is not
    shown. ``secret`` is reasoning for the client to send back, b"" if it does not want it."""

    place: int
    id: bytes
    segment: Segment | None
    cut: bool
    call_id: bytes = b""
    secret: bytes = b""

    @property
    def reasoning(self) -> bool:
        return self.segment is None or isinstance(self.segment, Thought)

    @property
    def status(self) -> bytes:
        return b"incomplete" if self.cut else b"completed"


def item_id(kind: str, place: int, mark: str) -> str:
    """The id of an item of that type, from which its response can be found."""
    return f"{PREFIXES.get(kind, 'item')}_{place:06x}{mark}"


def outputs(ask: Ask, reply: Reply, stamp: Stamp) -> list[Output]:
    """The items of a reply: reasoning first, if there was any."""
    wire: Wire = ask.wire
    if wire.given.generate is False:
        return []
    choice = reply.choices[0]
    segments: list[Segment | None] = list(choice.segments)
    if reply.usage.reasoning and not isinstance(segments[0], Thought):
        segments.insert(0, None)
    cut = choice.finish in (Finish.LENGTH, Finish.FILTER)
    secret = b""
    if "reasoning.encrypted_content" in (wire.given.include or ()):
        secret = sealed(stamp.mark * 6).encode()
    made = []
    calls = 0
    for place, segment in enumerate(segments):
        kind = _kind(segment)
        call_id = b""
        if isinstance(segment, Called):
            call_id = openai.call_id(stamp, calls).encode()
            calls += 1
        made.append(
            Output(
                place,
                item_id(kind, place, stamp.mark).encode(),
                segment,
                cut and place == len(segments) - 1,
                call_id,
                secret if kind == "reasoning" else b"",
            )
        )
    return made


def _kind(segment: Segment | None) -> str:
    match segment:
        case None | Thought():
            return "reasoning"
        case Said() | Refused():
            return "message"
        case Called(custom=custom):
            return "custom_tool_call" if custom else "function_call"


def part(segment: Said | Refused, text: bytes) -> bytes:
    """A message's content part with that text, which is JSON."""
    if isinstance(segment, Refused):
        return b'{"type":"refusal","refusal":%b}' % text
    entries = orjson.dumps(told(segment.words.logprobs)) if segment.words.logprobs else b"[]"
    return b'{"type":"output_text","annotations":[],"logprobs":%b,"text":%b}' % (entries, text)


def opened(item: Output) -> bytes:
    """The item as it is before any of it is said."""
    return _spelled(item, b"in_progress", b"", b'""')


def closed(item: Output, content: bytes, text: bytes) -> bytes:
    """The whole item; ``content`` is its content or summary, ``text`` its arguments or input, as
    JSON."""
    return _spelled(item, item.status, content, text)


def _spelled(item: Output, status: bytes, content: bytes, text: bytes) -> bytes:
    match item.segment:
        case None | Thought():
            secret = b',"encrypted_content":"%b"' % item.secret if item.secret else b""
            return b'{"id":"%b","type":"reasoning","summary":[%b]%b}' % (item.id, content, secret)
        case Said() | Refused():
            return (
                b'{"id":"%b","type":"message","status":"%b","role":"assistant","content":[%b]}'
                % (item.id, status, content)
            )
        case Called(custom=True) as call:
            return b'{"id":"%b","type":"custom_tool_call","call_id":"%b","name":%b,"input":%b}' % (
                item.id, item.call_id, orjson.dumps(call.name), text,
            )  # fmt: skip
        case Called() as call:
            return (
                b'{"id":"%b","type":"function_call","status":"%b","call_id":"%b","name":%b,'
                b'"arguments":%b}' % (item.id, status, item.call_id, orjson.dumps(call.name), text)
            )


def summary(text: bytes) -> bytes:
    """A part of a reasoning summary with that text, which is JSON."""
    return b'{"type":"summary_text","text":%b}' % text


def whole(item: Output) -> bytes:
    """The item as a plain answer has it."""
    segment = item.segment
    if segment is None:
        return closed(item, b"", b"")
    text = orjson.dumps(segment.words.text)
    match segment:
        case Said() | Refused():
            return closed(item, part(segment, text), b"")
        case Thought():
            return closed(item, summary(text), b"")
        case Called():
            return closed(item, b"", text)
