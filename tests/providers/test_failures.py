"""Every endpoint tells every failure, before the first byte and in the middle of a stream."""

from itertools import product
from typing import Any

import orjson
import pytest

from llmsim.core import (
    Choice,
    Completion,
    Finish,
    GeneratedText,
    Request,
    Stamp,
    TextSegment,
    Usage,
)
from llmsim.core.errors import Failure, FailureKind
from llmsim.providers import registry
from llmsim.providers.anthropic.provider import ANTHROPIC
from llmsim.providers.gemini.errors import VERBS
from llmsim.providers.gemini.provider import GEMINI
from llmsim.providers.openai.images.codec import OpenAIImages
from llmsim.providers.openai.provider import OPENAI
from llmsim.providers.provider import Endpoint, Provider

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
NOTHING = Request("gpt-4o", ())


def endpoints() -> dict[str, Endpoint]:
    """Every endpoint of the registry, and one for each form of a call of those with patterns."""
    every = registry.by_codec()
    for verb, query in product(VERBS, ("", "alt=sse")):
        assert GEMINI.pattern is not None
        every[f"{verb}?{query}"] = GEMINI.pattern.endpoint(f"/v1beta/models/x:{verb}", query)
    images = OpenAIImages("generations", lambda canvas: "")
    return every | {"openai_images": OPENAI.endpoint("/v1/images/generations", images)}


ENDPOINTS = endpoints()


def streams(endpoint: Endpoint) -> bool:
    return hasattr(endpoint.codec, "script")


def name(value: object) -> str:
    return f"{type(value).__name__}" if not isinstance(value, FailureKind) else value.value


@pytest.mark.parametrize("kind", FailureKind, ids=name)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_kind_has_a_status_and_a_message(endpoint: str, kind: FailureKind) -> None:
    status, body = ENDPOINTS[endpoint].errors.failure(Failure(kind, "", injected=True), STAMP)
    read = orjson.loads(body)
    whole = read[0] if isinstance(read, list) else read
    error = whole.get("error", whole)
    assert 400 <= status <= 599
    assert error["message"]


@pytest.mark.parametrize("provider", registry.PROVIDERS, ids=lambda one: one.name)
def test_whose_fault_it_is_shows_in_the_status(provider: Provider) -> None:
    ours = {
        FailureKind.SERVER_ERROR,
        FailureKind.BAD_GATEWAY,
        FailureKind.UNAVAILABLE,
        FailureKind.TIMEOUT,
        FailureKind.OVERLOADED,
    }
    statuses = {kind: provider.errors.failure(Failure(kind, ""), STAMP)[0] for kind in FailureKind}
    assert {kind for kind, status in statuses.items() if status >= 500} == ours


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_message_and_a_status_of_the_failures_own_count(endpoint: str) -> None:
    failure = Failure(FailureKind.OVERLOADED, "so there", status=418)
    status, body = ENDPOINTS[endpoint].errors.failure(failure, STAMP)
    assert status == 418
    assert b"so there" in body


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        (FailureKind.RATE_LIMIT, 429, "RESOURCE_EXHAUSTED"),
        (FailureKind.OVERLOADED, 503, "UNAVAILABLE"),
        (FailureKind.AUTHENTICATION, 400, "INVALID_ARGUMENT"),
    ],
)
def test_geminis_refusals_say_in_the_body_when_to_come_back(
    kind: FailureKind, status: int, said: str
) -> None:
    failure = Failure(kind, "", retry_after=2.5)
    shown_status, body = GEMINI.errors.failure(failure, STAMP)
    error = orjson.loads(body)["error"]
    assert (shown_status, error["code"], error["status"]) == (status, status, said)
    delays = [one["retryDelay"] for one in error["details"] if "retryDelay" in one]
    assert delays == ["2.5s"]


@pytest.mark.parametrize(
    ("provider", "after", "expected"),
    [
        (OPENAI, 2.5, [("retry-after", "3"), ("retry-after-ms", "2500")]),
        (OPENAI, 0.02, [("retry-after", "1"), ("retry-after-ms", "20")]),
        (ANTHROPIC, 2.5, [("retry-after", "3")]),
        (ANTHROPIC, 60.0, [("retry-after", "60")]),
        (GEMINI, 2.5, []),
    ],
)
def test_when_to_come_back(
    provider: Provider, after: float, expected: list[tuple[str, str]]
) -> None:
    for endpoint in ENDPOINTS.values():
        if endpoint.provider is provider:
            assert endpoint.errors.retry(after) == expected


