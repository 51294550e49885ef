"""What all of Bedrock shares: exceptions, in a head and in a stream, and response headers."""

from __future__ import annotations

import orjson

from llmsim.core import Headers, Plan, Stamp
from llmsim.core.errors import Failure, FailureKind
from llmsim.providers.anthropic import errors as anthropic_errors
from llmsim.providers.bedrock import auth
from llmsim.providers.provider import ErrorFormat
from llmsim.providers.wire import event_stream
from llmsim.providers.wire.uuids import request_uuid

VALIDATION = "ValidationException"
THROTTLING = "ThrottlingException"
INTERNAL = "InternalServerException"
UNAVAILABLE = "ServiceUnavailableException"
DENIED = "AccessDeniedException"
NO_ACCESS = "You don't have access to the model with the specified model ID."
NO_MODEL = "The provided model identifier is invalid."

# Status, the exception's name and its message.
EXCEPTIONS: dict[FailureKind, tuple[int, str, str]] = {
    FailureKind.INVALID: (400, VALIDATION, "The request is not valid."),
    FailureKind.CONTENT_FILTER: (
        400,
        VALIDATION,
        "The model returned the following errors: Output blocked by content filtering policy",
    ),
    FailureKind.CONTEXT_LENGTH: (400, VALIDATION, "Input is too long for requested model."),
    FailureKind.AUTHENTICATION: (403, "UnrecognizedClientException", auth.WRONG),
    FailureKind.BILLING: (403, DENIED, NO_ACCESS),
    FailureKind.PERMISSION: (403, DENIED, NO_ACCESS),
    FailureKind.NOT_FOUND: (404, "ResourceNotFoundException", "The resource was not found."),
    FailureKind.MODEL_NOT_FOUND: (400, VALIDATION, NO_MODEL),
    FailureKind.UNKNOWN_PATH: (404, "UnknownOperationException", "Unknown operation."),
    FailureKind.METHOD: (405, "UnknownOperationException", "The method is not allowed."),
    FailureKind.TIMEOUT_CLIENT: (408, "ModelTimeoutException", "The model timed out."),
    FailureKind.CONFLICT: (409, "ConflictException", "The resource was changed meanwhile."),
    FailureKind.TOO_LARGE: (413, VALIDATION, "The request is too large."),
    FailureKind.UNPROCESSABLE: (424, "ModelErrorException", "The model could not answer."),
    FailureKind.RATE_LIMIT: (
        429,
        THROTTLING,
        "Too many requests, please wait before trying again.",
    ),
    FailureKind.TOKEN_LIMIT: (429, THROTTLING, "Too many tokens, please wait before trying again."),
    FailureKind.QUOTA: (
        429,
        THROTTLING,
        "Too many tokens per day, please wait before trying again.",
    ),
    FailureKind.SERVER_ERROR: (
        500,
        INTERNAL,
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    FailureKind.BAD_GATEWAY: (502, INTERNAL, "Bad gateway."),
    FailureKind.UNAVAILABLE: (503, UNAVAILABLE, "The service is temporarily unavailable."),
    FailureKind.TIMEOUT: (504, "ModelTimeoutException", "The model timed out."),
    FailureKind.OVERLOADED: (503, UNAVAILABLE, "Bedrock is unable to process your request."),
}
IN_STREAM = {
    VALIDATION: "validationException",
    THROTTLING: "throttlingException",
    INTERNAL: "internalServerException",
    UNAVAILABLE: "serviceUnavailableException",
}
"""The exceptions that a stream may end with; any other is one of the model's."""

_JSON = ("content-type", "application/json")
_EVENTS = ("content-type", event_stream.CONTENT_TYPE)


def exception(failed: Failure) -> str:
    """The name of the exception."""
    if failed.kind is FailureKind.AUTHENTICATION and failed.code is not None:
        return failed.code
    return EXCEPTIONS[failed.kind][1]


def failure(failed: Failure, stamp: Stamp | None = None) -> tuple[int, bytes]:
    """Status and body of a failed call; the head names the exception."""
    status, _, usual = EXCEPTIONS[failed.kind]
    message = failed.message or usual
    if failed.model is not None or failed.exceeded is not None or failed.too_long is not None:
        message = usual
    return failed.status or status, orjson.dumps({"message": message})


def failure_event(failed: Failure) -> bytes:
    """The exception that ends a stream which breaks off."""
    name = IN_STREAM.get(exception(failed), "modelStreamErrorException")
    return event_stream.exception(name, failure(failed)[1])


def named(failed: Failure) -> Headers:
    """The header that names the exception."""
    return [("x-amzn-errortype", exception(failed))]


def identity(stamp: Stamp) -> Headers:
    """What every response head has."""
    return [("x-amzn-requestid", request_uuid(stamp))]


def head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of a call."""
    made = [_EVENTS if plan.stream else _JSON, *identity(stamp)]
    if plan.completion is None and plan.failure is not None:
        made += named(plan.failure)
    return made


def invoke_head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of an invoked model: it tells tokens and the planned time, in ms."""
    made = head(plan, stamp)
    if plan.stream:
        made.append(("x-amzn-bedrock-content-type", "application/json"))
    elif plan.completion is not None:
        used = plan.completion.usage
        made += [
            ("x-amzn-bedrock-invocation-latency", str(int(plan.total * 1000))),
            ("x-amzn-bedrock-input-token-count", str(used.prompt - used.cached)),
            ("x-amzn-bedrock-output-token-count", str(used.completion)),
        ]
    return made


FORMAT = ErrorFormat(
    failure, lambda stamp: [_JSON, *identity(stamp)], anthropic_errors.retry, named
)
