"""Responses: the output items of a response (``types.responses.ResponseOutputItem``), as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import SupportsBytes, TypeAlias

import msgspec
import orjson
from msgspec import Struct

from llmsim.core import (
    Completion,
    Finish,
    GeneratedText,
    HostedCallSegment,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Segment,
    Stamp,
    TextSegment,
    ToolCallSegment,
)
from llmsim.core.completion import TextView
from llmsim.providers.openai import errors
from llmsim.providers.openai.deltas import logprob_entries
from llmsim.providers.openai.responses import built_in_items
from llmsim.providers.openai.responses.built_in_items import BuiltInItem
from llmsim.providers.openai.responses.encrypted_content import encrypted
from llmsim.providers.openai.responses.params import ResponsesRequest, Wire

Parts: TypeAlias = tuple[SupportsBytes, ...]
"""JSON in parts, so that a text which occurs several times is in memory once, or not at all before
it is sent."""

Written: TypeAlias = TextSegment | RefusalSegment | ReasoningSegment | ToolCallSegment
"""What is written into an item as it is said."""

# The number of the first input item; output items are numbered from 0.
INPUT = 0x800000

PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "compaction": "cmp",
    "apply_patch_call": "apc",
    "code_interpreter_call": "ci",
    "computer_call": "cu",
    "file_search_call": "fs",
    "image_generation_call": "ig",
    "local_shell_call": "lsh",
    "mcp_approval_request": "mcpr",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "shell_call": "sh",
    "web_search_call": "ws",
}
"""What an item's id begins with, by its type."""


class OutputItem(Struct, frozen=True, gc=False):
    """One item of a response's output. ``segment`` is None for reasoning that is not shown; ``cut``
    says that the item was cut short; ``encrypted`` is the reasoning's ``encrypted_content``, b""
    if the client does not want it."""

    place: int
    id: bytes
    segment: Written | None
    cut: bool
    call_id: bytes = b""
    encrypted: bytes = b""

    @property
    def reasoning(self) -> bool:
        return self.segment is None or isinstance(self.segment, ReasoningSegment)

    @property
    def status(self) -> bytes:
        return b"incomplete" if self.cut else b"completed"


def item_id(kind: str, place: int, mark: str) -> str:
    """The id of an item of that type. It contains its response's mark."""
    return f"{PREFIXES.get(kind, 'item')}_{place:06x}{mark}"


def outputs(
    request: Request, completion: Completion, stamp: Stamp
) -> list[OutputItem | BuiltInItem]:
    """The output items of a completion: reasoning first, if there was any."""
    wire: Wire = request.wire
    if wire.params.generate is False:
        return []
    choice = completion.choices[0]
    said = choice.segments[:-1] if choice.starved else choice.segments
    segments: list[Segment | None] = list(said)
    if completion.usage.reasoning and not isinstance(choice.segments[0], ReasoningSegment):
        segments.insert(0, None)
    cut = choice.finish in (Finish.LENGTH, Finish.FILTER)
    reasoning = b""
    if "reasoning.encrypted_content" in (wire.params.include or ()):
        reasoning = encrypted(stamp.mark * 6).encode()
    made: list[OutputItem | BuiltInItem] = []
    calls = 0
    for number, segment in enumerate(segments):
        if isinstance(segment, HostedCallSegment):
            made += _hosted(segment, len(made), stamp, wire.params)
            continue
        kind, place = _kind(segment), len(made)
        name = item_id(kind, place, stamp.mark)
        short = cut and number == len(segments) - 1
        call_id = ""
        if isinstance(segment, ToolCallSegment):
            call_id = errors.call_id(stamp, calls)
            calls += 1
            if segment.form:
                made.append(built_in_items.of_client(segment, place, name, call_id, short))
                continue
        secret = reasoning if kind == "reasoning" else b""
        made.append(OutputItem(place, name.encode(), segment, short, call_id.encode(), secret))
    return made


def _hosted(
    call: HostedCallSegment, place: int, stamp: Stamp, params: ResponsesRequest
) -> Iterator[BuiltInItem]:
    """The items of a call that the provider answers itself: for an MCP server that the
    conversation does not know yet its tools, too."""
    if call.tool.hosted == "mcp" and all(one.kind != "mcp_list_tools" for one in params.items):
        name = item_id("mcp_list_tools", place, stamp.mark)
        yield built_in_items.listing(call.tool.name, place, name, params)
        place += 1
    name = item_id(built_in_items.kind_of(call), place, stamp.mark)
    yield built_in_items.hosted(call, place, name, params)


