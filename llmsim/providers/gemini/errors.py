"""What all of Gemini's methods share: the error envelope, response headers, ids.

Errors are Google's usual ones (AIP-193, google/rpc/error_details.proto), as google-genai 3.4's
``errors`` reads them.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any, Literal, TypeAlias, get_args

import orjson

from llmsim.core import Headers, Plan, Stamp
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.providers.gemini import limits
from llmsim.providers.gemini.error_messages import MESSAGES
from llmsim.providers.provider import ErrorFormat
from llmsim.providers.wire import sse
from llmsim.providers.wire.decoding import MalformedBody

# HTTP status and the canonical code's name, by google/rpc/code.proto and the troubleshooting
# table of the Gemini API's documentation.
WIRE_ERRORS: dict[FailureKind, tuple[int, str]] = {
    FailureKind.INVALID: (400, "INVALID_ARGUMENT"),
    FailureKind.CONTENT_FILTER: (400, "INVALID_ARGUMENT"),
    FailureKind.CONTEXT_LENGTH: (400, "INVALID_ARGUMENT"),
    FailureKind.AUTHENTICATION: (400, "INVALID_ARGUMENT"),
    FailureKind.BILLING: (400, "FAILED_PRECONDITION"),
    FailureKind.PERMISSION: (403, "PERMISSION_DENIED"),
    FailureKind.NOT_FOUND: (404, "NOT_FOUND"),
    FailureKind.MODEL_NOT_FOUND: (404, "NOT_FOUND"),
    FailureKind.UNKNOWN_PATH: (404, "NOT_FOUND"),
    FailureKind.METHOD: (405, "UNIMPLEMENTED"),
    FailureKind.TIMEOUT_CLIENT: (408, "DEADLINE_EXCEEDED"),
    FailureKind.CONFLICT: (409, "ABORTED"),
    FailureKind.TOO_LARGE: (413, "INVALID_ARGUMENT"),
    FailureKind.UNPROCESSABLE: (422, "INVALID_ARGUMENT"),
    FailureKind.RATE_LIMIT: (429, "RESOURCE_EXHAUSTED"),
    FailureKind.TOKEN_LIMIT: (429, "RESOURCE_EXHAUSTED"),
    FailureKind.QUOTA: (429, "RESOURCE_EXHAUSTED"),
    FailureKind.SERVER_ERROR: (500, "INTERNAL"),
    FailureKind.BAD_GATEWAY: (502, "UNAVAILABLE"),
    FailureKind.UNAVAILABLE: (503, "UNAVAILABLE"),
    FailureKind.TIMEOUT: (504, "DEADLINE_EXCEEDED"),
    FailureKind.OVERLOADED: (503, "UNAVAILABLE"),
}
# The names of statuses that a failure asks for instead of its own.
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
# The metric and the quota that ran out.
QUOTAS = {
    FailureKind.RATE_LIMIT: (
        "generate_content_requests",
        "GenerateRequestsPerMinutePerProjectPerModel",
    ),
    FailureKind.TOKEN_LIMIT: (
        "generate_content_input_token_count",
        "GenerateContentInputTokensPerModelPerMinute",
    ),
    FailureKind.QUOTA: ("generate_content_requests", "GenerateRequestsPerDayPerProjectPerModel"),
}
# What a path may call on a model: ``…/models/NAME:VERB``.
Verb: TypeAlias = Literal[
    "generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"
]
VERBS: tuple[Verb, ...] = get_args(Verb)
SERVICE = "generativelanguage.googleapis.com"
VARY = ("vary", "Origin, X-Origin, Referer")
JSON: Headers = [("content-type", "application/json; charset=UTF-8"), VARY]

_EVENTS: Headers = [
    ("content-type", "text/event-stream"),
    ("cache-control", "no-cache"),
    VARY,
]
_RPC = "type.googleapis.com/google.rpc."
_TYPES = {
    "str": "TYPE_STRING",
    "int": "TYPE_INT32",
    "float": "TYPE_FLOAT",
    "bool": "TYPE_BOOL",
    "object": "a message",
    "array": "a list",
}
_HUMP = re.compile(r"(?<=[a-z])([A-Z])")


def failure(failed: Failure, version: str = "v1beta", method: str = "") -> tuple[int, bytes]:
    """Status and body of a failed call of ``method``."""
    status, name = WIRE_ERRORS[failed.kind]
    if failed.status is not None and failed.status != status:
        status, name = failed.status, STATUSES.get(failed.status, "UNKNOWN")
    message = _message(failed, version, method)
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    details = _details(failed)
    if details:
        error["details"] = details
    return status, orjson.dumps({"error": error})


def error_format(version: str = "v1beta", method: str = "", array: bool = False) -> ErrorFormat:
    """How a call of ``method`` fails. Where it would have been answered with a stream that is
    one JSON ``array``, the error is its one element."""

    def failure_of_call(failed: Failure, stamp: Stamp) -> tuple[int, bytes]:
        status, body = failure(failed, version, method)
        return status, sse.JSON_ARRAY.opening + body + sse.JSON_ARRAY.last if array else body

    return ErrorFormat(failure_of_call, lambda stamp: JSON, retry)


def retry(after: float) -> Headers:
    """None: the body's details say when to try again."""
    return []


