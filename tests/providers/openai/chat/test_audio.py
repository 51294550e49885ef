"""Chat completions with sound."""

import io
import wave
from base64 import b64decode
from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from llmsim.core import Completion, Request, StreamScript, TextSegment
from llmsim.core.errors import BadRequest
from llmsim.providers.media import speech
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.wire import sse
from tests.providers.openai.chat.test_codec import CHAT, STAMP, choice, completed, words

WAV = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
PCM = {"modalities": ["text", "audio"], "audio": {"voice": {"id": "voice_1"}, "format": "pcm16"}}
TEXT = "It is half past nine."
SAID = completed(choice(TextSegment(words(TEXT))))
TOKENS = SAID.choices[0].tokens


def asked(**fields: Any) -> Request:
    body = {"model": "gpt-audio", "messages": [{"role": "user", "content": "hi"}], **fields}
    return CHAT.decode(orjson.dumps(body))


def streamed(request: Request, completion: Completion) -> tuple[list[dict[str, Any]], StreamScript]:
    script = CHAT.script(request, completion, STAMP)
    frames = [script.frames[index] for index in range(len(script.frames))]
    return [
        orjson.loads(data) for data in sse.messages(b"".join(frames)) if data[:1] == b"{"
    ], script


def test_a_plain_answer_has_its_sound_and_what_it_says() -> None:
    answer = ChatCompletion.model_validate_json(CHAT.plain(asked(**WAV), SAID, STAMP))
    message = answer.choices[0].message
    assert message.content is None
    assert message.audio is not None
    assert message.audio.transcript == TEXT
    assert message.audio.id.startswith("audio_")
    assert message.audio.expires_at > STAMP.created
    with wave.open(io.BytesIO(b64decode(message.audio.data))) as file:
        assert file.getframerate() == speech.RATE
        assert file.getnframes() == TOKENS * speech.TOKEN_SAMPLES
    assert answer.usage is not None
    details = answer.usage.completion_tokens_details
    assert details is not None
    assert details.audio_tokens
    assert details.audio_tokens + (details.text_tokens or 0) == answer.usage.completion_tokens


def test_a_stream_says_id_transcript_and_sound_in_pieces_and_until_when() -> None:
    request = asked(**PCM, stream=True, stream_options={"include_usage": True})
    chunks, script = streamed(request, SAID)
    assert len(script.beats) == len(script.frames) == sum(script.parts or [len(script.beats)])
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert deltas[0] == {"role": "assistant", "content": None, "refusal": None}
    audio = [delta["audio"] for delta in deltas[1:-1]]
    assert list(audio[0]) == ["id"]
    assert list(audio[-1]) == ["expires_at"]
    assert "".join(one.get("transcript", "") for one in audio) == TEXT
    plain = orjson.loads(CHAT.plain(asked(**PCM), SAID, STAMP))["choices"][0]["message"]["audio"]
    assert "".join(one.get("data", "") for one in audio) == plain["data"]
    assert plain["id"] == audio[0]["id"]
    assert chunks[-1]["usage"]["completion_tokens_details"]["audio_tokens"] == TOKENS * 4 // 5
    assert deltas[-1] == {}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"modalities": ["text", "audio"]}, "Missing required parameter: 'audio'."),
        ({**WAV, "stream": True}, "does not support 'wav' when stream=true"),
        ({**WAV, "audio": {"voice": "alloy", "format": "ogg"}}, "Invalid value: 'ogg'"),
        ({**WAV, "audio": {"format": "wav"}}, "audio.voice"),
    ],
)
def test_sound_that_cannot_be_made_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        asked(**fields)


def test_an_earlier_answer_is_referred_to() -> None:
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "audio": {"id": "audio_1"}},
        {"role": "user", "content": "again"},
    ]
    request = asked(**WAV, messages=history)
    assert request.messages[1].extra > 0


def test_sound_that_was_heard_is_in_the_prompts_tokens() -> None:
    heard = {"type": "input_audio", "input_audio": {"data": "A" * 4800, "format": "wav"}}
    request = asked(messages=[{"role": "user", "content": [heard]}])
    answer = orjson.loads(CHAT.plain(request, SAID, STAMP))
    assert answer["usage"]["prompt_tokens_details"]["audio_tokens"] == 100
    assert answer["choices"][0]["message"]["content"] == TEXT


def test_text_alone_is_text() -> None:
    message = orjson.loads(CHAT.plain(asked(modalities=["text"]), SAID, STAMP))["choices"][0][
        "message"
    ]
    assert message["content"] == TEXT
    assert "audio" not in message


STRICT = OpenAIChat(strict=True)


@pytest.mark.parametrize(
    ("model", "fields", "words"),
    [
        ("gpt-4o", WAV, "'modalities' does not support 'audio' with this model"),
        ("gpt-audio", {}, "requires that either input content or output modality contain audio"),
        ("gpt-4o-mini-audio-preview", {"modalities": ["text"]}, "contain audio"),
    ],
)
def test_strict_knows_which_models_have_sound(
    model: str, fields: dict[str, Any], words: str
) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **fields}
    with pytest.raises(BadRequest, match=words):
        STRICT.decode(orjson.dumps(body))


def test_strict_takes_sound_of_models_that_have_it() -> None:
    body = {"model": "gpt-audio-mini", "messages": [{"role": "user", "content": "hi"}], **WAV}
    assert STRICT.decode(orjson.dumps(body)).media is not None
