"""Chat completions with sound: the answer is said, and its text is the transcript
(``types.chat.chat_completion_audio`` and ``ChoiceDeltaAudio`` of openai 3.57)."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

import orjson

from llmsim.core import (
    Choice,
    Completion,
    MediaSizes,
    ReasoningSegment,
    Request,
    Stamp,
    TextSegment,
)
from llmsim.core.errors import invalid
from llmsim.providers.media import audio_files, speech
from llmsim.providers.openai.chat.messages import AudioPart
from llmsim.providers.openai.chat.params import ChatRequest
from llmsim.providers.wire.beats import BeatRun

CHARACTERS_PER_TOKEN: Final = 48
"""Of sound in a prompt, in base64: only the order of size of its tokens is known."""
LASTS: Final = 3600
"""Seconds for which the sound can be referred to."""
BASE64: Final = speech.TOKEN_BYTES * 4 // 3
"""Bytes of a token's sound in an answer."""


def media(body: bytes, wire: ChatRequest) -> MediaSizes | None:
    """What of a request and its answer is sound; None if nothing is. Raises BadRequest where the
    answer's sound cannot be made as it is asked for."""
    heard = _heard(wire) if b'"input_audio"' in body else 0
    if not wire.audio_wanted:
        return MediaSizes(prompt=heard) if heard else None
    if wire.audio is None:
        raise invalid("Missing required parameter: 'audio'.", "audio", "missing_required_parameter")
    if wire.stream and wire.audio.format != "pcm16":
        raise invalid(
            f"Unsupported value: 'audio.format' does not support '{wire.audio.format}' when "
            "stream=true. Supported values are: 'pcm16'.",
            "audio.format",
            "unsupported_value",
        )
    return MediaSizes(prompt=heard, token_size=BASE64)


def _heard(wire: ChatRequest) -> int:
    return sum(
        len(part.input_audio.data) // CHARACTERS_PER_TOKEN
        for message in wire.messages
        if isinstance(message.content, list)
        for part in message.content
        if isinstance(part, AudioPart)
    )


def said(choice: Choice, wire: ChatRequest) -> TextSegment | None:
    """The text that a choice says aloud; None where it is silent: calls, refusals, or nothing asked
    for."""
    last = choice.segments[-1]
    return last if wire.audio_wanted and isinstance(last, TextSegment) else None


def completion_tokens(request: Request, completion: Completion) -> int:
    """How many of the completion's tokens are sound: four fifths of what is said, about what the
    live service counts."""
    words = [said(choice, request.wire) for choice in completion.choices]
    return sum(text.generated.tokens * 4 // 5 for text in words if text is not None)


def member(index: int, text: TextSegment, wire: ChatRequest, stamp: Stamp) -> bytes:
    """A whole message's ``audio``."""
    generated = text.generated
    form = wire.audio.format if wire.audio is not None else "wav"
    sound = audio_files.FORMATS[form](speech.pcm(generated.text, 0, generated.tokens))
    return b',"audio":{"id":"%b","data":"%b","expires_at":%d,"transcript":%b}' % (
        _id(index, stamp),
        b64encode(sound),
        stamp.created + LASTS,
        orjson.dumps(generated.text),
    )


def deltas(
    index: int, choice: Choice, text: TextSegment, stamp: Stamp
) -> tuple[list[bytes], list[BeatRun]]:
    """The deltas of a message that is said, between its role and its end, and their beats: the id,
    each piece of the transcript and how it sounds, and at last until when it is there."""
    generated, before = text.generated, 0
    for segment in choice.segments[:-1]:
        if isinstance(segment, ReasoningSegment):
            before += segment.generated.tokens
    whole = generated.text
    made = [b'"audio":{"id":"%b"}' % _id(index, stamp)]
    ends: list[int] = [0]
    start = 0
    for piece, end in zip(generated.pieces, generated.ends, strict=True):
        made.append(b'"audio":{"transcript":%b}' % orjson.dumps(piece))
        made.append(b'"audio":{"data":"%b"}' % b64encode(speech.pcm(whole, start, end + 1)))
        ends += (end, end)
        start = end + 1
    made.append(b'"audio":{"expires_at":%d}' % (stamp.created + LASTS))
    ends.append(max(0, generated.tokens - 1))
    return made, [(ends, before)]


def _id(index: int, stamp: Stamp) -> bytes:
    return f"audio_{stamp.mark}{index:06x}".encode()