def head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of an answered call; a stream is JSON, too."""
    return [*JSON, identified(stamp)]


def event_head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of a call whose answer is a stream of events, unless it fails."""
    return [*(_EVENTS if plan.stream else JSON), identified(stamp)]


def identified(stamp: Stamp) -> tuple[str, str]:
    """The header that says which request this is. Google's own API has none, and its errors have
    no id at all."""
    return "x-llmsim-request-id", stamp.mark


def headers(stamp: Stamp) -> Headers:
    """The response head but for its content type."""
    return [VARY]


def _message(failed: Failure, version: str, method: str) -> str:
    """What went wrong, in Google's words where it has its own."""
    if failed.too_long is not None:
        return (
            f"The input token count ({failed.too_long.prompt}) exceeds the maximum number of "
            f"tokens allowed ({failed.too_long.window})."
        )
    if failed.model is not None:
        name = resource(failed.model)
        if not method:
            return f"Model is not found: {name} for api version {version}"
        return (
            f"{name} is not found for API version {version}, or is not supported for {method}. "
            "Call ListModels to see the list of available models and their supported methods."
        )
    if failed.exceeded is not None:
        return limits.message(failed.exceeded, SERVICE)
    return failed.message or MESSAGES[failed.kind]


def _details(failed: Failure) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = []
    if failed.exceeded is not None:
        return limits.details(failed.exceeded, SERVICE, _RPC)
    if failed.kind is FailureKind.AUTHENTICATION:
        about = {"domain": "googleapis.com", "metadata": {"service": SERVICE}}
        details.append({"@type": f"{_RPC}ErrorInfo", "reason": "API_KEY_INVALID", **about})
        message_detail = {"locale": "en-US", "message": failed.message or MESSAGES[failed.kind]}
        details.append({"@type": f"{_RPC}LocalizedMessage", **message_detail})
    elif failed.kind is FailureKind.INVALID and failed.param is not None:
        violation = {"field": failed.param, "description": failed.message}
        details.append({"@type": f"{_RPC}BadRequest", "fieldViolations": [violation]})
    elif failed.kind in QUOTAS:
        metric, quota = QUOTAS[failed.kind]
        spent = {"quotaMetric": f"{SERVICE}/{metric}", "quotaId": quota}
        details.append({"@type": f"{_RPC}QuotaFailure", "violations": [spent]})
    if failed.retry_after is not None:
        details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": f"{failed.retry_after:g}s"})
    return details


def refuse(  # noqa: PLR0911  one return a problem
    mistake: MalformedBody, message: str = "GenerateContentRequest"
) -> BadRequest:
    """A malformed body in Google's words, which name fields as its protocol buffers do.

    ``message`` is the name of what the body should have been.
    """
    path = snake(mistake.path)
    field = path.rpartition(".")[2]
    where = f"* {message}.{path}: {field}"
    match mistake.problem:
        case "json":
            return invalid(f"Invalid JSON payload received. {mistake.expected}")
        case "missing":
            return invalid(f"{where} is not specified", path)
        case "type" if not path:
            return invalid("Invalid JSON payload received. Root element must be a message.")
        case "type":
            names = [name for name in mistake.expected.split(" | ") if name != "null"]
            wanted = " or ".join(_TYPES.get(name, name) for name in names)
            got = _TYPES.get(mistake.got, mistake.got)
            return invalid(f"Invalid value at '{path}' ({wanted}), got {got}", path)
        case "value":
            return invalid(f"Invalid value at '{path}', {mistake.got}", path)
        case "minimum":
            return invalid(f"{where} must be at least {mistake.expected}", path)
        case "maximum":
            return invalid(f"{where} must be at most {mistake.expected}", path)
        case "short":
            return invalid(f"{where} must not be empty", path)
        case "long":
            return invalid(f"{where} must not be longer than {mistake.expected}", path)


def snake(path: str) -> str:
    """A camelCase path as the protocol buffers spell it."""
    return _HUMP.sub(r"_\1", path).lower()


def resource(model: str) -> str:
    """A model's resource name: ``models/…``, or ``tunedModels/…`` for one that was tuned."""
    return model if model.startswith("tunedModels/") else f"models/{model}"


def bare(name: str) -> str:
    """A model's name out of its resource name."""
    return name.removeprefix("models/")


def call_id(stamp: Stamp, place: int) -> str:
    """The id of the answer's function call number ``place``."""
    return f"{stamp.mark}{place:02x}"


def signature(stamp: Stamp) -> str:
    """An opaque signature of the model's thoughts, base64."""
    return b64encode(bytes.fromhex(stamp.mark) * 6).decode()
