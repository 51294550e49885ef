"""Gemini's paths over HTTP: whose they are, in whose words they fail, and how they stream."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import httpx
import pytest

from tests.serving import Server

CONFIG = """
server: {max_body_bytes: 10000}
models:
  available: [gemini-2.5-pro, gemini-2.5-flash, gemini-embedding-001, meta-llama/x]
  unknown: reject
latency: {profile: instant}
"""
PREFIXES = ["/v1", "/v1beta", "/gemini/v1", "/gemini/v1beta"]
HI: dict[str, Any] = {"contents": [{"parts": [{"text": "hi"}]}]}
BODIES: dict[str, dict[str, Any]] = {
    "generateContent": HI,
    "streamGenerateContent": HI,
    "countTokens": HI,
    "embedContent": {"content": {"parts": [{"text": "hi"}]}},
    "batchEmbedContents": {"requests": [{"content": {"parts": [{"text": "hi"}]}}]},
}
ANSWERS = {
    "generateContent": "candidates",
    "countTokens": "totalTokens",
    "embedContent": "embedding",
    "batchEmbedContents": "embeddings",
}


@pytest.fixture(scope="module")
def http(configured: Callable[..., Server]) -> Iterator[httpx.Client]:
    with (
        configured(CONFIG) as sim,
        httpx.Client(base_url=sim.url, trust_env=False, timeout=20) as client,
    ):
        yield client
        assert "Traceback" not in sim.output()


def google(response: httpx.Response, status: int, name: str) -> str:
    """The message of an error, which has to be one of Google's."""
    assert response.status_code == status
    assert response.headers["content-type"].startswith("application/json")
    error = response.json()["error"]
    assert (error["code"], error["status"]) == (status, name)
    return str(error["message"])


@pytest.mark.parametrize(("prefix", "verb"), list(product(PREFIXES, ANSWERS)))
def test_every_verb_answers(http: httpx.Client, prefix: str, verb: str) -> None:
    response = http.post(f"{prefix}/models/gemini-2.5-pro:{verb}", json=BODIES[verb])
    assert response.status_code == 200
    assert ANSWERS[verb] in response.json()


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("query", ["alt=sse", "alt=sse&key=k", "key=k&alt=sse", "%24alt=sse"])
def test_a_stream_of_events(http: httpx.Client, prefix: str, query: str) -> None:
    path = f"{prefix}/models/gemini-2.5-pro:streamGenerateContent?{query}"
    response = http.post(path, json=HI)
    assert response.headers["content-type"] == "text/event-stream"
    events = response.text.split("\r\n\r\n")
    assert events.pop() == ""
    assert len(events) == 100
    assert all(event.startswith("data: {") and "\n" not in event for event in events)


@pytest.mark.parametrize("query", ["", "?alt=json", "?key=k"])
def test_a_streamed_array(http: httpx.Client, query: str) -> None:
    path = f"/v1beta/models/gemini-2.5-pro:streamGenerateContent{query}"
    response = http.post(path, json=HI)
    assert response.headers["content-type"].startswith("application/json")
    assert len(response.json()) == 100
    assert response.text.startswith("[{")
    assert response.text.count("}\n,\r\n{") == 99


@pytest.mark.parametrize("colon", [":", "%3A"])
@pytest.mark.parametrize("slash", ["/", "%2F"])
def test_names_may_be_encoded(http: httpx.Client, colon: str, slash: str) -> None:
    path = f"/v1/models/meta-llama{slash}x{colon}generateContent"
    assert http.post(path, json=HI).json()["modelVersion"] == "meta-llama/x"


