"""What all of OpenAI's APIs share: the error envelope, response headers, ids."""

from __future__ import annotations

import math
import re
from zlib import crc32

import orjson

from llmsim.core import Headers, Plan, Stamp
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.providers.openai import limits
from llmsim.providers.openai.error_messages import MESSAGES
from llmsim.providers.provider import ErrorFormat
from llmsim.providers.wire import sse
from llmsim.providers.wire.decoding import MalformedBody, Problem

# status, type, code; by the table of the API reference's "Error codes" and what the live
# service sends.
WIRE_ERRORS: dict[FailureKind, tuple[int, str, str | None]] = {
    FailureKind.INVALID: (400, "invalid_request_error", None),
    FailureKind.CONTENT_FILTER: (400, "invalid_request_error", "invalid_prompt"),
    FailureKind.CONTEXT_LENGTH: (400, "invalid_request_error", "context_length_exceeded"),
    FailureKind.AUTHENTICATION: (401, "invalid_request_error", "invalid_api_key"),
    FailureKind.BILLING: (429, "insufficient_quota", "billing_hard_limit_reached"),
    FailureKind.PERMISSION: (403, "invalid_request_error", "unsupported_country_region_territory"),
    FailureKind.NOT_FOUND: (404, "invalid_request_error", None),
    FailureKind.MODEL_NOT_FOUND: (404, "invalid_request_error", "model_not_found"),
    FailureKind.UNKNOWN_PATH: (404, "invalid_request_error", "unknown_url"),
    FailureKind.METHOD: (405, "invalid_request_error", "method_not_supported"),
    FailureKind.TIMEOUT_CLIENT: (408, "invalid_request_error", "request_timeout"),
    FailureKind.CONFLICT: (409, "invalid_request_error", "conflict"),
    FailureKind.TOO_LARGE: (413, "invalid_request_error", "request_too_large"),
    FailureKind.UNPROCESSABLE: (422, "invalid_request_error", "unprocessable_entity"),
    FailureKind.RATE_LIMIT: (429, "requests", "rate_limit_exceeded"),
    FailureKind.TOKEN_LIMIT: (429, "tokens", "rate_limit_exceeded"),
    FailureKind.QUOTA: (429, "insufficient_quota", "insufficient_quota"),
    FailureKind.SERVER_ERROR: (500, "server_error", None),
    FailureKind.BAD_GATEWAY: (502, "server_error", "bad_gateway"),
    FailureKind.UNAVAILABLE: (503, "server_error", "service_unavailable"),
    FailureKind.TIMEOUT: (504, "server_error", "timeout"),
    FailureKind.OVERLOADED: (503, "server_error", "overloaded"),
}
NOT_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using "
    "your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was "
    "not valid JSON. If you have trouble figuring out how to fix this, please contact us through "
    "our help center at help.openai.com.)"
)
_TYPES = {
    "str": "a string",
    "int": "an integer",
    "float": "a decimal",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_JSON: Headers = [("content-type", "application/json")]
_STREAM: Headers = [("content-type", sse.CONTENT_TYPE), ("cache-control", "no-cache")]
_ARTICLE = re.compile(r"^an? ")
_BELOW: dict[Problem, tuple[str, str]] = {
    "minimum": ("below_min_value", "below minimum value. Expected a value >="),
    "maximum": ("above_max_value", "above maximum value. Expected a value <="),
}


def failure(failed: Failure, stamp: Stamp | None = None) -> tuple[int, bytes]:
    """Status and body of a failed call: all four keys, null where nothing fits.

    They do not name the request, whose ``stamp`` is not needed.
    """
    status, kind, code = WIRE_ERRORS[failed.kind]
    message = failed.message or MESSAGES[failed.kind]
    if failed.exceeded is not None:
        message = limits.message(failed.exceeded)
        kind, code = limits.kind(failed.exceeded)
    error = {
        "message": message,
        "type": kind,
        "param": failed.param,
        # An empty code is none, where the kind has one.
        "code": (code if failed.code is None else failed.code) or None,
    }
    return failed.status or status, orjson.dumps({"error": error})


def error_event(failed: Failure) -> bytes:
    """The event that ends a stream which breaks off: the error envelope, as in a body."""
    return sse.event(failure(failed)[1])


def retry(after: float) -> Headers:
    """When to try again, as the head of a refusal tells it: in whole seconds, and exactly."""
    return [("retry-after", str(math.ceil(after))), ("retry-after-ms", str(math.ceil(after * 1e3)))]


def identity(stamp: Stamp) -> Headers:
    """What every response head has."""
    return [("x-request-id", request_id(stamp))]


FORMAT: ErrorFormat = ErrorFormat(failure, lambda stamp: [*_JSON, *identity(stamp)], retry)


def refuse(mistake: MalformedBody) -> BadRequest:  # noqa: PLR0911  one return a problem
    """A malformed body in OpenAI's words."""
    path, expected = mistake.path, mistake.expected
    match mistake.problem:
        case "json":
            return invalid(NOT_JSON)
        case "missing":
            return invalid(
                f"Missing required parameter: '{path}'.", path, "missing_required_parameter"
            )
        case "type":
            wanted = _types(expected)
            got = _TYPES.get(mistake.got, mistake.got)
            where = f"Invalid type for '{path}'" if path else "Invalid body"
            message = f"{where}: expected {wanted}, but got {got} instead."
            return invalid(message, path or None, "invalid_type")
        case "value":
            return invalid(f"Invalid value: {mistake.got}.", path or None, "invalid_value")
        case "minimum" | "maximum":
            code, words = _BELOW[mistake.problem]
            kind = "decimal" if mistake.got == "float" else "integer"
            message = f"Invalid '{path}': {kind} {words} {expected}."
            return invalid(message, path, f"{kind}_{code}")
        case "short":
            wanted, bare = _length(mistake.got)
            message = (
                f"Invalid '{path}': empty {bare}. Expected {wanted} with minimum length "
                f"{expected}, but got an empty {bare} instead."
            )
            return invalid(message, path, f"empty_{bare}")
        case "long":
            wanted, bare = _length(mistake.got)
            message = (
                f"Invalid '{path}': {bare} too long. Expected {wanted} with maximum length "
                f"{expected}."
            )
            return invalid(message, path, f"{bare}_above_max_length")


def _length(got: str) -> tuple[str, str]:
    """What has a length, with its article and without."""
    wanted = _TYPES.get(got, f"a {got}")
    return wanted, _ARTICLE.sub("", wanted)


def _types(expected: str) -> str:
    names = [_TYPES.get(name, name) for name in expected.split(" | ") if name != "null"]
    if len(names) < 2:
        return names[0] if names else "null"
    bare = [_ARTICLE.sub("", name) for name in names]
    return f"one of {', '.join(bare[:-1])} or {bare[-1]}"


def head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of an answered call."""
    return [*(_STREAM if plan.stream else _JSON), *headers(plan, stamp)]


def headers(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of an answered call but for its content type.

    ``openai-processing-ms`` is what the answer was planned to take until its first byte.
    """
    first = plan.ttft if plan.stream else plan.total
    return [
        ("x-request-id", request_id(stamp)),
        ("openai-processing-ms", str(int(first * 1000))),
        ("openai-version", "2020-10-01"),
        ("openai-organization", "llmsim"),
    ]


def request_id(stamp: Stamp) -> str:
    """``req_`` and 32 hex digits, of which the last 26 are the stamp's."""
    return "req_0115e9" + stamp.mark


def call_id(stamp: Stamp, place: int) -> str:
    """The id of the answer's tool call number ``place``: ``call_`` and 24 characters."""
    return f"call_{stamp.mark[4:]}{place:02x}"


def fingerprint(model: str) -> str:
    """A system fingerprint, constant for a model."""
    return f"fp_{crc32(model.encode()) ^ 0x1157:010x}"
