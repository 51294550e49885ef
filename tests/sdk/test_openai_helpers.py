"""The `openai` package's own helpers over chat completions: `.stream()` and `.parse()`."""

import asyncio
from typing import Any

import pytest
from openai import AsyncOpenAI, LengthFinishReasonError, OpenAI
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from llmsim.engine.tokens import ranks

MODEL = "gpt-4o"
HI: Any = [{"role": "user", "content": "hi"}]
TOKENS = ranks.encoding("o200k_base").encode_ordinary


def said(completion: ChatCompletion) -> str:
    content = completion.choices[0].message.content
    assert content is not None
    return content


@pytest.mark.parametrize("n", [1, 3])
def test_the_stream_helper(openai_client: OpenAI, n: int) -> None:
    plain = openai_client.chat.completions.create(model=MODEL, messages=HI, seed=5, n=n)
    with openai_client.chat.completions.stream(
        model=MODEL, messages=HI, seed=5, n=n, stream_options={"include_usage": True}
    ) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    assert {event.type for event in events} == {"chunk", "content.delta", "content.done"}
    contents = [choice.message.content for choice in plain.choices]
    # Choices end when they end: by no means in order.
    done = [event.content for event in events if event.type == "content.done"]
    assert sorted(done) == sorted(contents)
    assert [choice.message.content for choice in final.choices] == contents
    assert [choice.finish_reason for choice in final.choices] == ["stop"] * n
    assert final.usage == plain.usage


def test_the_async_stream_helper(openai_async: AsyncOpenAI) -> None:
    async def scene() -> tuple[list[str], ChatCompletion]:
        async with (
            openai_async as client,
            client.chat.completions.stream(model=MODEL, messages=HI) as stream,
        ):
            deltas = [event.delta async for event in stream if event.type == "content.delta"]
            return deltas, await stream.get_final_completion()

    deltas, final = asyncio.run(scene())
    assert "".join(deltas) == said(final)
    assert final.choices[0].finish_reason == "stop"


def test_the_helper_passes_log_probabilities_on(openai_client: OpenAI) -> None:
    with openai_client.chat.completions.stream(
        model=MODEL, messages=HI, logprobs=True, top_logprobs=1
    ) as stream:
        events = [event for event in stream if event.type == "logprobs.content.delta"]
        final = stream.get_final_completion()
    told = [entry.token for event in events for entry in event.content]
    assert "".join(told) == said(final)
    assert len(told) == len(TOKENS(said(final)))


class Weather(BaseModel):
    city: str
    degrees: float
    outlook: list[str]


def test_the_helpers_parse_an_answer(openai_client: OpenAI) -> None:
    asked: Any = {"model": MODEL, "messages": HI, "seed": 11, "response_format": Weather}
    plain = openai_client.chat.completions.parse(**asked)
    with openai_client.chat.completions.stream(**asked) as stream:
        final = stream.get_final_completion()
    assert isinstance(plain.choices[0].message.parsed, Weather)
    assert final.choices[0].message.parsed == plain.choices[0].message.parsed


def test_the_helpers_raise_when_the_limit_cuts_the_answer(openai_client: OpenAI) -> None:
    asked: Any = {"model": MODEL, "messages": HI, "max_tokens": 2, "response_format": Weather}
    with pytest.raises(LengthFinishReasonError) as caught:
        openai_client.chat.completions.parse(**asked)
    assert caught.value.completion.usage is not None
    assert caught.value.completion.usage.completion_tokens == 2
    with (
        openai_client.chat.completions.stream(**asked) as stream,
        pytest.raises(LengthFinishReasonError),
    ):
        stream.until_done()
