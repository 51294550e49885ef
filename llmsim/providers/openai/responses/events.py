"""Responses: the events of a stream (``types.responses.ResponseStreamEvent``), in their order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import SupportsBytes

import orjson

from llmsim.core import (
    START,
    Completion,
    Finish,
    GeneratedText,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Stamp,
    StreamScript,
    TextSegment,
    ToolCallSegment,
)
from llmsim.providers.openai.deltas import by_piece, logprob_entries, obfuscation
from llmsim.providers.openai.responses import items, response_object
from llmsim.providers.openai.responses.items import OutputItem, Parts
from llmsim.providers.openai.responses.params import Wire
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun, BeatRuns
from llmsim.providers.wire.numbered_events import Deltas, Event, NumberedEvents

LAST = {Finish.LENGTH: b"response.incomplete", Finish.FILTER: b"response.incomplete"}


class EventWriter:
    """Writes the events of a stream: its runs of events so far, and the beat of each event."""

    def __init__(self, obfuscated: bool, last: int) -> None:
        self.runs: list[Event | Deltas] = []
        self.beats: list[BeatRun] = []
        self._obfuscated = obfuscated
        self._last = last

    def event(self, beat: int, name: bytes, *parts: SupportsBytes) -> None:
        """One event, due with that beat."""
        self.runs.append(Event(name, parts))
        self.beats.append(((min(beat, self._last),), 0))

    def deltas(self, offset: int, name: bytes, before: bytes, generated: GeneratedText) -> None:
        """The pieces of a text, an event each; ``offset`` is the beat of its first token."""
        if not generated.pieces:
            return
        text = name == b"response.output_text.delta"
        tails = _tails(text, self._obfuscated)
        if generated.logprobs:
            made: Sequence[bytes] = _with_logprobs(generated)
        else:
            made = sse.PieceTails(tails, generated.pieces)
        self.runs.append(Deltas(name, before, made))
        self.beats.append((generated.ends, offset))


def script(request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
    """The whole stream. Its first events need no token; one in the background is queued until it
    has one."""
    wire: Wire = request.wire
    params = wire.params
    choice = completion.choices[0]
    writer = EventWriter(params.obfuscated, choice.beats - 1)
    began = _lifecycle(wire, stamp, "in_progress")
    if params.background:
        queued = _lifecycle(wire, stamp, "queued")
        writer.event(START, b"response.created", *queued)
        writer.event(START, b"response.queued", *queued)
        writer.event(0, b"response.in_progress", *began)
    else:
        writer.event(START, b"response.created", *began)
        writer.event(START, b"response.in_progress", *began)
    output = []
    offset = 0
    for item in items.outputs(request, completion, stamp):
        output.append(_item(writer, item, offset))
        offset += item.segment.generated.tokens if item.segment is not None else 0
    finish = Finish.STOP if params.generate is False else choice.finish
    whole = response_object.finished(wire.echo, stamp, finish, completion.usage, output)
    name = LAST.get(finish, b"response.completed")
    writer.event(choice.beats - 1, name, b'"response":', *whole, b"}")
    return StreamScript(NumberedEvents(writer.runs), BeatRuns(writer.beats))


def _lifecycle(wire: Wire, stamp: Stamp, status: response_object.Open) -> tuple[bytes, ...]:
    parts = response_object.unfinished(wire.echo, stamp, status)
    return (b'"response":', *parts, b"}")


def _item(writer: EventWriter, item: OutputItem, offset: int) -> Parts:
    """Writes one item's events, and returns the whole item."""
    place = b'"output_index":%d,"item":' % item.place
    opened = items.opened(item)
    writer.event(offset, b"response.output_item.added", place, opened, b"}")
    segment = item.segment
    match segment:
        case None:
            closed = items.closed(item, ())
        case TextSegment() | RefusalSegment():
            closed = _message(writer, item, segment, offset)
        case ReasoningSegment():
            closed = _summary(writer, item, segment.generated, offset)
        case ToolCallSegment():
            closed = _call(writer, item, segment, offset)
    last = _last(segment.generated, offset) if segment is not None else offset
    writer.event(last, b"response.output_item.done", place, *closed, b"}")
    return closed


