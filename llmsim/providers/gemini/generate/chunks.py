"""Gemini: candidates, whole and in the chunks of a stream (``Candidate`` of google-genai 3.4's
types)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import orjson
from msgspec import Struct

from llmsim.core import (
    Beats,
    Choice,
    Completion,
    Finish,
    GeneratedText,
    ReasoningSegment,
    RefusalSegment,
    Stamp,
    TextSegment,
    TokenLogprobs,
    ToolCallSegment,
)
from llmsim.providers.gemini import errors
from llmsim.providers.gemini.generate import logprobs as generate_logprobs
from llmsim.providers.wire import sse

# A function call ends a turn like any other.
FINISH = {
    Finish.STOP: b"STOP",
    Finish.LENGTH: b"MAX_TOKENS",
    Finish.TOOLS: b"STOP",
    Finish.FILTER: b"SAFETY",
}
_SAID = b'{"content":{"parts":[{"text":%b}],"role":"model"},"finishReason":"%b","index":%d}'
CALLS = 8  # ids set apart for each candidate's calls


class Style(Struct, frozen=True, gc=False):
    """What holds for a whole answer: the framing of its chunks, the stamp for ids, and whether
    the model has thought, so that what it says is signed."""

    framing: sse.Framing
    stamp: Stamp
    signed: bool


def style(completion: Completion, framing: sse.Framing, stamp: Stamp) -> Style:
    return Style(framing, stamp, completion.usage.reasoning > 0)


def whole(index: int, choice: Choice, style: Style) -> bytes:
    """A candidate that is sent at once."""
    words = _only_words(choice, style)
    if words is not None:
        return _SAID % (orjson.dumps(words.text), FINISH[choice.finish], index)
    parts = []
    scored: tuple[TokenLogprobs, ...] = ()
    calls = 0
    signing = _signing(choice, style)
    for place, segment in enumerate(choice.segments):
        if isinstance(segment, ToolCallSegment):
            if _cut(place, choice):
                break
            parts.append(_call(segment, index, calls, style))
            calls += 1
        else:
            parts.append(_words(segment, segment.generated.text, place == signing, style))
            scored += segment.generated.logprobs
    return candidate(index, b",".join(parts), FINISH[choice.finish], scored)


def chunks(
    index: int, choice: Choice, style: Style, alone: bool
) -> tuple[list[bytes], Sequence[int]]:
    """What follows the prefix in a streamed candidate's chunks, and the token each waits for.

    A function call is one chunk, sent once it is complete; one that was cut short is not. A
    candidate that has the stream for itself leaves its last part to :func:`last`.
    """
    words = _only_words(choice, style)
    if words is not None and alone:
        said = words.pieces[:-1]
        return list(map(_tails(index, False, style.framing).__getitem__, said)), words.ends[:-1]
    tails: list[bytes] = []
    ends: list[int] = []
    offset = calls = 0
    for place, segment in enumerate(choice.segments):
        words = segment.generated
        if isinstance(segment, ToolCallSegment):
            if _cut(place, choice):
                break
            part = _call(segment, index, calls, style)
            tails.append(_tail(candidate(index, part), style.framing))
            ends.append(offset + words.tokens - 1)
            calls += 1
        else:
            tails += _spoken(index, segment, style)
            ends += words.ends if not offset else [offset + end for end in words.ends]
        offset += words.tokens
    if alone and not _ends_in_nothing(choice):
        return tails[:-1], ends[:-1]
    return tails, ends


def last(index: int, choice: Choice, style: Style, alone: bool) -> bytes:
    """The candidate that ends a stream: with its last part if it has the stream for itself."""
    only = _only_words(choice, style)
    if only is not None and alone:
        said = only.pieces[-1] if only.pieces else ""
        return _SAID % (orjson.dumps(said), FINISH[choice.finish], index)
    finish = FINISH[choice.finish]
    place = len(choice.segments) - 1
    segment = choice.segments[place]
    empty = not alone or _ends_in_nothing(choice)
    if isinstance(segment, ToolCallSegment):
        if empty:
            return candidate(index, b"", finish)
        calls = sum(isinstance(one, ToolCallSegment) for one in choice.segments)
        return candidate(index, _call(segment, index, calls - 1, style), finish)
    words = segment.generated
    part = _words(
        segment, "" if empty else words.pieces[-1], place == _signing(choice, style), style
    )
    scored = generate_logprobs.by_piece(words)[-1] if words.logprobs and not empty else ()
    return candidate(index, part, finish, scored)


def candidate(
    index: int, parts: bytes, finish: bytes = b"", scored: Sequence[TokenLogprobs] = ()
) -> bytes:
    """A candidate of these parts, joined by commas; a cut one may have none."""
    content = b'"parts":[%b],' % parts if parts else b""
    reason = b',"finishReason":"%b"' % finish if finish else b""
    logprobs = generate_logprobs.spelled(scored) if scored else b""
    return b'{"content":{%b"role":"model"}%b,"index":%d%b}' % (content, reason, index, logprobs)


def beats(ends: Sequence[int], choice: Choice, end: int) -> Beats:
    """The beats of one candidate's chunks, and of ``end`` frames that end the stream."""
    if ends and ends[-1] == len(ends) - 1:
        return sse.beats(len(ends), 0, 0, end)
    return sse.beats_of(ends, choice.beats, 0, 0, end)


