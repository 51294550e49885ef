"""Gemini: candidates, whole and in the chunks of a stream (``Candidate`` of google-genai 3.4's
types)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import orjson
from msgspec import Struct

from llmsim.core import (
    Choice,
    Completion,
    Finish,
    GeneratedText,
    HostedCallSegment,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Stamp,
    TextSegment,
    TokenLogprobs,
    ToolCallSegment,
)
from llmsim.providers.gemini import errors
from llmsim.providers.gemini.generate import answer_media, hosted, logprobs
from llmsim.providers.gemini.generate.answer_media import AnswerMedia
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun

# A function call ends a turn like any other.
FINISH = {
    Finish.STOP: b"STOP",
    Finish.LENGTH: b"MAX_TOKENS",
    Finish.TOOLS: b"STOP",
    Finish.FILTER: b"SAFETY",
}
_TEXT_ONLY = b'{"content":{"parts":[{"text":%b}],"role":"model"},"finishReason":"%b","index":%d}'
MALFORMED = b"MALFORMED_FUNCTION_CALL"
CALLS = 8  # ids reserved for the calls of each candidate


class CandidateStyle(Struct, frozen=True, gc=False):
    """What holds for all candidates of an answer: the framing of its chunks, the stamp that ids are
    made from, whether the model has thought, so that its text or calls are signed, and what there
    is beside text."""

    framing: sse.Framing
    stamp: Stamp
    signed: bool
    media: AnswerMedia | None


def candidate_style(
    completion: Completion, request: Request, framing: sse.Framing, stamp: Stamp
) -> CandidateStyle:
    """The style of an answer with that completion."""
    return CandidateStyle(framing, stamp, completion.usage.reasoning > 0, request.wire.answer)


def whole_candidate(index: int, choice: Choice, style: CandidateStyle) -> bytes:
    """A candidate that is not streamed."""
    if _says_nothing(choice):
        return candidate(index, b"", finish(choice))
    generated = None if choice.starved else _only_text(choice, style)
    if generated is not None:
        return _TEXT_ONLY % (orjson.dumps(generated.text), finish(choice), index)
    parts = []
    scored: tuple[TokenLogprobs, ...] = ()
    calls = 0
    signing = _signing(choice, style)
    said = choice.segments[:-1] if choice.starved else choice.segments
    for place, segment in enumerate(said):
        if isinstance(segment, ToolCallSegment):
            if _cut(place, choice):
                break
            parts.append(_call(segment, index, calls, style))
            calls += 1
        elif isinstance(segment, HostedCallSegment):
            parts += hosted.parts(segment)
        elif isinstance(segment, TextSegment) and style.media is not None:
            parts += _media_parts(segment, segment.generated.text, style.media)
        else:
            parts.append(_part(segment, segment.generated.text, place == signing, style))
            scored += segment.generated.logprobs
    more = hosted.members(choice)
    return candidate(index, b",".join(parts), finish(choice), scored, more)


def candidate_tails(
    index: int, choice: Choice, style: CandidateStyle, alone: bool
) -> tuple[list[Sequence[bytes]], list[BeatRun]]:
    """What follows the prefix in a streamed candidate's chunks, and the beat of each.

    A function call is one chunk, sent when it is complete, and not at all if it was cut short. A
    candidate that is ``alone`` in the stream leaves its last part to :func:`last_candidate`.
    """
    if _says_nothing(choice):
        return [], []
    held = alone and not _ends_in_nothing(choice)
    final = len(choice.segments) - 1
    tails: list[Sequence[bytes]] = []
    beats: list[BeatRun] = []
    offset = calls = 0
    for place, segment in enumerate(choice.segments):
        generated = segment.generated
        last = held and place == final
        if isinstance(segment, ToolCallSegment):
            if last or _cut(place, choice):
                break
            part = _call(segment, index, calls, style)
            tails.append([_tail(candidate(index, part), style.framing)])
            beats.append(((offset + generated.tokens - 1,), 0))
            calls += 1
        elif isinstance(segment, HostedCallSegment):
            for part in hosted.parts(segment):
                tails.append([_tail(candidate(index, part), style.framing)])
                beats.append(((offset + max(generated.tokens, 1) - 1,), 0))
        else:
            count = len(generated.pieces) - last
            if isinstance(segment, TextSegment) and style.media is not None:
                if not (style.media.sound or style.media.text):
                    count = 0
                tails.append(_media_tails(index, segment, count, style, style.media))
            else:
                tails.append(_text_tails(index, segment, count, style))
            beats.append((generated.ends[:count], offset))
        offset += generated.tokens
    return tails, beats


def last_candidate(index: int, choice: Choice, style: CandidateStyle, alone: bool) -> bytes:
    """The candidate that ends a stream: with its last part if it is ``alone``."""
    if choice.starved or _says_nothing(choice):
        return candidate(index, b"", finish(choice))
    only = _only_text(choice, style)
    if only is not None and alone:
        text = only.pieces[-1] if only.pieces else ""
        return _TEXT_ONLY % (orjson.dumps(text), finish(choice), index)
    ending = finish(choice)
    place = len(choice.segments) - 1
    segment = choice.segments[place]
    empty = not alone or _ends_in_nothing(choice)
    more = hosted.members(choice)
    if isinstance(segment, HostedCallSegment):
        return candidate(index, b"", ending, (), more)
    if isinstance(segment, ToolCallSegment):
        calls = sum(isinstance(one, ToolCallSegment) for one in choice.segments)
        call = b"" if empty else _call(segment, index, calls - 1, style)
        return candidate(index, call, ending, (), more)
    generated = segment.generated
    if isinstance(segment, TextSegment) and style.media is not None:
        parts = b",".join(_last_media(segment, empty, style.media))
        return candidate(index, parts, ending, (), more)
    part = _part(
        segment, "" if empty else generated.pieces[-1], place == _signing(choice, style), style
    )
    scored = logprobs.by_piece(generated)[-1] if generated.logprobs and not empty else ()
    return candidate(index, part, ending, scored, more)


def candidate(
    index: int,
    parts: bytes,
    finish: bytes = b"",
    scored: Sequence[TokenLogprobs] = (),
    more: bytes = b"",
) -> bytes:
    """A candidate of these parts, joined by commas; a cut one may have none. It may have ``more``
    members, each after a comma."""
    content = b'"parts":[%b],' % parts if parts else b""
    reason = b',"finishReason":"%b"' % finish if finish else b""
    scores = logprobs.members(scored) if scored else b""
    about = (content, reason, index, scores, more)
    return b'{"content":{%b"role":"model"}%b,"index":%d%b%b}' % about


def finish(choice: Choice) -> bytes:
    """The finish reason as the wire has it."""
    if choice.reason is not None and choice.reason.isupper():
        return choice.reason.encode()
    return MALFORMED if _malformed(choice) else FINISH[choice.finish]


def _says_nothing(choice: Choice) -> bool:
    """Whether there is nothing to read: no text at all, or a call whose arguments are no JSON
    object, which the API cannot give."""
    last = choice.segments[-1]
    if isinstance(last, ToolCallSegment):
        return _malformed(choice)
    return not (choice.tokens or choice.hidden)


def _malformed(choice: Choice) -> bool:
    if choice.finish is Finish.LENGTH:
        return False
    return any(
        isinstance(one, ToolCallSegment) and not _is_object(one.generated.text)
        for one in choice.segments
    )


def _is_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _only_text(choice: Choice, style: CandidateStyle) -> GeneratedText | None:
    """The text of a candidate that has nothing else, as most have."""
    first = choice.segments[0]
    plain = not style.signed and style.media is None
    if len(choice.segments) == 1 and type(first) is TextSegment and plain:
        return None if first.generated.logprobs else first.generated
    return None


def _text_tails(
    index: int,
    segment: TextSegment | ReasoningSegment | RefusalSegment,
    count: int,
    style: CandidateStyle,
) -> Sequence[bytes]:
    """The tails of the first ``count`` pieces of a text."""
    generated = segment.generated
    if generated.logprobs:
        return [
            _tail(candidate(index, _text(piece), scored=scored), style.framing)
            for piece, scored in zip(
                generated.pieces[:count], logprobs.by_piece(generated), strict=False
            )
        ]
    known = _tails(index, isinstance(segment, ReasoningSegment), style.framing)
    return sse.PieceTails(known, generated.pieces, stop=count)


def _media_parts(segment: TextSegment, text: str, media: AnswerMedia) -> list[bytes]:
    """The parts of a text that is said, or goes with a picture."""
    generated = segment.generated
    if media.sound:
        return [answer_media.sound(generated, 0, generated.tokens)]
    parts = [_text(text)] if media.text else []
    if media.picture is not None:
        parts.append(answer_media.picture(generated, media.picture))
    return parts


def _media_tails(
    index: int, segment: TextSegment, count: int, style: CandidateStyle, media: AnswerMedia
) -> Sequence[bytes]:
    """The tails of the first ``count`` pieces of such a text."""
    if not media.sound:
        return sse.PieceTails(
            _tails(index, False, style.framing), segment.generated.pieces, stop=count
        )
    parts = answer_media.sounds(segment.generated)[:count]
    return [_tail(candidate(index, part), style.framing) for part in parts]


def _last_media(segment: TextSegment, empty: bool, media: AnswerMedia) -> list[bytes]:
    """The parts that end such a stream; ``empty`` where all pieces of the text have been sent."""
    generated = segment.generated
    if media.sound:
        return [] if empty else answer_media.sounds(generated)[-1:]
    return _media_parts(segment, "" if empty else generated.pieces[-1], media)


@lru_cache(maxsize=64)
def _tails(index: int, thought: bool, framing: sse.Framing) -> sse.Tails:
    before, after = _tail(candidate(index, b"@"), framing).split(b"@")
    return sse.Tails(lambda piece: before + _text(piece, thought) + after)


def _tail(candidate: bytes, framing: sse.Framing) -> bytes:
    return candidate + b"]}" + framing.after


def _text(text: str, thought: bool = False, signature: str = "") -> bytes:
    signed = b',"thoughtSignature":"%b"' % signature.encode() if signature else b""
    return b'{"text":%b%b%b}' % (orjson.dumps(text), b',"thought":true' if thought else b"", signed)


def _part(
    segment: TextSegment | ReasoningSegment | RefusalSegment,
    text: str,
    signed: bool,
    style: CandidateStyle,
) -> bytes:
    signature = errors.signature(style.stamp) if signed else ""
    return _text(text, isinstance(segment, ReasoningSegment), signature)


def _call(call: ToolCallSegment, index: int, place: int, style: CandidateStyle) -> bytes:
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


def _signing(choice: Choice, style: CandidateStyle) -> int:
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
    if isinstance(last, HostedCallSegment):
        return True
    return not last.generated.pieces


def _cut(place: int, choice: Choice) -> bool:
    """Whether a function call was cut short: it is then not sent."""
    return choice.finish is Finish.LENGTH and place == len(choice.segments) - 1
