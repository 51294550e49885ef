"""Each failure is its provider's own error to the official clients, which try again as told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

from tests.serving import Server

HI: Any = [{"role": "user", "content": "hi"}]
CONFIG = """\
latency: {profile: instant}
response: {target_tokens: 20}
errors:
  rules:
    - {model: "*-rate", kind: rate_limit}
    - {model: "*-server", kind: server_error}
    - {model: "*-overloaded", kind: overloaded}
    - {model: "*-gateway", kind: bad_gateway}
    - {model: "*-auth", kind: authentication}
    - {model: "*-timeout", kind: timeout, timeout_after_ms: 10}
    - {model: "*-cut", fault: {cut: {after_tokens: 5}}}
    - {model: "*-reset", fault: {reset: {}}}
    - {model: "*-event", fault: {error_event: {after_tokens: 5}}}
    - {model: "*-stall", fault: {stall: {lasts_ms: 3000}}}
    - {model: "gpt-soon", first: 1, kind: rate_limit, retry_after_ms: 300}
    - {model: "gpt-once", first: 1, kind: overloaded}
    - {model: "claude-once", first: 1, kind: overloaded}
    - {model: "gemini-once", first: 1, kind: overloaded}
    - {model: "gpt-twice", first: 2, fault: {reset: {}}}
    - {model: "claude-twice", first: 2, fault: {reset: {}}}
"""
Call = Callable[[str, bool], Any]


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file: Path = tmp_path_factory.mktemp("failures") / "sim.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    with serve("--workers", "2", "--config", str(file)) as server:
        yield server


def openai_chat(sim: Server, retries: int) -> Call:
    client = openai.OpenAI(base_url=f"{sim.url}/v1", api_key="x", max_retries=retries, timeout=1.0)

    def call(model: str, stream: bool) -> Any:
        made = client.chat.completions.create(model=f"gpt-{model}", messages=HI, stream=stream)
        return list(made) if stream else made

    return call


def openai_responses(sim: Server, retries: int) -> Call:
    client = openai.OpenAI(base_url=f"{sim.url}/v1", api_key="x", max_retries=retries, timeout=1.0)

    def call(model: str, stream: bool) -> Any:
        made = client.responses.create(model=f"gpt-{model}", input="hi", stream=stream)
        return list(made) if stream else made

    return call


def anthropic_messages(sim: Server, retries: int) -> Call:
    client = anthropic.Anthropic(base_url=sim.url, api_key="x", max_retries=retries, timeout=1.0)

    def call(model: str, stream: bool) -> Any:
        made = client.messages.create(
            model=f"claude-{model}", max_tokens=50, messages=HI, stream=stream
        )
        return list(made) if stream else made

    return call


def gemini(sim: Server, retries: int) -> Call:
    retry = types.HttpRetryOptions(attempts=1 + retries, initial_delay=0.1, jitter=0.0)
    client = genai.Client(
        api_key="x",
        http_options=types.HttpOptions(base_url=sim.url, timeout=1000, retry_options=retry),
    )

    def call(model: str, stream: bool) -> Any:
        name = f"gemini-{model}"
        if stream:
            return list(client.models.generate_content_stream(model=name, contents="hi"))
        return client.models.generate_content(model=name, contents="hi")

    return call


BOTH = pytest.mark.parametrize("stream", [False, True])
OPENAI = pytest.mark.parametrize("calling", [openai_chat, openai_responses])


@BOTH
@OPENAI
@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("rate", openai.RateLimitError, 429),
        ("server", openai.InternalServerError, 500),
        ("overloaded", openai.InternalServerError, 503),
        ("gateway", openai.InternalServerError, 502),
        ("auth", openai.AuthenticationError, 401),
        ("timeout", openai.InternalServerError, 504),
        ("reset", openai.APIConnectionError, None),
        ("cut", openai.APIConnectionError, None),
        ("stall", openai.APITimeoutError, None),
    ],
)
def test_openai(
    sim: Server,
    calling: Callable[[Server, int], Call],
    model: str,
    error: type[Exception],
    status: int | None,
    stream: bool,
) -> None:
    with pytest.raises(error) as caught:
        calling(sim, 0)(model, stream)
    assert getattr(caught.value, "status_code", None) == status


@BOTH
@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("rate", anthropic.RateLimitError, 429),
        ("server", anthropic.InternalServerError, 500),
        ("overloaded", anthropic.APIStatusError, 529),
        ("gateway", anthropic.InternalServerError, 502),
        ("auth", anthropic.AuthenticationError, 401),
        ("timeout", anthropic.APIStatusError, 504),
        ("reset", anthropic.APIConnectionError, None),
    ],
)
def test_anthropic(
    sim: Server, model: str, error: type[Exception], status: int | None, stream: bool
) -> None:
    with pytest.raises(error) as caught:
        anthropic_messages(sim, 0)(model, stream)
    assert getattr(caught.value, "status_code", None) == status


@BOTH
@pytest.mark.parametrize(
    ("model", "error", "code", "status"),
    [
        ("rate", errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        ("server", errors.ServerError, 500, "INTERNAL"),
        ("overloaded", errors.ServerError, 503, "UNAVAILABLE"),
        ("auth", errors.ClientError, 400, "INVALID_ARGUMENT"),
        ("timeout", errors.ServerError, 504, "DEADLINE_EXCEEDED"),
    ],
)
def test_gemini(
    sim: Server, model: str, error: type[errors.APIError], code: int, status: str, stream: bool
) -> None:
    with pytest.raises(error) as caught:
        gemini(sim, 0)(model, stream)
    assert (caught.value.code, caught.value.status) == (code, status)


def test_an_error_event_is_an_error_in_the_middle_of_a_stream(sim: Server) -> None:
    with pytest.raises(openai.APIError) as of_openai:
        openai_chat(sim, 0)("event", True)
    assert of_openai.value.code == "overloaded"
    assert openai_responses(sim, 0)("event", True)[-1].type == "response.failed"
    with pytest.raises(anthropic.APIStatusError) as of_anthropic:
        anthropic_messages(sim, 0)("event", True)
    assert "overloaded_error" in str(of_anthropic.value)
    with pytest.raises(errors.ServerError) as of_gemini:
        gemini(sim, 0)("event", True)
    assert of_gemini.value.status == "UNAVAILABLE"


@pytest.mark.parametrize("calling", [openai_chat, anthropic_messages, gemini])
def test_the_second_attempt_succeeds(sim: Server, calling: Callable[[Server, int], Call]) -> None:
    began = time.monotonic()
    assert calling(sim, 1)("once", False) is not None
    waited = time.monotonic() - began
    # Anthropic's client and OpenAI's wait as long as they are told, Gemini's as configured.
    assert waited >= (0.1 if calling is gemini else 0.99)


@pytest.mark.timed
def test_a_wait_below_a_second_is_honoured(sim: Server) -> None:
    began = time.monotonic()
    assert openai_chat(sim, 1)("soon", False).choices
    assert 0.3 <= time.monotonic() - began < 0.9


@pytest.mark.parametrize("calling", [openai_chat, anthropic_messages])
def test_a_connection_that_is_reset_is_tried_again(
    sim: Server, calling: Callable[[Server, int], Call]
) -> None:
    assert calling(sim, 2)("twice", False) is not None


def test_too_few_attempts_fail(sim: Server) -> None:
    with pytest.raises(openai.RateLimitError):
        openai_chat(sim, 1)("rate", False)
