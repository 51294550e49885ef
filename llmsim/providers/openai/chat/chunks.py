"""Chat completions: the chunks of a streamed choice, without what all chunks begin with."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import orjson
from msgspec import Struct

from llmsim.core import (
    Beats,
    Choice,
    Finish,
    GeneratedText,
    ReasoningSegment,
    RefusalSegment,
    Segment,
    Stamp,
    TextSegment,
    ToolCallSegment,
)
from llmsim.providers.openai import errors
from llmsim.providers.openai.deltas import by_piece, choice_logprobs, obfuscation
from llmsim.providers.wire import sse

FINISH = {
    Finish.STOP: b"stop",
    Finish.LENGTH: b"length",
    Finish.TOOLS: b"tool_calls",
    Finish.FILTER: b"content_filter",
}
CALLS = 8  # ids set apart for each choice's calls

_OPEN = b'"logprobs":null,"finish_reason":null}]'


class Style(Struct, frozen=True, gc=False):
    """What holds for every chunk of one stream: the ``usage`` member, padding, whether calls are
    spelled the old way (``function_call``), and the stamp for ids."""

    usage: bytes
    obfuscated: bool
    legacy: bool
    stamp: Stamp


@lru_cache(maxsize=256)
def _tails(index: int, usage: bytes, obfuscated: bool) -> sse.Tails:
    """What follows the prefix in a content chunk."""
    before = b'{"index":%d,"delta":{"content":' % index
    after = b"}," + _OPEN + usage

    def spell(piece: str) -> bytes:
        end = obfuscation(piece) if obfuscated else b""
        return before + orjson.dumps(piece) + after + end + b"}\n\n"

    return sse.Tails(spell)


def finish(reason: Finish, legacy: bool) -> bytes:
    """The finish reason as the wire has it."""
    return b"function_call" if legacy and reason is Finish.TOOLS else FINISH[reason]


def choice_chunks(index: int, choice: Choice, style: Style) -> tuple[list[bytes], Beats]:
    """Tails of one choice's chunks, role first and finish reason last, and their beats."""
    head = b'{"index":%d,' % index
    close = style.usage + b"}\n\n"
    silent = any(isinstance(segment, ToolCallSegment) for segment in choice.segments)
    role = b'"delta":{"role":"assistant","content":%b,"refusal":null},' % (
        b"null" if silent else b'""'
    )
    tails = [head + role + _OPEN + close]
    ends: list[int] = []
    offset = calls = 0
    for segment in choice.segments:
        words = segment.generated
        content = _deltas(index, segment, calls, style)
        if isinstance(segment, ToolCallSegment):
            calls += 1
            ends.append(offset)
        if not isinstance(segment, ReasoningSegment):
            tails += content
            ends += words.ends if not offset else [offset + end for end in words.ends]
        offset += words.tokens
    reason = b'"delta":{},"logprobs":null,"finish_reason":"%b"}]' % finish(
        choice.finish, style.legacy
    )
    tails.append(head + reason + close)
    if len(ends) == choice.tokens == choice.segments[-1].generated.tokens:
        return tails, sse.beats(choice.tokens, 1, 1, 0)
    return tails, sse.beats_of(ends, choice.beats, 1, 1, 0)


def _deltas(index: int, segment: Segment, place: int, style: Style) -> list[bytes]:
    """The tails of one segment's chunks."""
    words = segment.generated
    match segment:
        case TextSegment() if words.logprobs:
            return _with_logprobs(index, words, style)
        case TextSegment():
            return list(map(_tails(index, style.usage, style.obfuscated).__getitem__, words.pieces))
        case RefusalSegment():
            return _chunks(
                index, (b'"refusal":' + orjson.dumps(piece) for piece in words.pieces), style
            )
        case ToolCallSegment():
            return _chunks(index, _call(index, segment, place, style), style)
        case ReasoningSegment():
            return []


def _chunks(index: int, deltas: Iterable[bytes], style: Style) -> list[bytes]:
    close = b"}," + _OPEN + style.usage + b"}\n\n"
    return [b'{"index":%d,"delta":{%b%b' % (index, delta, close) for delta in deltas]


def _call(index: int, call: ToolCallSegment, place: int, style: Style) -> list[bytes]:
    """The deltas of one tool call: name and id once, then the arguments in fragments."""
    name = orjson.dumps(call.name)
    if style.legacy:
        head = b'"function_call":{"name":%b,"arguments":""}' % name
        piece = b'"function_call":{"arguments":%b}'
        return [head, *(piece % orjson.dumps(said) for said in call.generated.pieces)]
    kind, said_as = (b"custom", b"input") if call.custom else (b"function", b"arguments")
    identity = errors.call_id(style.stamp, CALLS * index + place).encode()
    head = b'"tool_calls":[{"index":%d,"id":"%b","type":"%b","%b":{"name":%b,"%b":""}}]' % (
        place, identity, kind, kind, name, said_as,
    )  # fmt: skip
    return [
        head,
        *(
            b'"tool_calls":[{"index":%d,"%b":{"%b":%b}}]'
            % (place, kind, said_as, orjson.dumps(said))
            for said in call.generated.pieces
        ),
    ]


def _with_logprobs(index: int, words: GeneratedText, style: Style) -> list[bytes]:
    return [
        b'{"index":%d,"delta":{"content":%b},"logprobs":%b,"finish_reason":null}]%b}\n\n'
        % (index, orjson.dumps(piece), choice_logprobs(entries), style.usage)
        for piece, entries in zip(words.pieces, by_piece(words), strict=True)
    ]
