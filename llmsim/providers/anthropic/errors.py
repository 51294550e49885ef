"""What all of Anthropic's API shares: the error envelope, response headers, ids.

Shapes as anthropic 2.12 types them in ``types.shared.error_response`` and
``types.shared.error_object``.
"""

from __future__ import annotations

import math
import re
from typing import Any

import orjson

from llmsim.core import Headers, Plan, Stamp
from llmsim.core.catalog import models
from llmsim.core.errors import BadRequest, Failure, FailureKind, TooLong, invalid
from llmsim.providers.anthropic import limits
from llmsim.providers.anthropic.error_messages import MESSAGES
from llmsim.providers.provider import ErrorFormat
from llmsim.providers.wire import sse
from llmsim.providers.wire.decoding import MalformedBody

# status, type; by the table "HTTP errors" of the API's documentation. What has no row there
# (a 502, an unprocessable body) keeps its status and takes the type nearest to it.
WIRE_ERRORS: dict[FailureKind, tuple[int, str]] = {
    FailureKind.INVALID: (400, "invalid_request_error"),
    FailureKind.CONTENT_FILTER: (400, "invalid_request_error"),
    FailureKind.CONTEXT_LENGTH: (400, "invalid_request_error"),
    FailureKind.AUTHENTICATION: (401, "authentication_error"),
    FailureKind.BILLING: (402, "billing_error"),
    FailureKind.PERMISSION: (403, "permission_error"),
    FailureKind.NOT_FOUND: (404, "not_found_error"),
    FailureKind.MODEL_NOT_FOUND: (404, "not_found_error"),
    FailureKind.UNKNOWN_PATH: (404, "not_found_error"),
    FailureKind.METHOD: (405, "invalid_request_error"),
    FailureKind.TIMEOUT_CLIENT: (408, "timeout_error"),
    FailureKind.CONFLICT: (409, "conflict_error"),
    FailureKind.TOO_LARGE: (413, "request_too_large"),
    FailureKind.UNPROCESSABLE: (422, "invalid_request_error"),
    FailureKind.RATE_LIMIT: (429, "rate_limit_error"),
    FailureKind.TOKEN_LIMIT: (429, "rate_limit_error"),
    FailureKind.QUOTA: (429, "rate_limit_error"),
    FailureKind.SERVER_ERROR: (500, "api_error"),
    FailureKind.BAD_GATEWAY: (502, "api_error"),
    FailureKind.UNAVAILABLE: (503, "api_error"),
    FailureKind.TIMEOUT: (504, "timeout_error"),
    FailureKind.OVERLOADED: (529, "overloaded_error"),
}
# The reasons that Anthropic's errors tell beside their type.
DETAILS = frozenset({"thread_not_found"})
ORGANIZATION = "6c6c6d73-696d-4000-8000-000000000000"
JSON = ("content-type", "application/json")

_STREAM: Headers = [("content-type", sse.CONTENT_TYPE), ("cache-control", "no-cache")]

_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "array": "list",
    "object": "dictionary",
}
# What a field takes that takes only certain words.
_WORDS = {
    "role": "'user', 'assistant' or 'system'",
    "service_tier": "'auto' or 'standard_only'",
    "effort": "'low', 'medium', 'high', 'xhigh' or 'max'",
    "display": "'summarized' or 'omitted'",
    "ttl": "'5m' or '1h'",
    "media_type": "'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
}
_INDEX = re.compile(r"\[(\d+)\]")


def failure(failed: Failure, stamp: Stamp) -> tuple[int, bytes]:
    """Status and body of a failed call."""
    status, kind = WIRE_ERRORS[failed.kind]
    error: dict[str, Any] = {"type": kind, "message": _message(failed)}
    if failed.code in DETAILS:
        error["details"] = {"error_code": failed.code}
    return failed.status or status, orjson.dumps(
        {"type": "error", "error": error, "request_id": request_id(stamp)}
    )


def retry(after: float) -> Headers:
    """When to try again, as the head of a refusal tells it: in whole seconds."""
    return [("retry-after", str(math.ceil(after)))]


def _message(failed: Failure) -> str:
    if failed.too_long is not None:
        return _too_long(failed.too_long)
    if failed.exceeded is not None:
        return limits.message(failed.exceeded, ORGANIZATION)
    if failed.model is not None:
        return f"model: {failed.model}"
    return failed.message or MESSAGES[failed.kind]


def _too_long(excess: TooLong) -> str:
    """Why a prompt does not fit, in Anthropic's words."""
    if excess.prompt >= excess.window:
        return f"prompt is too long: {excess.prompt} tokens > {excess.window} maximum"
    return (
        f"input length and `max_tokens` exceed context limit: {excess.prompt} + {excess.wanted} > "
        f"{excess.window}, decrease input length or `max_tokens` and try again"
    )


def head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of an answered call."""
    return [*_STREAM, *headers(stamp)] if plan.stream else [JSON, *headers(stamp)]


def headers(stamp: Stamp) -> Headers:
    """The response head but for its content type."""
    return [("request-id", request_id(stamp)), ("anthropic-organization-id", ORGANIZATION)]


FORMAT = ErrorFormat(failure, lambda stamp: [JSON, *headers(stamp)], retry)


def request_id(stamp: Stamp) -> str:
    """``req_01`` and the stamp's 26 hex digits."""
    return "req_01" + stamp.mark


def message_id(stamp: Stamp) -> str:
    """``msg_01`` and the stamp's 26 hex digits."""
    return "msg_01" + stamp.mark


def call_id(stamp: Stamp, place: int) -> str:
    """The id of the answer's tool call number ``place``: ``toolu_01`` and 24 characters."""
    return f"toolu_01{stamp.mark[4:]}{place:02x}"


def model_name(asked: str) -> str:
    """The model's own id where it was asked for by an alias."""
    found = models.find(asked)
    return asked if found is None else found.id


def dotted(path: str) -> str:
    """A path as Anthropic writes it: ``messages.0.content`` for ``messages[0].content``."""
    return _INDEX.sub(r".\1", path)


def refuse(mistake: MalformedBody) -> BadRequest:
    """A malformed body in Anthropic's words, which are pydantic's."""
    path = dotted(mistake.path)
    if mistake.problem == "json":
        return invalid(f"The request body is not valid JSON: {mistake.expected}")
    field = path.rpartition(".")[2]
    if mistake.problem == "value" and field == "type":
        block = path.removesuffix("type").rstrip(".")
        detail = (
            f"Input tag {mistake.got} found using 'type' does not match any of the expected tags"
        )
        return invalid(f"{block}: {detail}" if block else detail, block or None)
    detail = _problem(mistake, field)
    return invalid(f"{path}: {detail}" if path else detail, path or None)


def _problem(mistake: MalformedBody, field: str) -> str:  # noqa: PLR0911  one return a problem
    """What is wrong with the field."""
    bound = mistake.expected
    match mistake.problem:
        case "missing":
            return "Field required"
        case "type":
            names = [_TYPES.get(one, one) for one in bound.split(" | ") if one != "null"]
            return f"Input should be a valid {' or '.join(names)}"
        case "minimum":
            return f"Input should be greater than or equal to {bound}"
        case "maximum":
            return f"Input should be less than or equal to {bound}"
        case "short":
            return f"List should have at least {bound} item after validation, not 0"
        case "long":
            return f"List should have at most {bound} items after validation"
        case "value" if field in _WORDS:
            return f"Input should be {_WORDS[field]}"
        case _:
            return f"Input {mistake.got} is not valid"
