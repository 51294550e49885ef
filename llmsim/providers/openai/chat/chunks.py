"""Chat completions: the chunks of a streamed choice, without what all chunks begin with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import orjson

from llmsim.core import (
    Choice,
    Citation,
    Finish,
    GeneratedText,
    HostedCallSegment,
    ReasoningSegment,
    RefusalSegment,
    Segment,
    Stamp,
    TextSegment,
    ToolCallSegment,
)
from llmsim.core.value import Value
from llmsim.providers.openai import errors
from llmsim.providers.openai.chat import audio
from llmsim.providers.openai.deltas import by_piece, choice_logprobs, obfuscation
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun

FINISH: Final[dict[Finish, bytes]] = {
    Finish.STOP: b"stop",
    Finish.LENGTH: b"length",
    Finish.TOOLS: b"tool_calls",
    Finish.FILTER: b"content_filter",
}
CALLS = 8  # ids reserved for the tool calls of each choice

_OPEN = b'"logprobs":null,"finish_reason":null'


class ChoiceNotes(Value, frozen=True, gc=False):
    """What a service adds to each choice of a stream, with a comma before it: to those with text,
    to those whose content was ``filtered``, and to all ``other`` ones. ``opening`` is an event
    before the first chunk."""

    text: bytes = b""
    filtered: bytes = b""
    other: bytes = b""
    opening: bytes = b""


NO_NOTES: Final = ChoiceNotes()


class ChunkStyle(Value, frozen=True, gc=False):
    """What holds for every chunk of one stream: its ``usage`` member, whether it is padded, whether
    calls have the legacy form (``function_call``), the stamp that ids are made from, what the
    service adds, and whether reasoning has OpenRouter's form (``routed``)."""

    usage: bytes
    obfuscated: bool
    legacy: bool
    stamp: Stamp
    notes: ChoiceNotes = NO_NOTES
    routed: bool = False

    @property
    def text_end(self) -> bytes:
        """What ends a choice with text, and follows it."""
        return self.notes.text + b"}]" + self.usage

    @property
    def end(self) -> bytes:
        """What ends any other choice, and follows it."""
        return self.notes.other + b"}]" + self.usage


@lru_cache(maxsize=256)
def _tails(index: int, closing: bytes, obfuscated: bool) -> sse.Tails:
    """What follows the prefix in a content chunk."""
    before = b'{"index":%d,"delta":{"content":' % index
    after = b"}," + _OPEN + closing

    def serialize(piece: str) -> bytes:
        end = obfuscation(piece) if obfuscated else b""
        return before + orjson.dumps(piece) + after + end + b"}\n\n"

    return sse.Tails(serialize)


@lru_cache(maxsize=256)
def _thoughts(index: int, closing: bytes, obfuscated: bool, routed: bool) -> sse.Tails:
    """What follows the prefix in a chunk of reasoning."""
    before = b'{"index":%d,"delta":{"content":%b' % (index, b'""' if routed else b"null")
    after = b"}," + _OPEN + closing

    def serialize(piece: str) -> bytes:
        end = obfuscation(piece) if obfuscated else b""
        return before + reasoning(piece, routed) + after + end + b"}\n\n"

    return sse.Tails(serialize)


def reasoning(text: str, routed: bool) -> bytes:
    """The members of a message or of a delta that have reasoning, each after a comma: as DeepSeek
    has them, or as OpenRouter."""
    written = orjson.dumps(text)
    if not routed:
        return b',"reasoning_content":' + written
    return (
        b',"reasoning":%b,"reasoning_details":[{"type":"reasoning.text","text":%b,'
        b'"format":"unknown","index":0}]' % (written, written)
    )


def finish(reason: Finish, legacy: bool) -> bytes:
    """The finish reason as the wire has it."""
    return b"function_call" if legacy and reason is Finish.TOOLS else FINISH[reason]


