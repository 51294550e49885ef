"""Failures reach the user of the `openai` package as its own exceptions; heads as it reads them."""

import asyncio
import re
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI, Timeout

MODEL = "gpt-4o"
HI: Any = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": "hi"}, "messages", "invalid_type"),
        ({"messages": None}, "messages", "invalid_type"),
        ({"messages": [{"role": "king", "content": "hi"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role", "missing_required_parameter"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "invalid_type"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content", "invalid_type"),
        ({"model": 4}, "model", "invalid_type"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 129}, "n", "integer_above_max_value"),
        ({"n": "2"}, "n", "invalid_type"),
        ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
        ({"temperature": -1}, "temperature", "decimal_below_min_value"),
        ({"top_p": 1.5}, "top_p", "decimal_above_max_value"),
        ({"presence_penalty": 3}, "presence_penalty", "decimal_above_max_value"),
        ({"max_tokens": -1}, "max_tokens", "integer_below_min_value"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "array_above_max_length"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
        ({"top_logprobs": 1}, "top_logprobs", None),
        ({"max_tokens": 128_000}, "messages", "context_length_exceeded"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(
    openai_client: OpenAI, fields: dict[str, Any], param: str, code: str | None, stream: bool
) -> None:
    asked: Any = {"model": MODEL, "messages": HI, "stream": stream} | fields
    with pytest.raises(openai.BadRequestError) as caught:
        openai_client.chat.completions.create(**asked)
    error = caught.value
    assert error.type == "invalid_request_error"
    assert (error.param, error.code) == (param, code)
    assert error.request_id is not None
    assert error.request_id.startswith("req_")


def test_a_missing_parameter_is_named(openai_client: OpenAI) -> None:
    for missing in ("model", "messages"):
        body = {"model": MODEL, "messages": HI}
        del body[missing]
        with pytest.raises(openai.BadRequestError) as caught:
            openai_client.post("/chat/completions", body=body, cast_to=object)
        assert (caught.value.param, caught.value.code) == (missing, "missing_required_parameter")


def test_a_prompt_over_the_context_window(openai_client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        openai_client.chat.completions.create(
            model="gpt-4", messages=[{"role": "user", "content": "hi " * 9000}]
        )
    assert caught.value.code == "context_length_exceeded"
    assert "8192 tokens" in caught.value.message


def test_what_is_not_there_is_not_found(openai_client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as model:
        openai_client.models.retrieve("no-such-model")
    assert model.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError) as path:
        openai_client.post("/no/such/path", cast_to=object)
    assert path.value.code == "unknown_url"
    assert "POST /v1/no/such/path" in path.value.message


def test_a_method_that_is_not_served(openai_client: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        openai_client.put("/chat/completions", cast_to=object)
    assert caught.value.status_code == 405
    assert caught.value.type == "invalid_request_error"


def test_errors_of_the_async_client(openai_async: AsyncOpenAI) -> None:
    async def scene() -> None:
        async with openai_async as client:
            with pytest.raises(openai.BadRequestError, match="temperature"):
                await client.chat.completions.create(model=MODEL, messages=HI, temperature=9)
            answer = await client.chat.completions.create(model=MODEL, messages=HI)
            assert answer.choices

    asyncio.run(scene())


def test_a_client_that_will_not_wait_gets_a_timeout(openai_client: OpenAI) -> None:
    # A hundred tokens a millisecond apart are not there at once.
    hurried = openai_client.with_options(timeout=Timeout(20, read=0.02))
    with pytest.raises(openai.APITimeoutError):
        hurried.chat.completions.create(model=MODEL, messages=HI)
    hurried = openai_client.with_options(timeout=Timeout(20, read=0.001))
    with pytest.raises(openai.APITimeoutError):
        hurried.chat.completions.create(model=MODEL, messages=HI, stream=True)
    assert openai_client.chat.completions.create(model=MODEL, messages=HI).choices


# --- heads ----------------------------------------------------------------------------------------


def test_the_head_of_a_plain_answer(openai_client: OpenAI) -> None:
    raw = openai_client.chat.completions.with_raw_response.create(model=MODEL, messages=HI, seed=77)
    completion = raw.parse()
    assert raw.headers["content-type"] == "application/json"
    assert raw.headers["x-llmsim-seed"] == "77"
    assert re.fullmatch(r"ttft;dur=[\d.]+, total;dur=[\d.]+", raw.headers["server-timing"])
    assert raw.headers["openai-version"] == "2020-10-01"
    assert raw.headers["openai-processing-ms"].isdigit()
    assert re.fullmatch(r"req_[0-9a-f]{32}", raw.headers["x-request-id"])
    assert completion._request_id == raw.request_id == raw.headers["x-request-id"]


def test_the_head_of_a_stream(openai_client: OpenAI) -> None:
    with openai_client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=HI, seed=78, stream=True
    ) as raw:
        assert raw.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert raw.headers["x-llmsim-seed"] == "78"
        assert "content-length" not in raw.headers
        assert raw.request_id is not None
        assert list(raw.parse())[-1].choices[0].finish_reason == "stop"


def test_what_is_planned_is_the_same_for_both(openai_client: OpenAI) -> None:
    create = openai_client.chat.completions.with_raw_response.create
    plain = create(model=MODEL, messages=HI, seed=79)
    stream = create(model=MODEL, messages=HI, seed=79, stream=True)
    assert stream.headers["server-timing"] == plain.headers["server-timing"]
    stream.parse().close()


# --- models ---------------------------------------------------------------------------------------


def test_models_are_listed_and_found_one_by_one(openai_client: OpenAI) -> None:
    models = list(openai_client.models.list())
    names = [model.id for model in models]
    assert len(set(names)) == len(names)
    assert {"gpt-4o", "gpt-5", "o3"} <= set(names)
    for model in models:
        assert openai_client.models.retrieve(model.id) == model


def test_the_same_under_another_path(server: str, openai_client: OpenAI) -> None:
    other = openai_client.with_options(base_url=f"{server}/openai/v1")
    assert other.chat.completions.create(model=MODEL, messages=HI).choices
    assert list(other.models.list())
