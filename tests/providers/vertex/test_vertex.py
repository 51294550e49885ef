"""Vertex AI around Gemini's and Anthropic's codecs: paths, models, errors, shapes of its own."""

from typing import Any

import orjson
import pytest

import llmsim
from llmsim.core import Stamp
from llmsim.core.errors import BadRequest, Exceeded, Failure, FailureKind, Measure
from llmsim.providers.provider import Endpoint
from llmsim.providers.vertex.calls import VertexCall, vertex_call
from llmsim.providers.vertex.codecs import shares
from llmsim.providers.vertex.provider import VERSION, VERTEX

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
HI = [{"role": "user", "content": "hi"}]
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
PROJECT = "/v1/projects/p/locations/us-central1/"
PARENT = "projects/p/locations/us-central1/"


def called(rest: str, query: str = "", strict: bool = False) -> Endpoint:
    path = f"{PROJECT}publishers/{rest}"
    assert VERTEX.pattern is not None
    assert VERTEX.pattern.matches(path)
    return VERTEX.pattern.endpoint(path, query, strict)


@pytest.mark.parametrize(
    ("path", "call"),
    [
        (
            f"{PROJECT}publishers/google/models/gemini-2.5-pro:generateContent",
            VertexCall("google", "gemini-2.5-pro", "generateContent", PARENT),
        ),
        (
            "/v1beta1/publishers/google/models/g:streamGenerateContent",
            VertexCall("google", "g", "streamGenerateContent"),
        ),
        (
            f"{PROJECT}publishers/anthropic/models/claude-sonnet-4-5%4020250929:rawPredict",
            VertexCall("anthropic", "claude-sonnet-4-5@20250929", "rawPredict", PARENT),
        ),
        (
            f"{PROJECT}endpoints/123:generateContent",
            VertexCall("google", "123", "generateContent", PARENT),
        ),
        (f"{PROJECT}publishers/google/models/g:rawPredict", None),
        (f"{PROJECT}publishers/anthropic/models/c:generateContent", None),
        (f"{PROJECT}publishers/meta/models/l:rawPredict", None),
        (f"{PROJECT}publishers/google/models/g", None),
        ("/v1/models/g:generateContent", None),
    ],
)
def test_paths(path: str, call: VertexCall | None) -> None:
    assert vertex_call(path) == call
    assert VERTEX.pattern is not None
    assert VERTEX.pattern.matches(path) is (call is not None)


@pytest.mark.parametrize(("verb", "stream"), [("rawPredict", False), ("streamRawPredict", True)])
@pytest.mark.parametrize("strict", [False, True])
def test_claudes_model_and_whether_it_streams_are_in_the_path(
    verb: str, stream: bool, strict: bool
) -> None:
    model = "claude-sonnet-4-5@20250929"
    codec = called(f"anthropic/models/{model}:{verb}", strict=strict).codec
    body = {"messages": HI, "max_tokens": 5, "anthropic_version": VERSION, "stream": not stream}
    request = codec.decode(orjson.dumps(body))
    assert (request.model, request.stream) == (model, stream)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "anthropic_version: Field required"),
        ({"anthropic_version": "1"}, f"anthropic_version: Input should be '{VERSION}'"),
        ({"anthropic_version": VERSION, "colour": 1}, "colour: Extra inputs are not permitted"),
    ],
)
def test_what_strict_validation_wants_of_claudes_bodies(
    fields: dict[str, Any], message: str
) -> None:
    body = orjson.dumps({"messages": HI, "max_tokens": 5, **fields})
    path = "anthropic/models/claude-sonnet-4-5:rawPredict"
    with pytest.raises(BadRequest) as caught:
        called(path, strict=True).codec.decode(body)
    assert caught.value.failure.message == message
    assert called(path).codec.decode(body)


@pytest.mark.parametrize(
    ("field", "taken"), [("labels", True), ("safetySettings", True), ("colour", False)]
)
def test_fields_of_geminis_that_vertex_has(field: str, taken: bool) -> None:
    codec = called("google/models/gemini-2.5-flash:generateContent", strict=True).codec
    body = orjson.dumps({**CONTENTS, field: {} if field == "labels" else []})
    if taken:
        assert codec.decode(body).model == "gemini-2.5-flash"
    else:
        with pytest.raises(BadRequest):
            codec.decode(body)


