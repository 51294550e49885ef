"""Responses: the events of a stream (``types.responses.ResponseStreamEvent``), in their order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import orjson

from llmsim.core import (
    START,
    Beats,
    Choice,
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
from llmsim.providers.openai.responses import items as responses_items
from llmsim.providers.openai.responses import response_object
from llmsim.providers.openai.responses.items import Output, Parts
from llmsim.providers.openai.responses.params import Wire
from llmsim.providers.wire import sse
from llmsim.providers.wire.numbered_events import Deltas, Event, Numbered

LAST = {Finish.LENGTH: b"response.incomplete", Finish.FILTER: b"response.incomplete"}


class Writing:
    """A stream being written: its runs of events so far, and the beat of each event."""

    def __init__(self, obfuscated: bool, last: int) -> None:
        self.runs: list[Event | Deltas] = []
        self.beats: list[int] = []
        self._obfuscated = obfuscated
        self._last = last

    def event(self, beat: int, name: bytes, *parts: bytes) -> None:
        """One event, due with that beat."""
        self.runs.append(Event(name, parts))
        self.beats.append(min(beat, self._last))

    def deltas(self, offset: int, name: bytes, before: bytes, words: GeneratedText) -> None:
        """What is said, piece by piece; ``offset`` is the beat of its first token."""
        if not words.pieces:
            return
        text = name == b"response.output_text.delta"
        tails = _tails(text, self._obfuscated)
        if words.logprobs:
            made: Sequence[bytes] = _with_logprobs(words)
        else:
            made = list(map(tails.__getitem__, words.pieces))
        self.runs.append(Deltas(name, before, made))
        self.beats += words.ends if not offset else [offset + end for end in words.ends]


def script(request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
    """The whole stream. A response in the background is told of at once, before it begins."""
    wire: Wire = request.wire
    given = wire.params
    choice = completion.choices[0]
    writing = Writing(given.obfuscated, choice.beats - 1)
    began = _lifecycle(wire, stamp, "in_progress")
    if given.background:
        queued = _lifecycle(wire, stamp, "queued")
        writing.event(START, b"response.created", *queued)
        writing.event(START, b"response.queued", *queued)
    else:
        writing.event(0, b"response.created", *began)
    writing.event(0, b"response.in_progress", *began)
    items = []
    offset = 0
    for item in responses_items.outputs(request, completion, stamp):
        items.append(_item(writing, item, offset))
        offset += item.segment.generated.tokens if item.segment is not None else 0
    finish = Finish.STOP if given.generate is False else choice.finish
    whole = response_object.finished(wire.about, stamp, finish, completion.usage, items)
    name = LAST.get(finish, b"response.completed")
    writing.event(choice.beats - 1, name, b'"response":', *whole, b"}")
    return StreamScript(Numbered(writing.runs), _beats(choice if items else None, writing.beats))


CLOSING = 4
"""Events after the last piece of a text: text, part, item and response are done."""


def _beats(choice: Choice | None, beats: Sequence[int]) -> Beats:
    """The beats as an array: a shared one where each token of one text is a frame."""
    if choice is not None and len(choice.segments) == 1 and beats[0] != START:
        words = choice.segments[0].generated
        if len(words.ends) == words.tokens:
            return sse.beats(words.tokens, len(beats) - words.tokens - CLOSING, CLOSING, 0)
    made = np.array(beats, np.int64)
    made.flags.writeable = False
    return made


def _lifecycle(wire: Wire, stamp: Stamp, status: response_object.Open) -> tuple[bytes, ...]:
    parts = response_object.unfinished(wire.about, stamp, status)
    return (b'"response":', *parts, b"}")


def _item(writing: Writing, item: Output, offset: int) -> Parts:
    """One item's events; gives the whole item."""
    place = b'"output_index":%d,"item":' % item.place
    opened = responses_items.opened(item)
    writing.event(offset, b"response.output_item.added", place, opened, b"}")
    segment = item.segment
    match segment:
        case None:
            closed = responses_items.closed(item, ())
        case TextSegment() | RefusalSegment():
            closed = _message(writing, item, segment, offset)
        case ReasoningSegment():
            closed = _summary(writing, item, segment.generated, offset)
        case ToolCallSegment():
            closed = _call(writing, item, segment, offset)
    last = _last(segment.generated, offset) if segment is not None else offset
    writing.event(last, b"response.output_item.done", place, *closed, b"}")
    return closed


