"""Anthropic's error envelope and heads, and the official client's own error classes."""

import anthropic
import httpx2
import orjson
import pytest
from anthropic._error_classes import make_status_error

from llmsim.dialects import anthropic_envelope
from llmsim.dialects.decoding import Malformed
from llmsim.errors import Failure, Kind, TooLong
from llmsim.exchange import Stamp

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)

CLASSES: dict[Kind, type[anthropic.APIStatusError]] = {
    Kind.INVALID: anthropic.BadRequestError,
    Kind.CONTEXT_LENGTH: anthropic.BadRequestError,
    Kind.AUTHENTICATION: anthropic.AuthenticationError,
    Kind.BILLING: anthropic.PaymentRequiredError,
    Kind.PERMISSION: anthropic.PermissionDeniedError,
    Kind.NOT_FOUND: anthropic.NotFoundError,
    Kind.MODEL_NOT_FOUND: anthropic.NotFoundError,
    Kind.UNKNOWN_PATH: anthropic.NotFoundError,
    Kind.METHOD: anthropic.APIStatusError,
    Kind.TIMEOUT_CLIENT: anthropic.RequestTimeoutError,
    Kind.CONFLICT: anthropic.ConflictError,
    Kind.TOO_LARGE: anthropic.ContentTooLargeError,
    Kind.UNPROCESSABLE: anthropic.UnprocessableEntityError,
    Kind.RATE_LIMIT: anthropic.RateLimitError,
    Kind.TOKEN_LIMIT: anthropic.RateLimitError,
    Kind.QUOTA: anthropic.RateLimitError,
    Kind.SERVER_ERROR: anthropic.InternalServerError,
    Kind.BAD_GATEWAY: anthropic.InternalServerError,
    Kind.UNAVAILABLE: anthropic.ServiceUnavailableError,
    Kind.TIMEOUT: anthropic.GatewayTimeoutError,
    Kind.OVERLOADED: anthropic.OverloadedError,
}


@pytest.mark.parametrize("kind", Kind)
def test_every_failure_raises_its_own_class(kind: Kind) -> None:
    status, head, body = anthropic_envelope.refusal(Failure(kind, "no"), STAMP)
    told = orjson.loads(body)
    request = httpx2.Request("POST", "http://sim/v1/messages")
    response = httpx2.Response(status, headers=dict(head), content=body, request=request)
    error = make_status_error("no", body=told, response=response)
    assert type(error) is CLASSES[kind]
    assert told == {
        "type": "error",
        "error": {"type": anthropic_envelope.SPELLING[kind][1], "message": "no"},
        "request_id": response.headers["request-id"],
    }
    assert error.request_id == told["request_id"]
    assert response.headers["content-type"] == "application/json"
    assert response.headers["anthropic-organization-id"]


def test_an_overload_has_a_status_of_its_own() -> None:
    assert anthropic_envelope.failure(Failure(Kind.OVERLOADED, "Overloaded"), STAMP)[0] == 529


def test_a_failure_may_have_another_status() -> None:
    failure = Failure(Kind.SERVER_ERROR, "no", status=599)
    assert anthropic_envelope.failure(failure, STAMP)[0] == 599


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            Failure(Kind.CONTEXT_LENGTH, "x", too_long=TooLong(200_000, 200_001, 10)),
            "prompt is too long: 200001 tokens > 200000 maximum",
        ),
        (
            Failure(Kind.CONTEXT_LENGTH, "x", too_long=TooLong(200_000, 150_000, 60_000)),
            "input length and `max_tokens` exceed context limit: 150000 + 60000 > 200000, "
            "decrease input length or `max_tokens` and try again",
        ),
        (Failure(Kind.MODEL_NOT_FOUND, "x", model="claude-9"), "model: claude-9"),
        (Failure(Kind.INVALID, "just so"), "just so"),
    ],
)
def test_failures_are_told_in_anthropics_words(failure: Failure, said: str) -> None:
    _, body = anthropic_envelope.failure(failure, STAMP)
    assert orjson.loads(body)["error"]["message"] == said


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (Malformed("json", "", "cut"), "The request body is not valid JSON: cut"),
        (Malformed("missing", "a[0].b"), "a.0.b: Field required"),
        (Malformed("type", "a", "str | null", "int"), "a: Input should be a valid string"),
        (Malformed("type", "", "object", "int"), "Input should be a valid dictionary"),
        (Malformed("minimum", "a", "0"), "a: Input should be greater than or equal to 0"),
        (Malformed("maximum", "a", "1"), "a: Input should be less than or equal to 1"),
        (
            Malformed("short", "a", "1", "str"),
            "a: List should have at least 1 item after validation, not 0",
        ),
        (
            Malformed("long", "a", "4", "array"),
            "a: List should have at most 4 items after validation",
        ),
        (Malformed("value", "a.effort", "", "'x'"), "a.effort: Input should be 'low', 'medium', "
         "'high', 'xhigh' or 'max'"),
        (Malformed("value", "a", "", "'x'"), "a: Input 'x' is not valid"),
        (
            Malformed("value", "type", "", "'x'"),
            "Input tag 'x' found using 'type' does not match any of the expected tags",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_told_as_pydantic_does(mistake: Malformed, said: str) -> None:
    assert anthropic_envelope.refuse(mistake).failure.message == said


def test_ids_have_their_prefixes_and_lead_back() -> None:
    assert anthropic_envelope.request_id(STAMP) == "req_01" + STAMP.mark
    assert anthropic_envelope.message_id(STAMP) == "msg_01" + STAMP.mark
    assert anthropic_envelope.call_id(STAMP, 3) != anthropic_envelope.call_id(STAMP, 4)
