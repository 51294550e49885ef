"""Anthropic's error envelope and heads, and the official client's own error classes."""

import anthropic
import httpx2
import orjson
import pytest
from anthropic._error_classes import make_status_error

from llmsim.core import Stamp
from llmsim.core.errors import Failure, FailureKind, TooLong
from llmsim.providers.anthropic import errors as anthropic_errors
from llmsim.providers.wire.decoding import MalformedBody

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)

CLASSES: dict[FailureKind, type[anthropic.APIStatusError]] = {
    FailureKind.INVALID: anthropic.BadRequestError,
    FailureKind.CONTEXT_LENGTH: anthropic.BadRequestError,
    FailureKind.CONTENT_FILTER: anthropic.BadRequestError,
    FailureKind.AUTHENTICATION: anthropic.AuthenticationError,
    FailureKind.BILLING: anthropic.PaymentRequiredError,
    FailureKind.PERMISSION: anthropic.PermissionDeniedError,
    FailureKind.NOT_FOUND: anthropic.NotFoundError,
    FailureKind.MODEL_NOT_FOUND: anthropic.NotFoundError,
    FailureKind.UNKNOWN_PATH: anthropic.NotFoundError,
    FailureKind.METHOD: anthropic.APIStatusError,
    FailureKind.TIMEOUT_CLIENT: anthropic.RequestTimeoutError,
    FailureKind.CONFLICT: anthropic.ConflictError,
    FailureKind.TOO_LARGE: anthropic.ContentTooLargeError,
    FailureKind.UNPROCESSABLE: anthropic.UnprocessableEntityError,
    FailureKind.RATE_LIMIT: anthropic.RateLimitError,
    FailureKind.TOKEN_LIMIT: anthropic.RateLimitError,
    FailureKind.QUOTA: anthropic.RateLimitError,
    FailureKind.SERVER_ERROR: anthropic.InternalServerError,
    FailureKind.BAD_GATEWAY: anthropic.InternalServerError,
    FailureKind.UNAVAILABLE: anthropic.ServiceUnavailableError,
    FailureKind.TIMEOUT: anthropic.GatewayTimeoutError,
    FailureKind.OVERLOADED: anthropic.OverloadedError,
}


@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_raises_its_own_class(kind: FailureKind) -> None:
    status, head, body = anthropic_errors.FORMAT.refusal(Failure(kind, "no"), STAMP)
    envelope = orjson.loads(body)
    request = httpx2.Request("POST", "http://sim/v1/messages")
    response = httpx2.Response(status, headers=dict(head), content=body, request=request)
    error = make_status_error("no", body=envelope, response=response)
    assert type(error) is CLASSES[kind]
    assert envelope == {
        "type": "error",
        "error": {"type": anthropic_errors.WIRE_ERRORS[kind][1], "message": "no"},
        "request_id": response.headers["request-id"],
    }
    assert error.request_id == envelope["request_id"]
    assert response.headers["content-type"] == "application/json"
    assert response.headers["anthropic-organization-id"]


def test_an_overload_has_a_status_of_its_own() -> None:
    assert anthropic_errors.failure(Failure(FailureKind.OVERLOADED, "Overloaded"), STAMP)[0] == 529


def test_a_failure_may_have_another_status() -> None:
    failure = Failure(FailureKind.SERVER_ERROR, "no", status=599)
    assert anthropic_errors.failure(failure, STAMP)[0] == 599


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            Failure(FailureKind.CONTEXT_LENGTH, "x", too_long=TooLong(200_000, 200_001, 10)),
            "prompt is too long: 200001 tokens > 200000 maximum",
        ),
        (
            Failure(FailureKind.CONTEXT_LENGTH, "x", too_long=TooLong(200_000, 150_000, 60_000)),
            "input length and `max_tokens` exceed context limit: 150000 + 60000 > 200000, "
            "decrease input length or `max_tokens` and try again",
        ),
        (Failure(FailureKind.MODEL_NOT_FOUND, "x", model="claude-9"), "model: claude-9"),
        (Failure(FailureKind.INVALID, "just so"), "just so"),
    ],
)
def test_failures_are_in_anthropics_words(failure: Failure, said: str) -> None:
    _, body = anthropic_errors.failure(failure, STAMP)
    assert orjson.loads(body)["error"]["message"] == said


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (MalformedBody("json", "", "cut"), "The request body is not valid JSON: cut"),
        (MalformedBody("missing", "a[0].b"), "a.0.b: Field required"),
        (MalformedBody("type", "a", "str | null", "int"), "a: Input should be a valid string"),
        (MalformedBody("type", "", "object", "int"), "Input should be a valid dictionary"),
        (MalformedBody("minimum", "a", "0"), "a: Input should be greater than or equal to 0"),
        (MalformedBody("maximum", "a", "1"), "a: Input should be less than or equal to 1"),
        (
            MalformedBody("short", "a", "1", "str"),
            "a: List should have at least 1 item after validation, not 0",
        ),
        (
            MalformedBody("long", "a", "4", "array"),
            "a: List should have at most 4 items after validation",
        ),
        (
            MalformedBody("value", "a.effort", "", "'x'"),
            "a.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
        ),
        (MalformedBody("value", "a", "", "'x'"), "a: Input 'x' is not valid"),
        (
            MalformedBody("value", "type", "", "'x'"),
            "Input tag 'x' found using 'type' does not match any of the expected tags",
        ),
    ],
)  # fmt: skip
def test_validation_errors_are_in_pydantics_words(mistake: MalformedBody, said: str) -> None:
    assert anthropic_errors.refuse(mistake).failure.message == said


def test_ids_have_their_prefixes_and_lead_back() -> None:
    assert anthropic_errors.request_id(STAMP) == "req_01" + STAMP.mark
    assert anthropic_errors.message_id(STAMP) == "msg_01" + STAMP.mark
    assert anthropic_errors.call_id(STAMP, 3) != anthropic_errors.call_id(STAMP, 4)
