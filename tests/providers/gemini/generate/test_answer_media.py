"""Gemini: sound and pictures in answers."""

from base64 import b64decode
from typing import Any

import orjson
import pytest
from google.genai.types import GenerateContentResponse

from llmsim.core import Completion, TextSegment, ToolCallSegment, Usage
from llmsim.core.errors import BadRequest
from llmsim.providers.gemini.generate.answer_media import PICTURE_TOKENS, SOUND_TYPE
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.media import speech
from llmsim.providers.wire import sse
from tests.providers.gemini.generate.test_codec import STAMP, asked, choice, completed, words

TEXT = "It is half past nine."
SAID = completed(choice(TextSegment(words(TEXT))))
TOKENS = SAID.choices[0].tokens
PAINTED = Completion(SAID.choices, Usage(9, TOKENS + PICTURE_TOKENS))
VOICE = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}
SOUND = {"responseModalities": ["AUDIO"], "speechConfig": VOICE}
BOTH = {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9"}}
PICTURE = {"responseModalities": ["IMAGE"]}


def plain(completion: Completion, model: str = "gemini-2.5-flash", **config: Any) -> dict[str, Any]:
    codec = Gemini(model)
    body = codec.plain(asked(codec, generationConfig=config), completion, STAMP)
    GenerateContentResponse.model_validate_json(body)
    answer: dict[str, Any] = orjson.loads(body)
    return answer


def streamed(completion: Completion, **config: Any) -> list[dict[str, Any]]:
    codec = Gemini("gemini-2.5-flash", stream=True)
    script = codec.script(asked(codec, generationConfig=config), completion, STAMP)
    assert len(script.beats) == len(script.frames)
    body = b"".join(script.frames[index] for index in range(len(script.frames)))
    chunks = [orjson.loads(data) for data in sse.messages(body.replace(b"\r\n", b"\n"))]
    for chunk in chunks:
        GenerateContentResponse.model_validate(chunk)
    return chunks


def parts(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        part
        for chunk in chunks
        for candidate in chunk["candidates"]
        for part in candidate["content"].get("parts", ())
    ]


def test_an_answer_that_is_said() -> None:
    answer = plain(SAID, **SOUND)
    [part] = parts([answer])
    assert part["inlineData"]["mimeType"] == SOUND_TYPE == "audio/L16;codec=pcm;rate=24000"
    assert b64decode(part["inlineData"]["data"]) == speech.pcm(TEXT, 0, TOKENS)
    assert answer["usageMetadata"]["candidatesTokensDetails"] == [
        {"modality": "AUDIO", "tokenCount": TOKENS}
    ]


def test_sound_is_streamed_in_pieces() -> None:
    chunks = streamed(SAID, **SOUND)
    pieces = [b64decode(part["inlineData"]["data"]) for part in parts(chunks)]
    assert len(pieces) > 3
    assert b"".join(pieces) == speech.pcm(TEXT, 0, TOKENS)
    assert [c["candidates"][0].get("finishReason") for c in chunks].count("STOP") == 1


def test_a_picture_after_text() -> None:
    answer = plain(PAINTED, **BOTH)
    text, picture = parts([answer])
    assert text == {"text": TEXT}
    file = b64decode(picture["inlineData"]["data"])
    assert picture["inlineData"]["mimeType"] == "image/png"
    assert file[16:24] == (1344).to_bytes(4, "big") + (768).to_bytes(4, "big")
    assert answer["usageMetadata"]["candidatesTokensDetails"] == [
        {"modality": "IMAGE", "tokenCount": PICTURE_TOKENS},
        {"modality": "TEXT", "tokenCount": TOKENS},
    ]
    streams = parts(streamed(PAINTED, **BOTH))
    assert "".join(part.get("text", "") for part in streams) == TEXT
    assert streams[-1] == picture


def test_a_picture_alone() -> None:
    answer = plain(PAINTED, **PICTURE)
    [part] = parts([answer])
    assert "inlineData" in part
    assert parts(streamed(PAINTED, **PICTURE)) == [part]
    [count] = answer["usageMetadata"]["candidatesTokensDetails"]
    assert count == {"modality": "IMAGE", "tokenCount": TOKENS + PICTURE_TOKENS}


def test_alternatives_are_said_too() -> None:
    two = completed(*SAID.choices, *SAID.choices)
    assert len(parts([plain(two, candidateCount=2, **SOUND)])) == 2
    chunks = streamed(two, candidateCount=2, **SOUND)
    said = b"".join(b64decode(part["inlineData"]["data"]) for part in parts(chunks))
    assert said == speech.pcm(TEXT, 0, TOKENS) * 2


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ("gemini-2.5-flash-image", ["text", "inlineData"]),
        ("gemini-2.5-flash-preview-tts", ["inlineData"]),
        ("gemini-2.5-flash", ["text"]),
    ],
)
def test_models_answer_with_what_they_are_for(model: str, kinds: list[str]) -> None:
    assert [next(iter(part)) for part in parts([plain(PAINTED, model)])] == kinds


def test_a_call_is_neither_said_nor_painted() -> None:
    call = completed(choice(ToolCallSegment("f", words("{}"))))
    assert "functionCall" in parts([plain(call, **SOUND)])[0]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"responseModalities": ["SMELL"]}, "response_modalities"),
        ({**PICTURE, "imageConfig": {"aspectRatio": "7:3"}}, "aspect_ratio: must be one of"),
    ],
)
def test_what_there_is_not_is_refused(config: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        asked(generationConfig=config)


STRICT = [
    ("gemini-2.5-flash", SOUND, "combination of response modalities (AUDIO)"),
    ("gemini-2.5-flash", BOTH, "combination of response modalities (TEXT, IMAGE)"),
    ("gemini-2.5-flash-preview-tts", {}, "combination of response modalities (TEXT)"),
    ("gemini-2.5-flash-image", SOUND, "combination of response modalities (AUDIO)"),
    ("gemini-2.5-flash-image", {"speechConfig": VOICE}, "Cannot extract voices"),
]


@pytest.mark.parametrize(("model", "config", "words"), STRICT)
def test_strict_knows_what_models_answer_with(
    model: str, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        asked(Gemini(model, strict=True), generationConfig=config)
    assert words in caught.value.failure.message


@pytest.mark.parametrize(
    ("model", "config"),
    [
        ("gemini-2.5-flash", {"responseModalities": ["TEXT"]}),
        ("gemini-2.5-flash-preview-tts", SOUND),
        ("gemini-2.5-flash-image", BOTH),
        ("gemini-3-pro-image", PICTURE),
    ],
)
def test_strict_takes_what_models_answer_with(model: str, config: dict[str, Any]) -> None:
    asked(Gemini(model, strict=True), generationConfig=config)