@pytest.mark.parametrize("verb", BODIES)
def test_an_unknown_model(http: httpx.Client, verb: str) -> None:
    path = f"/v1beta/models/nope:{verb}?alt=sse"
    said = google(http.post(path, json=BODIES[verb]), 404, "NOT_FOUND")
    assert said.startswith("models/nope is not found for API version v1beta, or is not supported")
    assert verb in said


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("verb", BODIES)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff\xfe"])
def test_malformed_bodies(http: httpx.Client, prefix: str, verb: str, body: bytes) -> None:
    path = f"{prefix}/models/gemini-2.5-pro:{verb}?alt=sse"
    google(http.post(path, content=body), 400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/v1beta/nothing", 404, "NOT_FOUND"),
        ("GET", "/gemini/nothing", 404, "NOT_FOUND"),
        ("POST", "/v1beta/models/gemini-2.5-pro:nothing", 405, "UNIMPLEMENTED"),
        ("DELETE", "/v1beta/models/gemini-2.5-pro", 405, "UNIMPLEMENTED"),
        ("POST", "/v1beta/models", 405, "UNIMPLEMENTED"),
        ("PUT", "/v1/models/gemini-2.5-pro:generateContent", 405, "UNIMPLEMENTED"),
        ("GET", "/v1/models/gemini-2.5-pro:generateContent", 404, "NOT_FOUND"),
        ("GET", "/v1beta/models/nope", 404, "NOT_FOUND"),
        ("GET", "/v1/models/nope?key=k", 404, "NOT_FOUND"),
        ("GET", "/v1beta/models?pageSize=x", 400, "INVALID_ARGUMENT"),
    ],
)
def test_what_is_not_served(
    http: httpx.Client, method: str, path: str, status: int, name: str
) -> None:
    google(http.request(method, path), status, name)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_body_that_is_too_large(http: httpx.Client, prefix: str) -> None:
    path = f"{prefix}/models/gemini-2.5-pro:generateContent"
    google(http.post(path, content=b"x" * 10_001), 413, "INVALID_ARGUMENT")
    large = [b"x" * 6_000, b"x" * 6_000]
    google(http.post(path, content=iter(large)), 413, "INVALID_ARGUMENT")
    assert http.post(path, json=HI).status_code == 200


def test_without_events_the_error_of_a_stream_is_in_an_array(http: httpx.Client) -> None:
    path = "/v1/models/gemini-2.5-pro:streamGenerateContent"
    (told,) = http.post(path, json={}).json()
    assert told == http.post(f"{path}?alt=sse", json={}).json()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/models", {"x-goog-api-key": "k"}),
        ("/v1/models?key=k", {}),
        ("/v1/models?pageSize=50&key=k", {}),
        ("/v1beta/models", {}),
        ("/gemini/v1/models", {}),
        ("/gemini/v1beta/models", {"authorization": "Bearer k"}),
    ],
)
def test_models_are_listed_for_whoever_asks(
    http: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    listed = http.get(path, headers=headers).json()["models"]
    assert [one["name"] for one in listed] == [
        "models/gemini-2.5-pro",
        "models/gemini-2.5-flash",
        "models/gemini-embedding-001",
        "models/meta-llama/x",
    ]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/gemini-2.5-pro"])
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer k"}])
def test_others_get_their_own_listing(
    http: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    assert "object" in http.get(path, headers=headers).json()


def test_one_model(http: httpx.Client) -> None:
    told = http.get("/v1beta/models/gemini-2.5-pro").json()
    assert (told["name"], told["inputTokenLimit"]) == ("models/gemini-2.5-pro", 1_048_576)


def test_statistics_count_by_verb(http: httpx.Client) -> None:
    for _ in range(3):
        http.post("/gemini/v1/models/gemini-2.5-flash:countTokens", json=HI)
    told = http.get("/llmsim/stats").text
    assert "/v1beta/models:countTokens" in told
    assert "models/gemini" not in told


def test_an_answers_id_names_its_journal_entry(http: httpx.Client) -> None:
    answer = http.post("/v1beta/models/gemini-2.5-flash:generateContent", json=HI).json()
    told = http.get(f"/llmsim/requests/{answer['responseId']}").json()
    assert (told["model"], told["request"]) == ("gemini-2.5-flash", HI)
    assert told["endpoint"] == "/v1beta/models:generateContent"