def test_answers_say_when_they_were_made() -> None:
    body = {"model": "gemini-2.5-flash", **CONTENTS}
    config = {"latency": {"profile": "instant"}}
    plain = llmsim.plan(body, dialect="vertex_gemini", config=config)
    assert orjson.loads(plain.frames[0])["createTime"] == "1970-01-01T00:00:00.000000Z"
    streamed = llmsim.plan({**body, "stream": True}, dialect="vertex_gemini", config=config)
    for frame in list(streamed.frames)[:-1]:
        assert orjson.loads(frame.removeprefix(b"data: "))["createTime"]


def test_embeddings_are_predicted() -> None:
    body = {
        "model": "gemini-embedding-001",
        "instances": [{"content": "hi"}, {"content": "a longer text"}],
        "parameters": {"outputDimensionality": 8},
    }
    plan = llmsim.plan(body, dialect="vertex_embeddings")
    answer = orjson.loads(plan.frames[0])
    embeddings = [one["embeddings"] for one in answer["predictions"]]
    assert [len(one["values"]) for one in embeddings] == [8, 8]
    assert all(one["statistics"]["truncated"] is False for one in embeddings)
    assert answer["metadata"] == {"billableCharacterCount": 13}


@pytest.mark.parametrize(
    ("tokens", "lengths", "made"), [(5, [1, 1], [2, 3]), (3, [7], [3]), (10, [1, 4], [2, 8])]
)
def test_tokens_are_shared_by_length(tokens: int, lengths: list[int], made: list[int]) -> None:
    assert shares(tokens, lengths) == made


GOOGLES = called("google/models/gemini-2.5-flash:generateContent")
CLAUDES = called("anthropic/models/claude-sonnet-4-5:rawPredict")


@pytest.mark.parametrize(
    ("endpoint", "failure", "status", "name", "said"),
    [
        (GOOGLES, VERTEX.auth.refusal(""), 401, "UNAUTHENTICATED", "Request is missing required"),
        (GOOGLES, VERTEX.auth.refusal("x"), 401, "UNAUTHENTICATED", "Request had invalid"),
        (
            GOOGLES,
            Failure(FailureKind.MODEL_NOT_FOUND, "no", model="x"),
            404,
            "NOT_FOUND",
            f"Publisher Model `{PARENT}publishers/google/models/x` was not found",
        ),
        (
            CLAUDES,
            Failure(FailureKind.RATE_LIMIT, "", exceeded=Exceeded(Measure.DAILY, 1, 1, 1, "c", 1)),
            429,
            "RESOURCE_EXHAUSTED",
            "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_minute",
        ),
        (GOOGLES, Failure(FailureKind.INVALID, "no", "x"), 400, "INVALID_ARGUMENT", "no"),
    ],
    ids=["missing", "wrong", "model", "quota", "body"],
)
def test_errors(endpoint: Endpoint, failure: Failure, status: int, name: str, said: str) -> None:
    shown, body = endpoint.errors.failure(failure, STAMP)
    error = orjson.loads(body)["error"]
    assert (shown, error["code"], error["status"]) == (status, status, name)
    assert error["message"].startswith(said)


def test_what_claude_refuses_is_in_anthropics_words() -> None:
    status, body = CLAUDES.errors.failure(Failure(FailureKind.OVERLOADED, ""), STAMP)
    assert status == 529
    assert orjson.loads(body)["error"]["type"] == "overloaded_error"
    assert CLAUDES.errors.retry(2.5) == [("retry-after", "3")]


def test_an_error_where_a_stream_would_be_an_array_is_its_one_element() -> None:
    endpoint = called("google/models/gemini-2.5-flash:streamGenerateContent")
    body = endpoint.errors.failure(Failure(FailureKind.RATE_LIMIT, ""), STAMP)[1]
    assert orjson.loads(body)[0]["error"]["code"] == 429


@pytest.mark.parametrize(
    ("headers", "query", "key"),
    [
        ({"authorization": "Bearer t"}, "", "t"),
        ({"x-goog-api-key": "k"}, "", "k"),
        ({}, "key=k", "k"),
        ({}, "", ""),
    ],
)
def test_keys(headers: dict[str, str], query: str, key: str) -> None:
    assert VERTEX.auth.key(headers.get, query) == key
