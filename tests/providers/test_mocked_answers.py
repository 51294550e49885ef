"""Whatever a mock says, the answer has the provider's shape: plain and streamed."""

from typing import Any

import orjson
import pytest

import llmsim

HI = [{"role": "user", "content": "hi"}]
BODIES: dict[str, dict[str, Any]] = {
    "openai_chat": {"model": "gpt-4o", "messages": HI},
    "anthropic": {"model": "claude-sonnet-4-5", "max_tokens": 50, "messages": HI},
    "gemini": {"model": "gemini-2.5-flash", "contents": [{"parts": [{"text": "hi"}]}]},
}
BAD_CALL = {"tool_calls": [{"name": "f", "arguments": "{x: 1,"}]}
NOTHING = {"content": {"role": "model"}, "index": 0}


def frames(dialect: str, response: dict[str, Any], stream: bool) -> bytes:
    config = {"latency": {"profile": "instant"}, "mocks": [{"response": response}]}
    body = {**BODIES[dialect], "stream": stream}
    return b"".join(llmsim.plan(body, dialect=dialect, config=config).frames)


def documents(dialect: str, response: dict[str, Any], stream: bool) -> list[Any]:
    """All JSON documents of an answer."""
    sent = frames(dialect, response, stream)
    if not stream:
        return [orjson.loads(sent)]
    lines = [line.removeprefix(b"data: ") for line in sent.splitlines()]
    return [orjson.loads(line) for line in lines if line.startswith(b"{")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("response", "finish"),
    [
        (BAD_CALL, "MALFORMED_FUNCTION_CALL"),
        ({"finish_reason": "MALFORMED_FUNCTION_CALL"}, "MALFORMED_FUNCTION_CALL"),
        ({"content": "", "finish_reason": "length"}, "MAX_TOKENS"),
        ({"content": "", "finish_reason": "content_filter"}, "SAFETY"),
        ({"content": "", "finish_reason": "RECITATION"}, "RECITATION"),
    ],
)
def test_a_gemini_candidate_that_says_nothing_has_no_parts(
    response: dict[str, Any], finish: str, stream: bool
) -> None:
    candidates = [
        one for each in documents("gemini", response, stream) for one in each["candidates"]
    ]
    assert candidates == [{**NOTHING, "finishReason": finish}]


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_prompt_has_no_candidates(stream: bool) -> None:
    (document,) = documents("gemini", {"block_reason": "PROHIBITED_CONTENT"}, stream)
    assert document["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert "candidates" not in document


def finish(dialect: str, response: dict[str, Any], stream: bool) -> Any:
    """The last finish reason that an answer gives."""
    found = None
    for document in documents(dialect, response, stream):
        for one in (document, *document.get("choices", ()), *document.get("candidates", ())):
            found = one.get("finish_reason") or one.get("finishReason") or found
            found = one.get("stop_reason") or one.get("delta", {}).get("stop_reason") or found
    return found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("word", "chat", "anthropic", "gemini"),
    [
        ("stop", "stop", "end_turn", "STOP"),
        ("content_filter", "content_filter", "refusal", "SAFETY"),
        ("pause_turn", "stop", "pause_turn", "STOP"),
        ("model_context_window_exceeded", "length", "model_context_window_exceeded", "MAX_TOKENS"),
        ("SPII", "content_filter", "refusal", "SPII"),
        ("recitation", "content_filter", "refusal", "RECITATION"),
        ("OTHER", "stop", "end_turn", "OTHER"),
    ],
)
def test_a_word_of_one_provider_is_the_nearest_of_the_others(
    word: str, chat: str, anthropic: str, gemini: str, stream: bool
) -> None:
    response = {"content": "text", "finish_reason": word}
    ends = [finish(dialect, response, stream) for dialect in BODIES]
    assert ends == [chat, anthropic, gemini]