def _last(generated: GeneratedText, offset: int) -> int:
    """The beat of a text's last token."""
    return offset + max(generated.tokens, 1) - 1


def _message(
    writer: EventWriter, item: OutputItem, segment: TextSegment | RefusalSegment, offset: int
) -> Parts:
    generated = segment.generated
    text = items.text(generated)
    refused = isinstance(segment, RefusalSegment)
    place = b'"item_id":"%b","output_index":%d,"content_index":0,' % (item.id, item.place)
    empty = items.part(type(segment)(GeneratedText("", 0)), b'""')
    writer.event(offset, b"response.content_part.added", place, b'"part":', *empty, b"}")
    part = items.part(segment, text)
    last = _last(generated, offset)
    if refused:
        writer.deltas(offset, b"response.refusal.delta", place, generated)
        writer.event(last, b"response.refusal.done", place, b'"refusal":', text, b"}")
    else:
        writer.deltas(offset, b"response.output_text.delta", place, generated)
        entries = logprob_entries(generated.logprobs) if generated.logprobs else b"[]"
        logprobs = b',"logprobs":%b}' % entries
        writer.event(last, b"response.output_text.done", place, b'"text":', text, logprobs)
    writer.event(last, b"response.content_part.done", place, b'"part":', *part, b"}")
    return items.closed(item, part)


def _summary(writer: EventWriter, item: OutputItem, generated: GeneratedText, offset: int) -> Parts:
    place = b'"item_id":"%b","output_index":%d,"summary_index":0,' % (item.id, item.place)
    text = items.text(generated)
    part = items.summary(text)
    empty = items.summary(b'""')
    last = _last(generated, offset)
    name = b"response.reasoning_summary_part."
    writer.event(offset, name + b"added", place, b'"part":', *empty, b"}")
    writer.deltas(offset, b"response.reasoning_summary_text.delta", place, generated)
    writer.event(last, b"response.reasoning_summary_text.done", place, b'"text":', text, b"}")
    writer.event(last, name + b"done", place, b'"part":', *part, b"}")
    return items.closed(item, part)


def _call(writer: EventWriter, item: OutputItem, call: ToolCallSegment, offset: int) -> Parts:
    place = b'"item_id":"%b","output_index":%d,' % (item.id, item.place)
    text = items.text(call.generated)
    last = _last(call.generated, offset)
    if call.custom:
        name, member = b"response.custom_tool_call_input.", b'"input":'
    else:
        name, member = b"response.function_call_arguments.", b'"arguments":'
    writer.deltas(offset, name + b"delta", place, call.generated)
    writer.event(last, name + b"done", place, member, text, b"}")
    return items.closed(item, (text,))


@lru_cache(maxsize=4)
def _tails(text: bool, obfuscated: bool) -> sse.Tails:
    """The ends of delta events, by piece."""
    logprobs = b',"logprobs":[]' if text else b""

    def serialize(piece: str) -> bytes:
        padding = obfuscation(piece) if obfuscated else b""
        return b'"delta":%b%b%b}' % (orjson.dumps(piece), logprobs, padding)

    return sse.Tails(serialize)


def _with_logprobs(generated: GeneratedText) -> list[bytes]:
    return [
        b'"delta":%b,"logprobs":%b}' % (orjson.dumps(piece), logprob_entries(entries))
        for piece, entries in zip(generated.pieces, by_piece(generated), strict=True)
    ]


def failure(echo: bytes, stamp: Stamp, code: str, message: str, number: int) -> bytes:
    """The event, number ``number`` of its stream, that ends a response which breaks off."""
    response = b"".join(response_object.failed(echo, stamp, code, message))
    data = b'{"type":"response.failed","sequence_number":%d,"response":%b}' % (number, response)
    return sse.event(data, b"response.failed")
