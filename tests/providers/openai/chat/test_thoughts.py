"""Thoughts as ``reasoning_content``, and usage in every chunk."""

from typing import Any

import orjson
import pytest

import llmsim
from llmsim.providers.openai.chat.reading import shows_thoughts

HI = [{"role": "user", "content": "hi"}]
INSTANT = {"latency": {"profile": "instant"}}


def plain(config: dict[str, Any] | None = None, **fields: Any) -> Any:
    body = {"messages": HI, **fields}
    (frame,) = llmsim.plan(body, config=INSTANT | (config or {}), seed=7).frames
    return orjson.loads(frame)


def chunks(config: dict[str, Any] | None = None, **fields: Any) -> list[Any]:
    body = {"messages": HI, "stream": True, **fields}
    sent = b"".join(llmsim.plan(body, config=INSTANT | (config or {}), seed=7).frames)
    lines = [line.removeprefix(b"data: ") for line in sent.splitlines()]
    return [orjson.loads(line) for line in lines if line.startswith(b"{")]


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("deepseek-reasoner", True),
        ("openrouter/deepseek/deepseek-r1", True),
        ("qwen3-235b-thinking", True),
        ("gpt-5", False),
        ("o3", False),
        ("claude-sonnet-4-5", False),
    ],
)
def test_whose_thoughts_are_shown(model: str, shown: bool) -> None:
    assert shows_thoughts(model) is shown


def test_deepseeks_thoughts_are_part_of_the_message_and_of_the_usage() -> None:
    answer = plain(model="deepseek-reasoner")
    message, usage = answer["choices"][0]["message"], answer["usage"]
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    assert message["content"]
    assert llmsim.count_tokens(message["reasoning_content"], "deepseek-reasoner") == reasoning > 0
    assert usage["completion_tokens"] > reasoning


def test_a_stream_has_them_before_the_text_and_says_the_same() -> None:
    whole = plain(model="deepseek-reasoner")["choices"][0]["message"]
    deltas = [one["delta"] for each in chunks(model="deepseek-reasoner") for one in each["choices"]]
    thoughts = [delta["reasoning_content"] for delta in deltas if "reasoning_content" in delta]
    texts = [delta["content"] for delta in deltas if delta.get("content")]
    assert ("".join(thoughts), "".join(texts)) == (whole["reasoning_content"], whole["content"])
    kinds = ["reasoning_content" in delta for delta in deltas[1:-1]]
    assert kinds == sorted(kinds, reverse=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "deepseek-reasoner", "thinking": {"type": "disabled"}},
        {"model": "deepseek-chat"},
        {"model": "gpt-5"},
    ],
)
def test_who_does_not_think_or_does_not_show_it_has_none(fields: dict[str, Any]) -> None:
    assert "reasoning_content" not in plain(**fields)["choices"][0]["message"]


def test_thinking_is_turned_on_by_the_request() -> None:
    answer = plain(model="deepseek-chat", thinking={"type": "enabled"})
    assert answer["choices"][0]["message"]["reasoning_content"]


def test_a_mock_gives_thoughts_to_any_open_model() -> None:
    mocked = {"mocks": [{"response": {"content": "Two.", "reasoning": "One and one."}}]}
    message = plain(mocked, model="my-model")["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("Two.", "One and one.")


COUNTED = {"include_usage": True, "continuous_usage_stats": True}


@pytest.mark.parametrize("fields", [{"model": "llama"}, {"model": "deepseek-reasoner", "n": 2}])
def test_continuous_usage_is_in_every_chunk_and_grows_to_the_last(fields: dict[str, Any]) -> None:
    found = chunks(**fields, max_tokens=40, stream_options=COUNTED)
    for index in range(fields.get("n", 1)):
        counts = [
            each["usage"]["completion_tokens"]
            for each in found
            for one in each["choices"]
            if one["index"] == index
        ]
        assert counts == sorted(counts)
        assert (counts[0], counts[-1]) == (0, 40)
    assert found[-1]["choices"] == []
    assert found[-1]["usage"]["completion_tokens"] == 40 * fields.get("n", 1)


def test_it_needs_include_usage() -> None:
    found = chunks(model="llama", stream_options={"continuous_usage_stats": True})
    assert all("usage" not in each for each in found)
