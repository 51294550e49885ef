"""Responses: the events of a stream (``types.responses.ResponseStreamEvent``), in their order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
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
    Usage,
)
from llmsim.core.value import Value
from llmsim.providers.openai.deltas import by_piece, event_logprobs, logprob_entries, obfuscation
from llmsim.providers.openai.responses import built_in_items, items, response_object
from llmsim.providers.openai.responses.built_in_items import BuiltInItem
from llmsim.providers.openai.responses.items import OutputItem, Parts, Written
from llmsim.providers.openai.responses.params import Wire
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun, BeatRuns
from llmsim.providers.wire.numbered_events import Deltas, Events, NumberedEvents

LAST = {Finish.LENGTH: b"response.incomplete", Finish.FILTER: b"response.incomplete"}

BEGUN = (b"response.created", b"response.in_progress")
QUEUED = (b"response.created", b"response.queued", b"response.in_progress")
ADDED, DONE = b"response.output_item.added", b"response.output_item.done"
ANNOTATION = b"response.output_text.annotation.added"
UNNAMED = b"response.shell_call_command."
"""Events that do not say which item they are of, but where it is."""


class EventNames(Value, frozen=True, gc=False):
    """The events of one kind of item, but for its first and its last: before its text, of a piece
    of it, and after it. ``member`` is what the text is called in the event that repeats it."""

    before: tuple[bytes, ...]
    delta: bytes
    after: tuple[bytes, ...]
    member: bytes


_PART = b"response.content_part."
_SUMMARY = b"response.reasoning_summary_"
_ARGUMENTS = b"response.function_call_arguments."
_INPUT = b"response.custom_tool_call_input."

TEXT = EventNames(
    (_PART + b"added",),
    b"response.output_text.delta",
    (b"response.output_text.done", _PART + b"done"),
    b'"text":',
)
REFUSAL = EventNames(
    (_PART + b"added",),
    b"response.refusal.delta",
    (b"response.refusal.done", _PART + b"done"),
    b'"refusal":',
)
SUMMARY = EventNames(
    (_SUMMARY + b"part.added",),
    _SUMMARY + b"text.delta",
    (_SUMMARY + b"text.done", _SUMMARY + b"part.done"),
    b'"text":',
)
ARGUMENTS = EventNames((), _ARGUMENTS + b"delta", (_ARGUMENTS + b"done",), b'"arguments":')
INPUT = EventNames((), _INPUT + b"delta", (_INPUT + b"done",), b'"input":')


def script(request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
    """The whole stream. Its first events need no token; one in the background is queued until it
    has one."""
    wire: Wire = request.wire
    params = wire.params
    choice = completion.choices[0]
    latest = choice.beats - 1
    begun: tuple[bytes, ...] = BEGUN
    beats: list[BeatRun] = [((START, START), 0)]
    if params.background:
        begun = QUEUED
        beats.append(((min(0, latest),), 0))
    runs: list[Events | Deltas] = [Events(begun, partial(_lifecycle, wire, stamp))]
    written: list[ItemEvents | BuiltInEvents] = []
    offset = 0
    for item in items.outputs(request, completion, stamp):
        one = BuiltInEvents(item) if isinstance(item, BuiltInItem) else ItemEvents(item)
        one.add(runs, beats, offset, latest, params.obfuscated)
        written.append(one)
        offset += one.tokens
    finish = Finish.STOP if params.generate is False else choice.finish
    whole = partial(_whole, wire, stamp, finish, completion.usage, written)
    runs.append(Events((LAST.get(finish, b"response.completed"),), whole))
    beats.append(((latest,), 0))
    return StreamScript(NumberedEvents(runs), BeatRuns(beats))


def _lifecycle(wire: Wire, stamp: Stamp, place: int) -> Parts:
    """The members of a stream's first events."""
    queued = wire.params.background and place < len(QUEUED) - 1
    parts = response_object.unfinished(wire.echo, stamp, "queued" if queued else "in_progress")
    return (b'"response":', *parts, b"}")


def _whole(
    wire: Wire,
    stamp: Stamp,
    finish: Finish,
    usage: Usage,
    written: Sequence[ItemEvents | BuiltInEvents],
    place: int,
) -> Parts:
    """The members of the last event, which has the whole response."""
    output = [one.whole() for one in written]
    parts = response_object.finished(wire.echo, stamp, finish, usage, output)
    return (b'"response":', *parts, b"}")