def _kind(segment: Written | None) -> str:
    match segment:
        case None | ReasoningSegment():
            return "reasoning"
        case TextSegment() | RefusalSegment():
            return "message"
        case ToolCallSegment(custom=custom, form=form):
            return form or ("custom_tool_call" if custom else "function_call")


class LateText:
    """A text as JSON, which is written when it is sent."""

    __slots__ = ("_text",)

    def __init__(self, text: TextView) -> None:
        self._text = text

    def __bytes__(self) -> bytes:
        return msgspec.json.encode(str(self._text))


def text(generated: GeneratedText) -> SupportsBytes:
    """A text as JSON. Streams keep it until they end, and orjson would take 7 KB for each."""
    source = generated.source
    return msgspec.json.encode(source) if isinstance(source, str) else LateText(source)


_TEXT = b'{"type":"output_text","annotations":[],"logprobs":'


def part(segment: TextSegment | RefusalSegment, text: SupportsBytes, entries: bytes) -> Parts:
    """A message's content part with that text and those log probabilities, which are JSON."""
    if isinstance(segment, RefusalSegment):
        return (b'{"type":"refusal","refusal":', text, b"}")
    return (_TEXT, entries, b',"text":', text, b"}")


def whole_part(segment: TextSegment | RefusalSegment, text: SupportsBytes, entries: bytes) -> Parts:
    """The same with the annotations of a text that cites what was found."""
    if isinstance(segment, RefusalSegment) or not segment.citations:
        return part(segment, text, entries)
    listed = b",".join(built_in_items.cited(segment.citations))
    head = b'{"type":"output_text","annotations":[%b],"logprobs":' % listed
    return (head, entries, b',"text":', text, b"}")


def summary(text: SupportsBytes) -> Parts:
    """A part of a reasoning summary with that text, which is JSON."""
    return (b'{"type":"summary_text","text":', text, b"}")


def opened(item: OutputItem) -> bytes:
    """The item before any of its content."""
    before, after = _around(item, b"in_progress")
    return before + (b'""' if isinstance(item.segment, ToolCallSegment) else b"") + after


def closed(item: OutputItem, inside: Parts) -> Parts:
    """The whole item; ``inside`` is its content or summary, or its arguments or input."""
    before, after = _around(item, item.status)
    return (before, *inside, after)


def _around(item: OutputItem, status: bytes) -> tuple[bytes, bytes]:
    """What comes before and after the item's content."""
    match item.segment:
        case None | ReasoningSegment():
            secret = b',"encrypted_content":"%b"' % item.encrypted if item.encrypted else b""
            return b'{"id":"%b","type":"reasoning","summary":[' % item.id, b"]%b}" % secret
        case TextSegment() | RefusalSegment():
            head = b'{"id":"%b","type":"message","status":"%b","role":"assistant","content":[' % (
                item.id, status,
            )  # fmt: skip
            return head, b"]}"
        case ToolCallSegment(custom=True) as call:
            head = b'{"id":"%b","type":"custom_tool_call","call_id":"%b","name":%b,"input":' % (
                item.id, item.call_id, orjson.dumps(call.name),
            )  # fmt: skip
            return head, b"}"
        case ToolCallSegment() as call:
            head = (
                b'{"id":"%b","type":"function_call","status":"%b","call_id":"%b","name":%b,'
                b'"arguments":' % (item.id, status, item.call_id, orjson.dumps(call.name))
            )
            return head, b"}"


def whole(item: OutputItem | BuiltInItem) -> Parts:
    """The item as an answer that is not streamed has it."""
    if isinstance(item, BuiltInItem):
        return (item.whole,)
    segment = item.segment
    if segment is None:
        return closed(item, ())
    content = orjson.dumps(segment.generated.text)
    match segment:
        case TextSegment() | RefusalSegment():
            logprobs = segment.generated.logprobs
            entries = logprob_entries(logprobs) if logprobs else b"[]"
            return closed(item, whole_part(segment, content, entries))
        case ReasoningSegment():
            return closed(item, summary(content))
        case ToolCallSegment():
            return closed(item, (content,))
