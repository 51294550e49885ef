"""The size of an answer: known before it is made, never less than it is."""

import time
import tracemalloc
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from llmsim.core import Request
from llmsim.core.errors import BadRequest
from llmsim.engine import answer_size
from llmsim.engine.plan import plan
from llmsim.providers import registry
from tests.engine.asking import STAMP, drawn, settings

CODECS = {name: endpoint.codec for name, endpoint in registry.by_codec().items()}
SAY = {"messages": [{"role": "user", "content": "Say something."}]}
CONTENTS = {"contents": [{"parts": [{"text": "Hi"}]}]}
TOP = {"logprobs": True, "top_logprobs": 20}

ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("openai_chat", SAY),
    "chat, streamed": ("openai_chat", {**SAY, "stream": True}),
    "chat, choices": ("openai_chat", {**SAY, "n": 7}),
    "chat, log probabilities": ("openai_chat", {**SAY, **TOP, "n": 2}),
    "chat, streamed log probabilities": ("openai_chat", {**SAY, **TOP, "n": 2, "stream": True}),
    "responses": ("openai_responses", {"input": "Hi"}),
    "responses, streamed": ("openai_responses", {"input": "Hi", "stream": True}),
    "responses, log probabilities": (
        "openai_responses",
        {
            "input": "Hi",
            "stream": True,
            "top_logprobs": 20,
            "include": ["message.output_text.logprobs"],
        },
    ),
    "completions": ("openai_completions", {"prompt": ["a", "b"], "n": 3, "best_of": 5}),
    "completions, echoed": (
        "openai_completions",
        {"prompt": ["a " * 400], "n": 3, "echo": True, "logprobs": 5},
    ),
    "completions, streamed": ("openai_completions", {"prompt": "a", "logprobs": 5, "stream": True}),
    "messages": ("anthropic", {**SAY, "max_tokens": 9999}),
    "messages, streamed": ("anthropic", {**SAY, "max_tokens": 9999, "stream": True}),
    "generate": ("gemini", CONTENTS),
    "generate, streamed": ("gemini", {**CONTENTS, "stream": True}),
    "embeddings": ("openai_embeddings", {"input": ["a", "b"], "dimensions": 4096}),
    "moderations": ("openai_moderations", {"input": ["a", "b", "kill"]}),
}


def request(name: str) -> tuple[str, Request]:
    codec, body = ASKED[name]
    return codec, CODECS[codec].decode(orjson.dumps({"model": "nobody-knows", **body}))


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_is_no_larger_than_it_was_taken_to_be(name: str) -> None:
    codec, asked = request(name)
    model_settings = settings("nobody-knows", tokens=500)
    inputs = drawn(asked, model_settings)
    made = plan(asked, model_settings, inputs, CODECS[codec], STAMP)
    sent = len(made.frames.join(0, len(made.frames)))
    # Its closing events say three times more what was said, and hold it once.
    size = sent // 4 if name.startswith("responses, ") else sent
    with pytest.raises(BadRequest, match=r"server\.max_answer_bytes") as refused:
        plan(asked, model_settings, replace(inputs, most_bytes=size - 1), CODECS[codec], STAMP)
    assert refused.value.failure.code == answer_size.TOO_LARGE
    # Not so much larger, either, that who asks for less than half of the bound is refused.
    enough = replace(inputs, most_bytes=3 * sent + 10_000)
    assert plan(asked, model_settings, enough, CODECS[codec], STAMP).frames[0] == made.frames[0]


BOMBS: dict[str, tuple[str, dict[str, Any]]] = {
    "choices": ("openai_chat", {**SAY, **TOP, "n": 128, "max_tokens": 16_000}),
    "choices, streamed": (
        "openai_chat",
        {**SAY, **TOP, "n": 128, "max_tokens": 16_000, "stream": True},
    ),
    "prompts": (
        "openai_completions",
        {"prompt": ["a"] * 100, "n": 20, "best_of": 20, "max_tokens": 16_000, "logprobs": 5},
    ),
    "vectors": ("openai_embeddings", {"input": ["a"] * 2048, "dimensions": 1 << 40}),
    "verdicts": ("openai_moderations", {"input": ["a"] * 200_000}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(name: str) -> None:
    codec, body = BOMBS[name]
    asked = CODECS[codec].decode(orjson.dumps({"model": "nobody-knows", **body}))
    model_settings = settings("nobody-knows", tokens=16_000)
    inputs = replace(drawn(asked, model_settings), most_bytes=128 * 2**20)
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(BadRequest):
        plan(asked, model_settings, inputs, CODECS[codec], STAMP)
    took, (_, most) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 2.0
    assert most < 64 * 2**20


def test_a_full_page_of_large_embeddings_is_not_refused() -> None:
    codec = CODECS["openai_embeddings"]
    body = {"model": "nobody-knows", "input": ["a"] * 2048, "dimensions": 4096}
    asked = codec.decode(orjson.dumps(body))
    assert asked.task is not None
    answer_size.check(answer_size.of_task(asked, asked.task, 4096), 128 * 2**20)