FRAMED = {
    "openai_chat": (b"data: ", b"\n\n"),
    "openai_completions": (b"data: ", b"\n\n"),
    "openai_images": (b"event: error\ndata: ", b"\n\n"),
    "openai_responses": (b"event: response.failed\ndata: ", b"\n\n"),
    "azure_chat": (b"data: ", b"\n\n"),
    "azure_completions": (b"data: ", b"\n\n"),
    "azure_responses": (b"event: response.failed\ndata: ", b"\n\n"),
    "anthropic": (b"event: error\ndata: ", b"\n\n"),
    "gemini": (b"data: ", b"\r\n\r\n"),
    "vertex_gemini": (b"data: ", b"\r\n\r\n"),
    "vertex_claude": (b"event: error\ndata: ", b"\n\n"),
    "generateContent?": (b"data: ", b"\r\n\r\n"),
    "generateContent?alt=sse": (b"data: ", b"\r\n\r\n"),
    "streamGenerateContent?alt=sse": (b"data: ", b"\r\n\r\n"),
    "streamGenerateContent?": (b"", b"\n]"),
}


SAID = Completion((Choice((TextSegment(GeneratedText("Hi", 1)),), 1, Finish.STOP),), Usage(1, 1))


BINARY = ("bedrock_converse", "bedrock_invoke")
"""Streams whose messages are binary: tests/providers/bedrock reads them."""


@pytest.mark.parametrize("kind", FailureKind, ids=name)
@pytest.mark.parametrize(
    "endpoint", [one for one in ENDPOINTS if streams(ENDPOINTS[one]) and one not in BINARY]
)
def test_every_kind_has_an_event(endpoint: str, kind: FailureKind) -> None:
    before, after = FRAMED[endpoint]
    codec: Any = ENDPOINTS[endpoint].codec
    request = NOTHING
    if endpoint in ("openai_responses", "azure_responses"):
        request = codec.decode(b'{"model":"gpt-4o","input":"hi","stream":true}')
    event = codec.error_event(request, SAID, Failure(kind, "", injected=True), STAMP, 3)
    assert event.startswith(before)
    assert event.endswith(after)
    read = orjson.loads(event.removeprefix(before).removesuffix(after))
    error = read["response"]["error"] if "response" in read else read["error"]
    assert error["message"]


ASKED = {"role": "user", "content": [{"text": "hi"}]}
BODIES: dict[str, dict[str, Any]] = {
    "openai_embeddings": {"input": "hi"},
    "azure_embeddings": {"input": "hi"},
    "openai_moderations": {"input": "hi"},
    "anthropic_count": {"messages": [{"role": "user", "content": "hi"}]},
    "anthropic_batch": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5},
    "vertex_count": {"generateContentRequest": {"contents": "hi", "model": "m"}},
    "vertex_embed_content": {"content": "hi"},
    "vertex_embeddings": {"instances": [{"content": "hi"}]},
    "vertex_claude_count": {"messages": [{"role": "user", "content": "hi"}]},
    "bedrock_count": {"input": {"converse": {"messages": [ASKED]}}},
    "bedrock_titan_embeddings": {"inputText": "hi"},
    "gemini_count": {"generateContentRequest": {"contents": "hi", "model": "m"}},
    "gemini_embeddings": {"content": "hi"},
    "countTokens?": {"contents": "hi"},
    "embedContent?": {"content": "hi"},
    "batchEmbedContents?": {"requests": [{"content": "hi"}]},
}


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if not streams(ENDPOINTS[one])])
def test_what_has_no_streams_is_never_asked_for_one(endpoint: str) -> None:
    body = {"model": "m", "stream": True, **BODIES[endpoint.removesuffix("alt=sse")]}
    if endpoint.startswith(("count", "embed", "batch", "gemini_count", "vertex_count")):
        del body["model"], body["stream"]
    request = ENDPOINTS[endpoint].codec.decode(orjson.dumps(body))
    assert not request.stream
