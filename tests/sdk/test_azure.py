"""`AzureOpenAI` gets from llmsim what it gets from Azure: deployments, filters, failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AzureOpenAI, DefaultHttpxClient, OpenAI

from tests.serving import Server

HI: Any = [{"role": "user", "content": "hi"}]
CONFIG = """\
latency: {profile: instant}
response: {target_tokens: 12}
keys: [{key: good}]
models: {unknown: reject}
errors:
  rules:
    - {model: "gpt-4o-mini", endpoint: "*chat*", first: 1, kind: overloaded, retry_after_ms: 300}
    - {model: "gpt-4.1", kind: content_filter}
    - {model: "gpt-4.1-mini", fault: {cut: {after_tokens: 3}}}
    - {model: "gpt-4.1-nano", fault: {error_event: {after_tokens: 3}}}
"""


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file: Path = tmp_path_factory.mktemp("azure") / "sim.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    with serve("--workers", "2", "--config", str(file)) as server:
        yield server


def client(sim: Server, **settings: Any) -> AzureOpenAI:
    given = {"api_key": "good", "api_version": "2024-10-21", "max_retries": 0} | settings
    return AzureOpenAI(
        azure_endpoint=sim.url,
        http_client=DefaultHttpxClient(trust_env=False),
        timeout=20,
        **given,
    )


@pytest.mark.parametrize("auth", [{}, {"api_key": None, "azure_ad_token": "good"}])
def test_a_plain_answer(sim: Server, auth: dict[str, Any]) -> None:
    with client(sim, **auth) as azure:
        raw = azure.chat.completions.with_raw_response.create(model="gpt-4o", messages=HI)
    answer = raw.parse()
    assert answer.choices[0].message.content
    assert answer.model == "gpt-4o"
    assert raw.headers["x-ms-region"]
    assert raw.headers["apim-request-id"] == raw.headers["x-request-id"]
    assert "x-ratelimit-remaining-tokens" in raw.headers
    assert answer.model_extra is not None
    assert answer.model_extra["prompt_filter_results"]


def test_a_streamed_answer_and_the_deployment_of_the_client(sim: Server) -> None:
    with client(sim, azure_deployment="gpt-4o") as azure:
        chunks = list(azure.chat.completions.create(model="any", messages=HI, stream=True))
    assert chunks[0].choices == []
    assert {chunk.model for chunk in chunks[1:]} == {"gpt-4o"}
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[1:])
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")


def test_tools(sim: Server) -> None:
    tools: Any = [
        {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    ]
    with client(sim) as azure:
        create = azure.chat.completions.create
        asked: Any = {"model": "gpt-4o", "messages": HI, "tools": tools, "tool_choice": "required"}
        (call,) = create(**asked).choices[0].message.tool_calls or []
        chunks = list(create(**asked, stream=True))
    assert call.type == "function"
    assert call.function.name == "look"
    calls = [one.choices[0].delta.tool_calls for one in chunks if one.choices]
    assert next(one[0].function.name for one in calls if one and one[0].function) == "look"


def test_the_stream_helper(sim: Server) -> None:
    with client(sim) as azure, azure.chat.completions.stream(model="gpt-4o", messages=HI) as stream:
        assert stream.get_final_completion().choices[0].message.content


def test_the_other_operations(sim: Server) -> None:
    with client(sim) as azure:
        vectors = azure.embeddings.create(model="text-embedding-3-small", input="hi")
        assert len(vectors.data[0].embedding) == 1536
        text = azure.completions.create(model="gpt-3.5-turbo-instruct", prompt="hi")
        assert text.choices[0].text
        names = {model.id for model in azure.models.list()}
        assert "gpt-4o" in names
        made = azure.responses.create(model="gpt-4o", input="hi", store=True)
        assert azure.responses.retrieve(made.id).output_text == made.output_text
        again = azure.responses.create(model="gpt-4o", input="?", previous_response_id=made.id)
        assert again.output_text
        events = list(azure.responses.create(model="gpt-4o", input="hi", stream=True))
        assert events[-1].type == "response.completed"


def test_version_one_of_the_api(sim: Server) -> None:
    with OpenAI(
        base_url=f"{sim.url}/openai/v1/",
        api_key="good",
        default_headers={"api-key": "good"},
        http_client=DefaultHttpxClient(trust_env=False),
        max_retries=0,
    ) as azure:
        raw = azure.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=HI, extra_headers={"x-ms-client-request-id": "mine"}
        )
        assert raw.headers["x-ms-client-request-id"] == "mine"
        assert azure.responses.create(model="gpt-4o", input="hi").output_text


def refused(sim: Server, model: str, **settings: Any) -> openai.APIStatusError:
    with client(sim, **settings) as azure, pytest.raises(openai.APIStatusError) as caught:
        azure.chat.completions.create(model=model, messages=HI)
    return caught.value


def test_what_is_refused(sim: Server) -> None:
    assert refused(sim, "gpt-4o", api_key="bad").code == "401"
    assert refused(sim, "no-such-thing").code == "DeploymentNotFound"
    filtered = refused(sim, "gpt-4.1")
    assert (filtered.status_code, filtered.code) == (400, "content_filter")
    assert isinstance(filtered.body, dict)
    assert filtered.body["innererror"]["code"] == "ResponsibleAIPolicyViolation"


def test_without_a_version_there_is_nothing(sim: Server) -> None:
    with (
        OpenAI(
            base_url=f"{sim.url}/openai/deployments/gpt-4o",
            api_key="good",
            http_client=DefaultHttpxClient(trust_env=False),
            max_retries=0,
        ) as azure,
        pytest.raises(openai.NotFoundError) as caught,
    ):
        azure.chat.completions.create(model="gpt-4o", messages=HI)
    assert caught.value.body == {"code": "404", "message": "Resource not found"}


def test_the_clients_own_retries(sim: Server) -> None:
    began = time.monotonic()
    with client(sim, max_retries=2) as azure:
        assert azure.chat.completions.create(model="gpt-4o-mini", messages=HI).choices
    assert time.monotonic() - began >= 0.3


def test_streams_that_break_off(sim: Server) -> None:
    with client(sim) as azure:
        create = azure.chat.completions.create
        with pytest.raises(openai.APIConnectionError):
            list(create(model="gpt-4.1-mini", messages=HI, stream=True))
        with pytest.raises(openai.APIError) as caught:
            list(create(model="gpt-4.1-nano", messages=HI, stream=True))
    assert caught.value.code == "overloaded"
