"""Whose API a request is for, and what each provider answers."""

import orjson
import pytest

from llmsim.core import Stamp
from llmsim.core.errors import Failure, FailureKind
from llmsim.providers import registry
from llmsim.providers.provider import Provider

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
GOOGLES = ("gemini", "vertex")
FAILURE = Failure(FailureKind.UNKNOWN_PATH, "no such path")


@pytest.mark.parametrize(
    ("path", "query", "headers", "whose"),
    [
        ("/v1/chat/completions", "", {}, "openai"),
        ("/v1/chat/completions", "", {"x-api-key": "k"}, "openai"),
        ("/nowhere", "key=1", {}, "openai"),
        ("/v1/messages", "", {}, "anthropic"),
        ("/v1/messages/batches/x", "", {}, "anthropic"),
        ("/anthropic/v1/nothing", "", {}, "anthropic"),
        ("/v1/complete", "", {}, "anthropic"),
        ("/v1/completions", "", {"anthropic-version": "2023-06-01"}, "openai"),
        ("//v1/messages", "", {}, "anthropic"),
        ("//v1beta/models/x", "", {}, "gemini"),
        ("//v1/chat/completions", "", {}, "openai"),
        ("/v1/files", "", {}, "openai"),
        ("/v1/files", "", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/v1beta/models/x", "", {}, "gemini"),
        ("/v1alpha/models/x", "", {}, "gemini"),
        ("/v1/cachedContents", "", {}, "gemini"),
        ("/v1/interactions", "", {}, "gemini"),
        ("/upload/v1beta/files", "", {}, "gemini"),
        ("/v1/nothing", "", {"x-goog-api-key": "k"}, "gemini"),
        ("/v1/nothing", "", {"x-api-key": "k"}, "anthropic"),
        ("/v1/nothing", "", {"authorization": "Bearer sk"}, "openai"),
        ("/v1/responses/x", "", {"x-api-key": "k"}, "openai"),
        ("/v1/models", "", {}, "openai"),
        ("/v1/models", "", {"authorization": "Bearer sk"}, "openai"),
        ("/v1/models", "", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/v1/models", "", {"authorization": "Bearer k", "anthropic-version": "x"}, "anthropic"),
        ("/v1/models/claude", "", {"x-api-key": "k"}, "anthropic"),
        ("/v1/models", "", {"x-goog-api-key": "k"}, "gemini"),
        ("/v1/models", "pageSize=2&key=k", {}, "gemini"),
        ("/v1/models", "monkey=k", {}, "openai"),
        ("/openai/v1/models", "", {"x-api-key": "k"}, "openai"),
        ("/openai/v1/models", "", {"api-key": "k"}, "azure"),
        ("/model/anthropic.claude/converse", "", {}, "bedrock"),
        ("/model/x/nothing", "", {"x-api-key": "k"}, "bedrock"),
        ("/v1/projects/p/locations/l/publishers/google/models/x:predict", "", {}, "vertex"),
        ("/v1beta1/publishers/google/models/x:generateContent", "key=k", {}, "vertex"),
        ("/v1beta1/nothing", "", {"x-goog-api-key": "k"}, "vertex"),
        ("/openai/v1/responses", "api-version=preview", {"authorization": "Bearer t"}, "azure"),
        ("/openai/v1/chat/completions", "", {"authorization": "Bearer t"}, "openai"),
        ("/openai/deployments/x/chat/completions", "", {}, "azure"),
        ("/openai/models", "api-version=2024-10-21", {}, "azure"),
        ("/v1/chat/completions", "api-version=1", {"api-key": "k"}, "openai"),
        ("/anthropic/v1/models", "key=k", {}, "anthropic"),
    ],
)
def test_whose_request_it_is(path: str, query: str, headers: dict[str, str], whose: str) -> None:
    assert registry.of_request(path, query, headers.get).name == whose


@pytest.mark.parametrize("provider", registry.PROVIDERS, ids=lambda one: one.name)
def test_everyone_has_an_error_format_of_their_own(provider: Provider) -> None:
    status, headers, body = provider.errors.refusal(FAILURE, STAMP)
    others = [
        orjson.loads(other.errors.refusal(FAILURE, STAMP)[2])
        for other in registry.PROVIDERS
        if other is not provider
    ]
    shapes = [tuple(one) + tuple(one.get("error", ())) for one in others]
    error = orjson.loads(body)
    if provider.name not in GOOGLES:  # which are Google's, both
        assert tuple(error) + tuple(error.get("error", ())) not in shapes
    assert status == 404
    assert dict(headers)["content-type"].startswith("application/json")


def test_names_are_unique() -> None:
    endpoints = [one for provider in registry.PROVIDERS for one in provider.endpoints(False)]
    assert len(registry.by_codec()) == len(endpoints)
    assert len({provider.name for provider in registry.PROVIDERS}) == len(registry.PROVIDERS)
    paths = [path for endpoint in endpoints for path in endpoint.paths]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("provider", registry.PROVIDERS, ids=lambda one: one.name)
def test_what_a_provider_answers_is_its_own(provider: Provider, strict: bool) -> None:
    for endpoint in provider.endpoints(strict):
        assert endpoint.provider is provider
        for path in (endpoint.name, *endpoint.paths):
            assert registry.of_path(path) is provider
            assert registry.of_request(path, "", lambda name: None) is provider
