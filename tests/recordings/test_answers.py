"""What answers say of themselves."""

import json
from typing import Any

import pytest

from llmsim.recordings.answers import FrameTokens, answer_id, asked, complete, usage
from llmsim.recordings.recording import RecordedUsage


def event(data: Any) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


CHAT = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
CHAT |= {"prompt_tokens_details": {"cached_tokens": 4}}
CHAT |= {"completion_tokens_details": {"reasoning_tokens": 2}}
RESPONSES = {"input_tokens": 9, "output_tokens": 5}
RESPONSES |= {"input_tokens_details": {"cached_tokens": 4}}
RESPONSES |= {"output_tokens_details": {"reasoning_tokens": 2}}
ANTHROPIC = {"input_tokens": 3, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2}
GEMINI = {"promptTokenCount": 9, "candidatesTokenCount": 3, "thoughtsTokenCount": 2}
GEMINI |= {"cachedContentTokenCount": 4}
FULL = RecordedUsage(prompt=9, completion=5, cached=4, reasoning=2)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (json.dumps({"usage": CHAT}).encode(), FULL),
        (event({"choices": []}) + event({"usage": CHAT}) + b"data: [DONE]\n\n", FULL),
        (json.dumps({"usage": RESPONSES}).encode(), FULL),
        (event({"type": "response.completed", "response": {"usage": RESPONSES}}), FULL),
        (
            event({"type": "message_start", "message": {"usage": ANTHROPIC | {"output_tokens": 1}}})
            + event({"type": "message_delta", "usage": {"output_tokens": 5}}),
            RecordedUsage(prompt=9, completion=5, cached=4),
        ),
        (
            event({"usageMetadata": {"promptTokenCount": 9}}) + event({"usageMetadata": GEMINI}),
            FULL,
        ),
        (json.dumps([{"usageMetadata": GEMINI}]).encode(), FULL),
        (b"", None),
        (b'{"error": {}}', None),
        (b'{"usage": null}', None),
        (b"not JSON", None),
    ],
)
def test_usage(body: bytes, expected: RecordedUsage | None) -> None:
    assert usage(body) == expected


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/v1/chat/completions", b'{"model":"m","stream":true}', ("m", True)),
        ("/v1/chat/completions", b'{"model":"m"}', ("m", False)),
        ("/v1beta/models/g:generateContent", b"{}", ("g", False)),
        ("/v1beta/models/g:streamGenerateContent", b"{}", ("g", True)),
        ("/v1/models", b"", ("", False)),
        ("/v1/x", b"\xff", ("", False)),
    ],
)
def test_asked(path: str, body: bytes, expected: tuple[str, bool]) -> None:
    assert asked(path, body) == expected


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"id":"chatcmpl-1"}', "chatcmpl-1"),
        (event({"type": "message_start", "message": {"id": "msg_1"}}), "msg_1"),
        (event({"type": "response.created", "response": {"id": "resp_1"}}), "resp_1"),
        (b'{"responseId":"g"}', "g"),
        (b"{}", ""),
    ],
)
def test_answer_id(body: bytes, name: str) -> None:
    assert answer_id(body) == name


@pytest.mark.parametrize(
    "data",
    [
        {"choices": [{"delta": {"content": "two words"}}]},
        {"choices": [{"delta": {"reasoning_content": "two words"}}]},
        {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": "two words"}}]}}]},
        {"choices": [{"text": "two words"}]},
        {"type": "response.output_text.delta", "delta": "two words"},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "two words"}},
        {"type": "content_block_delta", "delta": {"partial_json": "two words"}},
        {"candidates": [{"content": {"parts": [{"text": "two words"}]}}]},
    ],
)
def test_tokens_of_a_frame(data: Any) -> None:
    frames = FrameTokens(lambda text: len(text.split()))
    assert frames.of(event(data)) == 2
    assert frames.of(event(data) + event({"choices": []}) + event(data)) == 4


def test_what_is_cut_counts_with_the_frame_that_ends_it() -> None:
    whole = event({"choices": [{"delta": {"content": "two words"}}]})
    for cut in range(1, len(whole)):
        frames = FrameTokens(lambda text: len(text.split()))
        assert [frames.of(whole[:cut]), frames.of(whole[cut:])] == [0, 2]


@pytest.mark.parametrize(
    "data", [{"choices": [{"delta": {"role": "assistant", "content": ""}}]}, {"type": "ping"}, {}]
)
def test_frames_without_tokens(data: Any) -> None:
    assert FrameTokens(lambda _: 7).of(event(data)) == 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'data: {"id":"a"}\n\ndata: [DONE]\n\n', True),
        (b'data: {"id":"a"}\n\n', False),
        (b'event: message_stop\ndata: {"type":"message_stop"}\n\n', True),
        (b'data: {"type":"message_stop"}\n\ndata: {"type":"error"}\n\n', False),
        (b'data: {"type":"response.completed"}\n\n', True),
        (b'data: {"candidates":[{"finishReason":"STOP"}]}\r\n\r\n', True),
        (b'data: {"candidates":[{"content":{}}]}\r\n\r\n', False),
        (b"", False),
    ],
)
def test_a_stream_that_has_said_all_is_complete(body: bytes, expected: bool) -> None:
    assert complete(body) is expected