def _only_words(choice: Choice, style: Style) -> GeneratedText | None:
    """The text of a candidate that is nothing else, as most are."""
    first = choice.segments[0]
    if len(choice.segments) == 1 and type(first) is TextSegment and not style.signed:
        return None if first.generated.logprobs else first.generated
    return None


def _spoken(
    index: int, segment: TextSegment | ReasoningSegment | RefusalSegment, style: Style
) -> list[bytes]:
    """The tails of a text, one a piece."""
    words = segment.generated
    if words.logprobs:
        return [
            _tail(candidate(index, _text(piece), scored=scored), style.framing)
            for piece, scored in zip(words.pieces, generate_logprobs.by_piece(words), strict=True)
        ]
    known = _tails(index, isinstance(segment, ReasoningSegment), style.framing)
    return list(map(known.__getitem__, words.pieces))


@lru_cache(maxsize=64)
def _tails(index: int, thought: bool, framing: sse.Framing) -> sse.Tails:
    before, after = _tail(candidate(index, b"@"), framing).split(b"@")
    return sse.Tails(lambda piece: before + _text(piece, thought) + after)


def _tail(made: bytes, framing: sse.Framing) -> bytes:
    return made + b"]}" + framing.after


def _text(text: str, thought: bool = False, signature: str = "") -> bytes:
    signed = b',"thoughtSignature":"%b"' % signature.encode() if signature else b""
    return b'{"text":%b%b%b}' % (orjson.dumps(text), b',"thought":true' if thought else b"", signed)


def _words(
    segment: TextSegment | ReasoningSegment | RefusalSegment, text: str, signed: bool, style: Style
) -> bytes:
    signature = errors.signature(style.stamp) if signed else ""
    return _text(text, isinstance(segment, ReasoningSegment), signature)


def _call(call: ToolCallSegment, index: int, place: int, style: Style) -> bytes:
    """The part of a candidate's function call number ``place``; the first one is signed."""
    signed = b""
    if style.signed and not place:
        signed = b',"thoughtSignature":"%b"' % errors.signature(style.stamp).encode()
    return b'{"functionCall":{"name":%b,"args":%b,"id":"%b"}%b}' % (
        orjson.dumps(call.name),
        call.generated.text.encode(),
        errors.call_id(style.stamp, CALLS * index + place).encode(),
        signed,
    )


def _signing(choice: Choice, style: Style) -> int:
    """Which segment's text carries the signature of the model's thoughts: the last one, unless
    a function call does; −1 for none."""
    if not style.signed or any(isinstance(one, ToolCallSegment) for one in choice.segments):
        return -1
    return len(choice.segments) - 1


def _ends_in_nothing(choice: Choice) -> bool:
    """Whether there is nothing to send for the last segment."""
    last = choice.segments[-1]
    if isinstance(last, ToolCallSegment):
        return _cut(len(choice.segments) - 1, choice)
    return not last.generated.pieces


def _cut(place: int, choice: Choice) -> bool:
    """Whether a function call was cut short: it is then not fit to be sent."""
    return choice.finish is Finish.LENGTH and place == len(choice.segments) - 1