def _last(words: GeneratedText, offset: int) -> int:
    """The beat of a text's last token."""
    return offset + max(words.tokens, 1) - 1


def _message(
    writing: Writing, item: Output, segment: TextSegment | RefusalSegment, offset: int
) -> Parts:
    words = segment.generated
    text = responses_items.text(words)
    refused = isinstance(segment, RefusalSegment)
    place = b'"item_id":"%b","output_index":%d,"content_index":0,' % (item.id, item.place)
    empty = responses_items.part(type(segment)(GeneratedText("", 0)), b'""')
    writing.event(offset, b"response.content_part.added", place, b'"part":', *empty, b"}")
    part = responses_items.part(segment, text)
    last = _last(words, offset)
    if refused:
        writing.deltas(offset, b"response.refusal.delta", place, words)
        writing.event(last, b"response.refusal.done", place, b'"refusal":', text, b"}")
    else:
        writing.deltas(offset, b"response.output_text.delta", place, words)
        entries = orjson.dumps(logprob_entries(words.logprobs)) if words.logprobs else b"[]"
        logprobs = b',"logprobs":%b}' % entries
        writing.event(last, b"response.output_text.done", place, b'"text":', text, logprobs)
    writing.event(last, b"response.content_part.done", place, b'"part":', *part, b"}")
    return responses_items.closed(item, part)


def _summary(writing: Writing, item: Output, words: GeneratedText, offset: int) -> Parts:
    place = b'"item_id":"%b","output_index":%d,"summary_index":0,' % (item.id, item.place)
    text = responses_items.text(words)
    part = responses_items.summary(text)
    empty = responses_items.summary(b'""')
    last = _last(words, offset)
    name = b"response.reasoning_summary_part."
    writing.event(offset, name + b"added", place, b'"part":', *empty, b"}")
    writing.deltas(offset, b"response.reasoning_summary_text.delta", place, words)
    writing.event(last, b"response.reasoning_summary_text.done", place, b'"text":', text, b"}")
    writing.event(last, name + b"done", place, b'"part":', *part, b"}")
    return responses_items.closed(item, part)


def _call(writing: Writing, item: Output, call: ToolCallSegment, offset: int) -> Parts:
    place = b'"item_id":"%b","output_index":%d,' % (item.id, item.place)
    text = responses_items.text(call.generated)
    last = _last(call.generated, offset)
    if call.custom:
        name, said = b"response.custom_tool_call_input.", b'"input":'
    else:
        name, said = b"response.function_call_arguments.", b'"arguments":'
    writing.deltas(offset, name + b"delta", place, call.generated)
    writing.event(last, name + b"done", place, said, text, b"}")
    return responses_items.closed(item, (text,))


@lru_cache(maxsize=4)
def _tails(text: bool, obfuscated: bool) -> sse.Tails:
    """What a delta's event ends with, by piece."""
    logprobs = b',"logprobs":[]' if text else b""

    def spell(piece: str) -> bytes:
        padding = obfuscation(piece) if obfuscated else b""
        return b'"delta":%b%b%b}' % (orjson.dumps(piece), logprobs, padding)

    return sse.Tails(spell)


def _with_logprobs(words: GeneratedText) -> list[bytes]:
    return [
        b'"delta":%b,"logprobs":%b}' % (orjson.dumps(piece), orjson.dumps(logprob_entries(entries)))
        for piece, entries in zip(words.pieces, by_piece(words), strict=True)
    ]


def failure(about: bytes, stamp: Stamp, code: str, message: str, number: int) -> bytes:
    """The event, number ``number`` of its stream, that ends a response which broke off."""
    response = b"".join(response_object.failed(about, stamp, code, message))
    data = b'{"type":"response.failed","sequence_number":%d,"response":%b}' % (number, response)
    return sse.event(data, b"response.failed")
