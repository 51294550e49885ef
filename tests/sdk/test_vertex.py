"""`genai.Client(vertexai=True)` and `AnthropicVertex` get from llmsim what Vertex AI gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AnthropicVertex, DefaultHttpxClient
from google import genai
from google.auth.credentials import Credentials
from google.genai import errors, types

from tests.serving import Server

HI: Any = [{"role": "user", "content": "hi"}]
CLIENTS: list[genai.Client] = []
CLAUDE = "claude-sonnet-4-5@20250929"
CONFIG = """\
latency: {profile: instant}
response: {target_tokens: 12}
keys: [{key: good}]
models: {unknown: reject}
errors:
  rules:
    - {model: "gemini-2.5-flash-lite", first: 1, kind: overloaded}
    - {model: "claude-haiku-4-5@20251001", first: 1, kind: overloaded, retry_after_ms: 100}
    - {model: "gemini-2.0-flash", kind: rate_limit}
    - {model: "claude-opus-4-1", kind: rate_limit}
    - {model: "gemini-2.5-pro", fault: {error_event: {after_tokens: 3}}}
    - {model: "claude-opus-4-7", fault: {error_event: {after_tokens: 3}}}
    - {model: "claude-opus-4-6", fault: {cut: {after_tokens: 3}}}
"""


class Token(Credentials):  # type: ignore[no-untyped-call, misc, unused-ignore]
    """A token that nobody gave out and that never expires."""

    def __init__(self, token: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self.token = token

    def refresh(self, request: Any) -> None:
        """Nothing to do."""


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file: Path = tmp_path_factory.mktemp("vertex") / "sim.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    with serve("--workers", "2", "--config", str(file)) as server:
        yield server


def google(sim: Server, token: str = "good", attempts: int = 1) -> genai.models.Models:
    """The models of a client that is never closed."""
    retry = types.HttpRetryOptions(attempts=attempts, initial_delay=0.1, jitter=0.0)
    client = genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=Token(token),
        http_options=types.HttpOptions(base_url=sim.url, timeout=20_000, retry_options=retry),
    )
    CLIENTS.append(client)
    return client.models


def claude(sim: Server, token: str = "good", retries: int = 0) -> AnthropicVertex:
    return AnthropicVertex(
        region="us-east5",
        project_id="p",
        access_token=token,
        base_url=f"{sim.url}/v1",
        max_retries=retries,
        http_client=DefaultHttpxClient(trust_env=False),
    )


def test_gemini_plain_and_streamed(sim: Server) -> None:
    models = google(sim)
    answer = models.generate_content(model="gemini-2.5-flash", contents="hi")
    assert answer.text
    assert answer.create_time is not None
    assert answer.usage_metadata is not None
    chunks = list(models.generate_content_stream(model="gemini-2.5-flash", contents="hi"))
    assert len(chunks) > 2
    (last,) = chunks[-1].candidates or []
    assert last.finish_reason


def test_gemini_calls_tools(sim: Server) -> None:
    declared = types.FunctionDeclaration(name="look", parameters_json_schema={"type": "object"})
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])])
    answer = google(sim).generate_content(model="gemini-2.5-flash", contents="hi", config=config)
    assert [call.name for call in answer.function_calls or []] == ["look"]


def test_geminis_other_methods(sim: Server) -> None:
    models = google(sim)
    assert models.count_tokens(model="gemini-2.5-flash", contents="hi there").total_tokens
    config = types.EmbedContentConfig(output_dimensionality=16)
    made = models.embed_content(model="gemini-embedding-001", contents="hi", config=config)
    assert [len(one.values or []) for one in made.embeddings or []] == [16]
    names = [one.name or "" for one in models.list(config={"query_base": True})]
    assert "publishers/google/models/gemini-2.5-flash" in names


def test_claude_plain_streamed_and_counted(sim: Server) -> None:
    with claude(sim) as client:
        answer = client.messages.create(model=CLAUDE, max_tokens=50, messages=HI)
        assert answer.content[0].type == "text"
        with client.messages.stream(model=CLAUDE, max_tokens=50, messages=HI) as stream:
            assert stream.get_final_text()
        counted = client.messages.count_tokens(model=CLAUDE, messages=HI)
        assert counted.input_tokens == answer.usage.input_tokens


def test_claude_calls_tools(sim: Server) -> None:
    tools: Any = [{"name": "look", "input_schema": {"type": "object"}}]
    with claude(sim) as client:
        answer = client.messages.create(
            model=CLAUDE, max_tokens=50, messages=HI, tools=tools, tool_choice={"type": "any"}
        )
    assert [block.name for block in answer.content if block.type == "tool_use"] == ["look"]


@pytest.mark.parametrize(
    ("model", "token", "code", "status"),
    [
        ("gemini-2.5-flash", "bad", 401, "UNAUTHENTICATED"),
        ("no-such-model", "good", 404, "NOT_FOUND"),
        ("gemini-2.0-flash", "good", 429, "RESOURCE_EXHAUSTED"),
    ],
)
def test_what_gemini_is_refused(
    sim: Server, model: str, token: str, code: int, status: str
) -> None:
    with pytest.raises(errors.ClientError) as caught:
        google(sim, token).generate_content(model=model, contents="hi")
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize(
    ("model", "token", "error"),
    [
        (CLAUDE, "bad", anthropic.AuthenticationError),
        ("no-such-model", "good", anthropic.NotFoundError),
        ("claude-opus-4-1", "good", anthropic.RateLimitError),
    ],
)
def test_what_claude_is_refused(
    sim: Server, model: str, token: str, error: type[Exception]
) -> None:
    with claude(sim, token) as client, pytest.raises(error):
        client.messages.create(model=model, max_tokens=50, messages=HI)


def test_the_clients_own_retries(sim: Server) -> None:
    models = google(sim, attempts=3)
    assert models.generate_content(model="gemini-2.5-flash-lite", contents="hi").text
    with claude(sim, retries=2) as client:
        model = "claude-haiku-4-5@20251001"
        assert client.messages.create(model=model, max_tokens=50, messages=HI).content


def test_streams_that_break_off(sim: Server) -> None:
    with pytest.raises(errors.ServerError) as of_gemini:
        list(google(sim).generate_content_stream(model="gemini-2.5-pro", contents="hi"))
    assert of_gemini.value.status == "UNAVAILABLE"
    with claude(sim) as client:
        create = client.messages.create
        with pytest.raises(anthropic.APIStatusError) as of_claude:
            list(create(model="claude-opus-4-7", max_tokens=50, messages=HI, stream=True))
        assert "overloaded_error" in str(of_claude.value)
        with pytest.raises(httpx2.RemoteProtocolError):
            list(create(model="claude-opus-4-6", max_tokens=50, messages=HI, stream=True))