class ItemEvents:
    """The events of one item, which are written when they are sent, but for what takes long: log
    probabilities, and a text that is no view."""

    __slots__ = ("_bare", "_entries", "_item", "_names", "_text", "tokens")

    def __init__(self, item: OutputItem) -> None:
        self._item = item
        self._names = _names_of(item.segment)
        self._entries = self._bare = b"[]"
        self._text: SupportsBytes = b""
        segment = item.segment
        self.tokens = 0 if segment is None else segment.generated.tokens
        if segment is not None:
            self._text = items.text(segment.generated)
            if isinstance(segment, TextSegment) and segment.generated.logprobs:
                self._entries = logprob_entries(segment.generated.logprobs)
                self._bare = event_logprobs(segment.generated.logprobs)

    def add(
        self,
        runs: list[Events | Deltas],
        beats: list[BeatRun],
        offset: int,
        latest: int,
        obfuscated: bool,
    ) -> None:
        """Add them; ``offset`` is the beat of the item's first token, ``latest`` that of the
        answer's last one."""
        segment, names = self._item.segment, self._names
        first = min(offset, latest)
        if segment is None or names is None:
            runs.append(Events((ADDED, DONE), self._around))
            beats.append(((first, first), 0))
            return
        runs.append(Events((ADDED, *names.before), self._before))
        beats.append(((first,) * (1 + len(names.before)), 0))
        generated = segment.generated
        if generated.pieces:
            runs.append(Deltas(names.delta, self._where(), _tails(generated, names, obfuscated)))
            beats.append((generated.ends, offset))
        last = min(offset + max(generated.tokens, 1) - 1, latest)
        if isinstance(segment, TextSegment) and segment.citations:
            listed = built_in_items.cited(segment.citations)
            runs.append(Events((ANNOTATION,) * len(listed), partial(self._annotation, listed)))
            beats.append(((last,) * len(listed), 0))
        runs.append(Events((*names.after, DONE), self._after))
        beats.append(((last,) * (1 + len(names.after)), 0))

    def whole(self) -> Parts:
        """The whole item."""
        segment = self._item.segment
        content = () if segment is None else _whole_content_of(segment, self._text, self._entries)
        return items.closed(self._item, content)

    def _annotation(self, listed: Sequence[bytes], place: int) -> Parts:
        return (self._where(), b'"annotation_index":%d,"annotation":%b}' % (place, listed[place]))

    def _around(self, place: int) -> Parts:
        return self._of_item(items.opened(self._item)) if not place else self._done()

    def _before(self, place: int) -> Parts:
        segment = self._item.segment
        if not place or segment is None:
            return self._of_item(items.opened(self._item))
        return (self._where(), b'"part":', *_content_of(segment, b'""', b"[]"), b"}")

    def _after(self, place: int) -> Parts:
        segment, names = self._item.segment, self._names
        if segment is None or names is None or place == len(names.after):
            return self._done()
        if place:
            content = _whole_content_of(segment, self._text, self._entries)
            return (self._where(), b'"part":', *content, b"}")
        more = (b',"logprobs":', self._bare) if isinstance(segment, TextSegment) else ()
        return (self._where(), names.member, self._text, *more, b"}")

    def _done(self) -> Parts:
        return self._of_item(*self.whole())

    def _of_item(self, *parts: SupportsBytes) -> Parts:
        return (b'"output_index":%d,"item":' % self._item.place, *parts, b"}")

    def _where(self) -> bytes:
        """What says which text an event is of."""
        item = self._item
        match item.segment:
            case TextSegment() | RefusalSegment():
                index = b'"content_index":0,'
            case ReasoningSegment():
                index = b'"summary_index":0,'
            case _:
                index = b""
        return b'"item_id":"%b","output_index":%d,%b' % (item.id, item.place, index)


