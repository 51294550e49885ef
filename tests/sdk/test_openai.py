"""The newest `openai` package gets from llmsim what it gets from OpenAI: chat completions."""

import asyncio
from base64 import b64encode
from struct import pack
from typing import Any

import pytest
from openai import AsyncOpenAI, DefaultHttpxClient, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from llmsim.engine.tokens import ranks
from tests.live.http1 import slot_of
from tests.live.watch import until
from tests.live.workers import pids

MODEL = "gpt-4o"
HI: Any = [{"role": "user", "content": "hi"}]
TOKENS = ranks.encoding("o200k_base").encode_ordinary


def text(chunks: list[ChatCompletionChunk], index: int = 0) -> str:
    """What the chunks say in one choice."""
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(choice.delta.content or "" for choice in choices)


def said(completion: ChatCompletion) -> str:
    content = completion.choices[0].message.content
    assert content is not None
    return content


def test_a_plain_answer(openai_client: OpenAI) -> None:
    answer = openai_client.chat.completions.create(model=MODEL, messages=HI)
    (choice,) = answer.choices
    assert answer.object == "chat.completion"
    assert answer.id.startswith("chatcmpl-")
    assert answer.model == MODEL
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert choice.message.tool_calls is None
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 8
    assert answer.usage.completion_tokens == len(TOKENS(said(answer))) > 0
    assert answer.usage.total_tokens == 8 + answer.usage.completion_tokens


def test_a_streamed_answer(openai_client: OpenAI) -> None:
    with openai_client.chat.completions.create(model=MODEL, messages=HI, stream=True) as stream:
        chunks = list(stream)
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(chunk.choices[0].delta.role is None for chunk in chunks[1:])
    finishes = [chunk.choices[0].finish_reason for chunk in chunks]
    assert finishes == [None] * (len(chunks) - 1) + ["stop"]
    assert text(chunks)
    assert all("usage" not in chunk.model_fields_set for chunk in chunks)


def test_async_plain_and_streamed(openai_async: AsyncOpenAI) -> None:
    async def scene() -> tuple[ChatCompletion, list[ChatCompletionChunk]]:
        async with openai_async as client:
            create = client.chat.completions.create
            plain = await create(model=MODEL, messages=HI, seed=3)
            stream = await create(model=MODEL, messages=HI, seed=3, stream=True)
            return plain, [chunk async for chunk in stream]

    plain, chunks = asyncio.run(scene())
    assert text(chunks) == said(plain)


def test_many_at_once(openai_async: AsyncOpenAI) -> None:
    async def scene() -> list[ChatCompletion]:
        async with openai_async as client:
            create = client.chat.completions.create
            asked = (create(model=MODEL, messages=HI, max_tokens=n) for n in range(1, 51))
            return await asyncio.gather(*asked)

    answers = asyncio.run(scene())
    assert [one.usage.completion_tokens for one in answers if one.usage] == list(range(1, 51))
    assert len({one.id for one in answers}) == 50


