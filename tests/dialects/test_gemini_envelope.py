"""What all of Gemini's methods share: envelope, details, refusals, ids."""

from typing import Any

import orjson
import pytest
from google.genai import errors

from llmsim.dialects import gemini_envelope
from llmsim.dialects.decoding import Malformed, Problem
from llmsim.errors import Failure, Kind, TooLong
from llmsim.exchange import Stamp

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
RPC = "type.googleapis.com/google.rpc."


def error(failure: Failure) -> dict[str, Any]:
    status, body = gemini_envelope.failure(failure)
    told: dict[str, Any] = orjson.loads(body)["error"]
    assert told["code"] == status
    return told


@pytest.mark.parametrize("kind", Kind)
def test_the_sdk_reads_every_failure(kind: Kind) -> None:
    status, body = gemini_envelope.failure(Failure(kind, "what went wrong"))
    expected = errors.ClientError if status < 500 else errors.ServerError
    with pytest.raises(expected) as raised:
        errors.APIError.raise_error(status, orjson.loads(body), None)
    assert (raised.value.code, raised.value.message) == (status, "what went wrong")
    assert raised.value.status == gemini_envelope.SPELLING[kind][1]


@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (Failure(Kind.INVALID, "m"), 400, "INVALID_ARGUMENT"),
        (Failure(Kind.BILLING, "m"), 400, "FAILED_PRECONDITION"),
        (Failure(Kind.PERMISSION, "m"), 403, "PERMISSION_DENIED"),
        (Failure(Kind.NOT_FOUND, "m"), 404, "NOT_FOUND"),
        (Failure(Kind.RATE_LIMIT, "m"), 429, "RESOURCE_EXHAUSTED"),
        (Failure(Kind.SERVER_ERROR, "m"), 500, "INTERNAL"),
        (Failure(Kind.OVERLOADED, "m"), 503, "UNAVAILABLE"),
        (Failure(Kind.TIMEOUT, "m"), 504, "DEADLINE_EXCEEDED"),
        (Failure(Kind.AUTHENTICATION, "m", status=401), 401, "UNAUTHENTICATED"),
        (Failure(Kind.SERVER_ERROR, "m", status=507), 507, "UNKNOWN"),
        (Failure(Kind.SERVER_ERROR, "m", status=500), 500, "INTERNAL"),
    ],
)
def test_codes_and_status_names(failure: Failure, code: int, status: str) -> None:
    told = error(failure)
    assert (told["code"], told["status"], told["message"]) == (code, status, "m")


@pytest.mark.parametrize(
    ("failure", "details"),
    [
        (Failure(Kind.SERVER_ERROR, "m"), None),
        (Failure(Kind.INVALID, "m"), None),
        (
            Failure(Kind.INVALID, "m", "contents[0].role"),
            [
                {
                    "@type": f"{RPC}BadRequest",
                    "fieldViolations": [{"field": "contents[0].role", "description": "m"}],
                }
            ],
        ),
        (
            Failure(Kind.UNAVAILABLE, "m", retry_after=2.5),
            [{"@type": f"{RPC}RetryInfo", "retryDelay": "2.5s"}],
        ),
    ],
)
def test_details(failure: Failure, details: Any) -> None:
    assert error(failure).get("details") == details


def test_a_bad_key_says_so() -> None:
    info, told = error(Failure(Kind.AUTHENTICATION, "API key not valid."))["details"]
    assert (info["@type"], info["reason"]) == (f"{RPC}ErrorInfo", "API_KEY_INVALID")
    assert told["message"] == "API key not valid."


@pytest.mark.parametrize("kind", [Kind.RATE_LIMIT, Kind.TOKEN_LIMIT, Kind.QUOTA])
def test_a_rate_limit_says_what_ran_out_and_when_to_come_back(kind: Kind) -> None:
    spent, again = error(Failure(kind, "slow down", retry_after=30))["details"]
    assert spent["@type"] == f"{RPC}QuotaFailure"
    assert spent["violations"][0]["quotaId"] == gemini_envelope.QUOTAS[kind][1]
    assert again == {"@type": f"{RPC}RetryInfo", "retryDelay": "30s"}


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (Failure(Kind.MODEL_NOT_FOUND, "m", model="x"), "Model is not found: models/x for api"),
        (
            Failure(Kind.CONTEXT_LENGTH, "m", too_long=TooLong(10, 12, 3)),
            "The input token count (12) exceeds the maximum number of tokens allowed (10).",
        ),
    ],
)
def test_failures_in_googles_words(failure: Failure, message: str) -> None:
    assert error(failure)["message"].startswith(message)


@pytest.mark.parametrize(
    ("problem", "path", "expected", "got", "message"),
    [
        ("json", "", "truncated", "", "Invalid JSON payload received. truncated"),
        ("missing", "contents", "", "", "* GenerateContentRequest.contents: contents is not"),
        ("type", "", "object", "int", "Invalid JSON payload received. Root element must be a"),
        (
            "type",
            "generationConfig.maxOutputTokens",
            "int | null",
            "str",
            "Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32), got TYPE_STRING",
        ),
        ("value", "a.bC", "", "'x'", "Invalid value at 'a.b_c', 'x'"),
        (
            "minimum",
            "topP",
            "0",
            "float",
            "* GenerateContentRequest.top_p: top_p must be at least 0",
        ),
        (
            "maximum",
            "topP",
            "1",
            "float",
            "* GenerateContentRequest.top_p: top_p must be at most 1",
        ),
        ("short", "requests", "1", "array", "* GenerateContentRequest.requests: requests must not"),
        ("long", "a.b", "5", "array", "* GenerateContentRequest.a.b: b must not be longer than 5"),
    ],
)
def test_malformed_bodies(
    problem: Problem, path: str, expected: str, got: str, message: str
) -> None:
    failure = gemini_envelope.refuse(Malformed(problem, path, expected, got)).failure
    assert failure.kind is Kind.INVALID
    assert failure.message.startswith(message)
    assert failure.param == (gemini_envelope.snake(path) or None)


def test_a_refusal_is_json() -> None:
    status, head, body = gemini_envelope.refusal(Failure(Kind.UNKNOWN_PATH, "nothing here"), STAMP)
    assert status == 404
    assert dict(head)["content-type"].startswith("application/json")
    assert orjson.loads(body)["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("model", "resource"),
    [("gemini-2.5-pro", "models/gemini-2.5-pro"), ("tunedModels/x", "tunedModels/x")],
)
def test_resource_names(model: str, resource: str) -> None:
    assert gemini_envelope.resource(model) == resource
    assert gemini_envelope.bare(resource) == model


def test_ids_differ_by_call_and_answer() -> None:
    other = Stamp("f" * 26, 0)
    ids = [gemini_envelope.call_id(stamp, place) for stamp in (STAMP, other) for place in (0, 1, 8)]
    assert len(set(ids)) == len(ids)
    assert gemini_envelope.signature(STAMP) != gemini_envelope.signature(other)