def choice_chunks(
    index: int, choice: Choice, style: ChunkStyle
) -> tuple[list[Sequence[bytes]], list[BeatRun]]:
    """What follows the prefix in one choice's chunks: the role first, the finish reason last. And
    the beats of all of them but the role."""
    head = b'{"index":%d,' % index
    close = style.end + b"}\n\n"
    silent = False
    for segment in choice.segments:
        silent = silent or isinstance(segment, ToolCallSegment)
    role = b'"delta":{"role":"assistant","content":%b,"refusal":null},' % (
        b"null" if silent else b'""'
    )
    tails: list[Sequence[bytes]] = [[head + role + _OPEN + close]]
    beats: list[BeatRun] = []
    offset = calls = 0
    for segment in choice.segments:
        generated = segment.generated
        content = _deltas(index, segment, calls, style)
        if isinstance(segment, ToolCallSegment):
            calls += 1
            beats.append(((offset,), 0))
        if not isinstance(segment, HostedCallSegment):  # which chat completions do not show
            tails.append(content)
            beats.append((generated.ends, offset))
        offset += generated.tokens
        if isinstance(segment, TextSegment) and segment.citations:
            listed = b",".join(cited(segment.citations))
            tails.append(_chunks(index, [b'"annotations":[%b]' % listed], style))
            beats.append(((max(offset, 1) - 1,), 0))
    reason = b'"delta":{},"logprobs":null,"finish_reason":"%b"' % finish(
        choice.finish, style.legacy
    )
    if choice.finish is Finish.FILTER:
        close = style.notes.filtered + b"}]" + style.usage + b"}\n\n"
    tails.append([head + reason + close])
    beats.append(((choice.beats - 1,), 0))
    return tails, beats


def audio_chunks(
    index: int, choice: Choice, text: TextSegment, style: ChunkStyle
) -> tuple[list[Sequence[bytes]], list[BeatRun]]:
    """The same for a choice whose ``text`` is said."""
    deltas, beats = audio.deltas(index, choice, text, style.stamp)
    role = b'"role":"assistant","content":null,"refusal":null'
    reason = b'{"index":%d,"delta":{},"logprobs":null,"finish_reason":"%b"}]%b}\n\n' % (
        index,
        finish(choice.finish, style.legacy),
        style.usage,
    )
    tails = [*_chunks(index, (role, *deltas), style), reason]
    return [tails], [*beats, ((choice.beats - 1,), 0)]


def _deltas(index: int, segment: Segment, place: int, style: ChunkStyle) -> Sequence[bytes]:
    """The tails of one segment's chunks."""
    generated = segment.generated
    match segment:
        case TextSegment() if generated.logprobs:
            return _with_logprobs(index, generated, style)
        case TextSegment():
            tails = _tails(index, style.text_end, style.obfuscated)
            return sse.PieceTails(tails, generated.pieces)
        case RefusalSegment():
            return _chunks(
                index, (b'"refusal":' + orjson.dumps(piece) for piece in generated.pieces), style
            )
        case ToolCallSegment():
            return _chunks(index, _call(index, segment, place, style), style)
        case HostedCallSegment():
            return ()
        case ReasoningSegment():
            thoughts = _thoughts(index, style.text_end, style.obfuscated, style.routed)
            return sse.PieceTails(thoughts, generated.pieces)


def cited(citations: Sequence[Citation]) -> list[bytes]:
    """What a text cites, as a message lists it."""
    return [
        orjson.dumps(
            {
                "type": "url_citation",
                "url_citation": {
                    "start_index": one.start,
                    "end_index": one.end,
                    "title": one.source.title,
                    "url": one.source.url,
                },
            }
        )
        for one in citations
    ]


def _chunks(index: int, deltas: Iterable[bytes], style: ChunkStyle) -> list[bytes]:
    close = b"}," + _OPEN + style.end + b"}\n\n"
    return [b'{"index":%d,"delta":{%b%b' % (index, delta, close) for delta in deltas]


def _call(index: int, call: ToolCallSegment, place: int, style: ChunkStyle) -> list[bytes]:
    """The deltas of one tool call: name and id once, then the arguments in fragments."""
    name = orjson.dumps(call.name)
    if style.legacy:
        head = b'"function_call":{"name":%b,"arguments":""}' % name
        piece = b'"function_call":{"arguments":%b}'
        return [head, *(piece % orjson.dumps(text) for text in call.generated.pieces)]
    kind, argument = (b"custom", b"input") if call.custom else (b"function", b"arguments")
    call_id = errors.call_id(style.stamp, CALLS * index + place).encode()
    head = b'"tool_calls":[{"index":%d,"id":"%b","type":"%b","%b":{"name":%b,"%b":""}}]' % (
        place, call_id, kind, kind, name, argument,
    )  # fmt: skip
    return [
        head,
        *(
            b'"tool_calls":[{"index":%d,"%b":{"%b":%b}}]'
            % (place, kind, argument, orjson.dumps(piece))
            for piece in call.generated.pieces
        ),
    ]


def _with_logprobs(index: int, generated: GeneratedText, style: ChunkStyle) -> list[bytes]:
    return [
        b'{"index":%d,"delta":{"content":%b},"logprobs":%b,"finish_reason":null%b}\n\n'
        % (index, orjson.dumps(piece), choice_logprobs(entries), style.text_end)
        for piece, entries in zip(generated.pieces, by_piece(generated), strict=True)
    ]