class BuiltInEvents:
    """The events of an item that is written already."""

    __slots__ = ("_item", "tokens")

    def __init__(self, item: BuiltInItem) -> None:
        self._item = item
        self.tokens = item.tokens

    def add(
        self,
        runs: list[Events | Deltas],
        beats: list[BeatRun],
        offset: int,
        latest: int,
        obfuscated: bool,
    ) -> None:
        """Add them; ``offset`` is the beat of the item's first token, ``latest`` that of the
        answer's last one."""
        item = self._item
        first = min(offset, latest)
        last = min(offset + max(item.tokens, 1) - 1, latest)
        before, after = [name for name, _ in item.before], [name for name, _ in item.after]
        runs.append(Events((ADDED, *before), self._before))
        beats.append(((first,) * (1 + len(before)), 0))
        if item.generated is not None and item.generated.pieces:
            tails = sse.PieceTails(_piece_tails(False, obfuscated), item.generated.pieces)
            where = b'"item_id":"%b","output_index":%d,' % (item.id, item.place)
            runs.append(Deltas(item.delta, where, tails))
            beats.append((item.generated.ends, offset))
        runs.append(Events((*after, DONE), self._after))
        beats.append(((last,) * (1 + len(after)), 0))

    def whole(self) -> Parts:
        """The whole item."""
        return (self._item.whole,)

    def _before(self, place: int) -> Parts:
        item = self._item
        return self._of_item(item.opened) if not place else self._event(item.before[place - 1])

    def _after(self, place: int) -> Parts:
        item = self._item
        if place == len(item.after):
            return self._of_item(item.whole)
        return self._event(item.after[place])

    def _of_item(self, written: bytes) -> Parts:
        return (b'"output_index":%d,"item":' % self._item.place, written, b"}")

    def _event(self, named: built_in_items.Named) -> Parts:
        name, members = named
        where = b'"output_index":%d' % self._item.place
        if not name.startswith(UNNAMED):
            where += b',"item_id":"%b"' % self._item.id
        return (where, members, b"}")


def _names_of(segment: Written | None) -> EventNames | None:
    match segment:
        case None:
            return None
        case TextSegment():
            return TEXT
        case RefusalSegment():
            return REFUSAL
        case ReasoningSegment():
            return SUMMARY
        case ToolCallSegment(custom=custom):
            return INPUT if custom else ARGUMENTS


def _whole_content_of(segment: Written, text: SupportsBytes, entries: bytes) -> Parts:
    """The same once all is said, with what a text cites."""
    if isinstance(segment, TextSegment):
        return items.whole_part(segment, text, entries)
    return _content_of(segment, text, entries)


def _content_of(segment: Written, text: SupportsBytes, entries: bytes) -> Parts:
    """What is in an item with that text, which is JSON; ``entries`` are its log probabilities."""
    match segment:
        case TextSegment() | RefusalSegment():
            return items.part(segment, text, entries)
        case ReasoningSegment():
            return items.summary(text)
        case ToolCallSegment():
            return (text,)


def _tails(generated: GeneratedText, names: EventNames, obfuscated: bool) -> Sequence[bytes]:
    """The ends of a text's delta events, a piece each."""
    if generated.logprobs:
        return _with_logprobs(generated)
    return sse.PieceTails(_piece_tails(names is TEXT, obfuscated), generated.pieces)


@lru_cache(maxsize=4)
def _piece_tails(text: bool, obfuscated: bool) -> sse.Tails:
    """The ends of delta events, by piece."""
    logprobs = b',"logprobs":[]' if text else b""

    def serialize(piece: str) -> bytes:
        padding = obfuscation(piece) if obfuscated else b""
        return b'"delta":%b%b%b}' % (orjson.dumps(piece), logprobs, padding)

    return sse.Tails(serialize)


def _with_logprobs(generated: GeneratedText) -> list[bytes]:
    return [
        b'"delta":%b,"logprobs":%b}' % (orjson.dumps(piece), event_logprobs(entries))
        for piece, entries in zip(generated.pieces, by_piece(generated), strict=True)
    ]


def failure(echo: bytes, stamp: Stamp, code: str, message: str, number: int) -> bytes:
    """The event, number ``number`` of its stream, that ends a response which breaks off."""
    response = b"".join(response_object.failed(echo, stamp, code, message))
    data = b'{"type":"response.failed","sequence_number":%d,"response":%b}' % (number, response)
    return sse.event(data, b"response.failed")
