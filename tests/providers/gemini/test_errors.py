"""What all of Gemini's methods share: envelope, details, refusals, ids."""

from typing import Any

import orjson
import pytest
from google.genai import errors

from llmsim.core import Stamp
from llmsim.core.errors import Failure, FailureKind, TooLong
from llmsim.providers.gemini import errors as gemini_errors
from llmsim.providers.wire.decoding import MalformedBody, Problem

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
RPC = "type.googleapis.com/google.rpc."


def error(failure: Failure) -> dict[str, Any]:
    status, body = gemini_errors.failure(failure)
    described: dict[str, Any] = orjson.loads(body)["error"]
    assert described["code"] == status
    return described


@pytest.mark.parametrize("kind", FailureKind)
def test_the_sdk_reads_every_failure(kind: FailureKind) -> None:
    status, body = gemini_errors.failure(Failure(kind, "what went wrong"))
    expected = errors.ClientError if status < 500 else errors.ServerError
    with pytest.raises(expected) as raised:
        errors.APIError.raise_error(status, orjson.loads(body), None)
    assert (raised.value.code, raised.value.message) == (status, "what went wrong")
    assert raised.value.status == gemini_errors.WIRE_ERRORS[kind][1]


@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (Failure(FailureKind.INVALID, "m"), 400, "INVALID_ARGUMENT"),
        (Failure(FailureKind.BILLING, "m"), 400, "FAILED_PRECONDITION"),
        (Failure(FailureKind.PERMISSION, "m"), 403, "PERMISSION_DENIED"),
        (Failure(FailureKind.NOT_FOUND, "m"), 404, "NOT_FOUND"),
        (Failure(FailureKind.RATE_LIMIT, "m"), 429, "RESOURCE_EXHAUSTED"),
        (Failure(FailureKind.SERVER_ERROR, "m"), 500, "INTERNAL"),
        (Failure(FailureKind.OVERLOADED, "m"), 503, "UNAVAILABLE"),
        (Failure(FailureKind.TIMEOUT, "m"), 504, "DEADLINE_EXCEEDED"),
        (Failure(FailureKind.AUTHENTICATION, "m", status=401), 401, "UNAUTHENTICATED"),
        (Failure(FailureKind.SERVER_ERROR, "m", status=507), 507, "UNKNOWN"),
        (Failure(FailureKind.SERVER_ERROR, "m", status=500), 500, "INTERNAL"),
    ],
)
def test_codes_and_status_names(failure: Failure, code: int, status: str) -> None:
    described = error(failure)
    assert (described["code"], described["status"], described["message"]) == (code, status, "m")


@pytest.mark.parametrize(
    ("failure", "details"),
    [
        (Failure(FailureKind.SERVER_ERROR, "m"), None),
        (Failure(FailureKind.INVALID, "m"), None),
        (
            Failure(FailureKind.INVALID, "m", "contents[0].role"),
            [
                {
                    "@type": f"{RPC}BadRequest",
                    "fieldViolations": [{"field": "contents[0].role", "description": "m"}],
                }
            ],
        ),
        (
            Failure(FailureKind.UNAVAILABLE, "m", retry_after=2.5),
            [{"@type": f"{RPC}RetryInfo", "retryDelay": "2.5s"}],
        ),
    ],
)
def test_details(failure: Failure, details: Any) -> None:
    assert error(failure).get("details") == details


def test_a_bad_key_says_so() -> None:
    info, described = error(Failure(FailureKind.AUTHENTICATION, "API key not valid."))["details"]
    assert (info["@type"], info["reason"]) == (f"{RPC}ErrorInfo", "API_KEY_INVALID")
    assert described["message"] == "API key not valid."


@pytest.mark.parametrize(
    "kind", [FailureKind.RATE_LIMIT, FailureKind.TOKEN_LIMIT, FailureKind.QUOTA]
)
def test_a_rate_limit_says_what_ran_out_and_when_to_come_back(kind: FailureKind) -> None:
    spent, again = error(Failure(kind, "slow down", retry_after=30))["details"]
    assert spent["@type"] == f"{RPC}QuotaFailure"
    assert spent["violations"][0]["quotaId"] == gemini_errors.QUOTAS[kind][1]
    assert again == {"@type": f"{RPC}RetryInfo", "retryDelay": "30s"}


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            Failure(FailureKind.MODEL_NOT_FOUND, "m", model="x"),
            "Model is not found: models/x for api",
        ),
        (
            Failure(FailureKind.CONTEXT_LENGTH, "m", too_long=TooLong(10, 12, 3)),
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
    failure = gemini_errors.refuse(MalformedBody(problem, path, expected, got)).failure
    assert failure.kind is FailureKind.INVALID
    assert failure.message.startswith(message)
    assert failure.param == (gemini_errors.snake(path) or None)


def test_a_refusal_is_json() -> None:
    status, head, body = gemini_errors.error_format().refusal(
        Failure(FailureKind.UNKNOWN_PATH, "nothing here"), STAMP
    )
    assert status == 404
    assert dict(head)["content-type"].startswith("application/json")
    assert orjson.loads(body)["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("model", "resource"),
    [("gemini-2.5-pro", "models/gemini-2.5-pro"), ("tunedModels/x", "tunedModels/x")],
)
def test_resource_names(model: str, resource: str) -> None:
    assert gemini_errors.resource(model) == resource
    assert gemini_errors.bare(resource) == model


def test_ids_differ_by_call_and_answer() -> None:
    other = Stamp("f" * 26, 0)
    ids = [gemini_errors.call_id(stamp, place) for stamp in (STAMP, other) for place in (0, 1, 8)]
    assert len(set(ids)) == len(ids)
    assert gemini_errors.signature(STAMP) != gemini_errors.signature(other)