def test_choices_differ_and_are_counted_together(openai_client: OpenAI) -> None:
    answer = openai_client.chat.completions.create(model=MODEL, messages=HI, n=4, seed=1)
    contents = [choice.message.content or "" for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert len(set(contents)) == 4
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 8
    assert answer.usage.completion_tokens == sum(len(TOKENS(content)) for content in contents)

    stream = openai_client.chat.completions.create(
        model=MODEL, messages=HI, n=4, seed=1, stream=True
    )
    chunks = list(stream)
    assert [text(chunks, index) for index in range(4)] == contents


@pytest.mark.parametrize("top", [None, 0, 5, 20])
def test_log_probabilities(openai_client: OpenAI, top: int | None) -> None:
    fields: Any = {"logprobs": True, "max_tokens": 15, "seed": 2}
    if top is not None:
        fields["top_logprobs"] = top
    plain = openai_client.chat.completions.create(model=MODEL, messages=HI, **fields)
    assert plain.choices[0].logprobs is not None
    entries = plain.choices[0].logprobs.content
    assert entries is not None
    assert len(entries) == 15
    assert b"".join(bytes(entry.bytes or []) for entry in entries) == said(plain).encode()
    assert all(entry.logprob <= 0 for entry in entries)
    assert {len(entry.top_logprobs) for entry in entries} == {top or 0}

    stream = openai_client.chat.completions.create(model=MODEL, messages=HI, stream=True, **fields)
    told = [chunk.choices[0].logprobs for chunk in stream]
    assert [entry for one in told if one for entry in one.content or []] == entries


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("tokens", [0, 1, 7])
def test_limits(openai_client: OpenAI, limit: str, tokens: int) -> None:
    asked: Any = {"model": MODEL, "messages": HI, limit: tokens, "seed": 4}
    plain = openai_client.chat.completions.create(**asked)
    chunks = list(openai_client.chat.completions.create(**asked, stream=True))
    assert plain.choices[0].finish_reason == chunks[-1].choices[0].finish_reason == "length"
    assert len(TOKENS(said(plain))) == tokens
    assert text(chunks) == said(plain)


def test_a_stop_sequence_ends_the_text_before_it(openai_client: OpenAI) -> None:
    create = openai_client.chat.completions.create
    whole = said(create(model=MODEL, messages=HI, seed=6))
    stop = whole.split(" ")[5]
    expected = whole[: whole.index(stop)]
    for stops in (stop, ["@@@", stop]):
        plain = create(model=MODEL, messages=HI, seed=6, stop=stops)
        chunks = list(create(model=MODEL, messages=HI, seed=6, stop=stops, stream=True))
        assert said(plain) == text(chunks) == expected
        assert plain.choices[0].finish_reason == chunks[-1].choices[0].finish_reason == "stop"
        assert plain.usage is not None
        assert plain.usage.completion_tokens == len(TOKENS(expected))


def test_usage_in_a_stream(openai_client: OpenAI) -> None:
    create = openai_client.chat.completions.create
    plain = create(model=MODEL, messages=HI, seed=7)
    stream = create(
        model=MODEL, messages=HI, seed=7, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = stream
    assert all(chunk.usage is None and "usage" in chunk.model_fields_set for chunk in chunks)
    assert last.choices == []
    assert last.usage == plain.usage


def test_a_seed_repeats_an_answer_on_either_worker(server: str, openai_client: OpenAI) -> None:
    slots = pids(int(server.rpartition(":")[2])).keys()
    answers: list[ChatCompletion] = []

    def request() -> set[int]:
        # A connection of its own, which either worker may accept.
        with openai_client.copy(http_client=DefaultHttpxClient(trust_env=False)) as client:
            answers.append(client.chat.completions.create(model=MODEL, messages=HI, seed=8))
        return {slot_of(answer.id) for answer in answers}

    until(request, lambda reached: reached == slots, pause=0)
    assert len({said(answer) for answer in answers}) == 1
    assert len({answer.id for answer in answers}) == len(answers)
    other = openai_client.chat.completions.create(model=MODEL, messages=HI, seed=9)
    assert said(other) != said(answers[0])


@pytest.mark.parametrize("model", ["o3", "o4-mini", "gpt-5"])
def test_reasoning_models_think_within_their_completion(openai_client: OpenAI, model: str) -> None:
    thought = {}
    for effort in ("low", "high"):
        fields: Any = {"reasoning_effort": effort, "seed": 10}
        answer = openai_client.chat.completions.create(model=model, messages=HI, **fields)
        assert answer.usage is not None
        assert answer.usage.completion_tokens_details is not None
        thought[effort] = answer.usage.completion_tokens_details.reasoning_tokens or 0
        assert answer.usage.completion_tokens == thought[effort] + len(TOKENS(said(answer)))
    assert 0 < thought["low"] < thought["high"]


def test_other_models_do_not_reason(openai_client: OpenAI) -> None:
    answer = openai_client.chat.completions.create(model=MODEL, messages=HI)
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 0


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + pack(">I4sII5BI", 13, b"IHDR", width, height, 8, 2, 0, 0, 0, 0)
    return "data:image/png;base64," + b64encode(head).decode()


@pytest.mark.parametrize(
    ("image", "tokens"),
    [
        ({"url": "https://example.com/a.png", "detail": "low"}, 85),
        ({"url": "https://example.com/a.png", "detail": "high"}, 765),
        ({"url": "https://example.com/a.png"}, 765),
        ({"url": png(512, 512)}, 255),
        ({"url": png(1024, 1024), "detail": "high"}, 765),
        ({"url": png(2048, 4096), "detail": "auto"}, 1105),
        ({"url": png(4096, 4096), "detail": "low"}, 85),
    ],
)
def test_images_are_counted(openai_client: OpenAI, image: dict[str, str], tokens: int) -> None:
    words = {"type": "text", "text": "hi"}
    parts = [words, {"type": "image_url", "image_url": image}]
    messages: Any = [{"role": "user", "content": parts}]
    answer = openai_client.chat.completions.create(model=MODEL, messages=messages, max_tokens=1)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 8 + tokens


@pytest.mark.parametrize("role", ["developer", "system", "user", "assistant"])
def test_roles_are_counted_alike(openai_client: OpenAI, role: str) -> None:
    messages: Any = [{"role": role, "content": "hi"}, *HI]
    answer = openai_client.chat.completions.create(model=MODEL, messages=messages, max_tokens=1)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 8 + 5


def test_a_conversation_with_tool_calls_is_taken(openai_client: OpenAI) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages: Any = [
        {"role": "developer", "content": "Be brief.", "name": "boss"},
        *HI,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "42"}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "user", "content": [{"type": "text", "text": "and?"}], "name": "ann"},
    ]
    answer = openai_client.chat.completions.create(model=MODEL, messages=messages)
    assert said(answer)
