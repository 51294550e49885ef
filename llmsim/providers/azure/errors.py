"""What all of Azure OpenAI shares: the error envelopes and response headers.

What Azure's gateway refuses has two members, ``code`` and ``message``. What the model's server
refuses is OpenAI's own envelope.
"""

from __future__ import annotations

import math
from typing import Any

import orjson

from llmsim.core import Headers, Plan, Stamp
from llmsim.core.errors import Exceeded, Failure, FailureKind, Measure
from llmsim.providers.azure import auth, content_filter
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.provider import ErrorFormat
from llmsim.providers.wire import sse
from llmsim.providers.wire.uuids import request_uuid

CLIENT_REQUEST_ID = "x-ms-client-request-id"
REGION = "East US"
QUOTA_HELP = (
    "Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the "
    "default rate limit."
)
RESOURCE_NOT_FOUND = "Resource not found"
FILTERED = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management "
    "policy. Please modify your prompt and retry. To learn more about our content filtering "
    "policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766"
)
NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the "
    "last 5 minutes, please wait a moment and try again."
)
SERVER_ERROR = (
    "The server had an error processing your request. Sorry about that! You can retry your "
    "request, or contact us through an Azure support request at: "
    "https://go.microsoft.com/fwlink/?linkid=2213926 if you keep seeing this error."
)

# What the gateway refuses: status, code and message. Everything else is OpenAI's.
GATEWAY: dict[FailureKind, tuple[int, str, str]] = {
    FailureKind.AUTHENTICATION: (401, "401", auth.WRONG),
    FailureKind.BILLING: (
        403,
        "403",
        "Out of call volume quota. Quota will be replenished at the beginning of the next month.",
    ),
    FailureKind.PERMISSION: (
        403,
        "AuthenticationTypeDisabled",
        "Key based authentication is disabled for this resource.",
    ),
    FailureKind.MODEL_NOT_FOUND: (404, "DeploymentNotFound", NO_DEPLOYMENT),
    FailureKind.UNKNOWN_PATH: (404, "404", RESOURCE_NOT_FOUND),
    FailureKind.METHOD: (405, "405", "Method not allowed"),
    FailureKind.TIMEOUT_CLIENT: (408, "Timeout", "The operation was timeout."),
    FailureKind.TOO_LARGE: (413, "RequestEntityTooLarge", "The request entity is too large."),
    FailureKind.RATE_LIMIT: (
        429,
        "429",
        f"Requests have exceeded call rate limit of your current OpenAI S0 tier. {QUOTA_HELP}",
    ),
    FailureKind.TOKEN_LIMIT: (
        429,
        "429",
        f"Requests have exceeded token rate limit of your current OpenAI S0 tier. {QUOTA_HELP}",
    ),
    FailureKind.QUOTA: (
        429,
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, see https://learn.microsoft.com/azure/ai-services/openai/"
        "quotas-limits.",
    ),
    FailureKind.BAD_GATEWAY: (502, "502", "Bad gateway"),
    FailureKind.UNAVAILABLE: (
        503,
        "ServiceUnavailable",
        "The service is temporarily unable to process your request. Please try again later.",
    ),
    FailureKind.TIMEOUT: (504, "504", "The upstream server timed out."),
    FailureKind.OVERLOADED: (
        503,
        "ServiceUnavailable",
        "The service is currently overloaded. Please try again later.",
    ),
}
_JSON: Headers = [("content-type", "application/json")]
_STREAM: Headers = [("content-type", sse.CONTENT_TYPE)]


def error_format(served: ErrorFormat) -> ErrorFormat:
    """How a call fails whose model's server has that format."""

    def failure(failed: Failure, stamp: Stamp) -> tuple[int, bytes]:
        return _gateway(failed) or served.failure(failed, stamp)

    return ErrorFormat(failure, lambda stamp: [*_JSON, *identity(stamp)], served.retry)


def _gateway(failed: Failure) -> tuple[int, bytes] | None:
    """Status and body of what Azure refuses itself; None for what the model's server does."""
    if failed.kind is FailureKind.CONTENT_FILTER:
        return _filtered(failed)
    if failed.kind in GATEWAY:
        status, code, usual = GATEWAY[failed.kind]
        message = failed.message or usual
        if failed.exceeded is not None:
            message = limited(failed.exceeded)
        elif failed.model is not None:
            message = usual
        elif failed.kind is FailureKind.UNKNOWN_PATH and not failed.injected:
            message = RESOURCE_NOT_FOUND
        error = {"code": failed.code or code, "message": message}
        return failed.status or status, orjson.dumps({"error": error})
    if failed.kind is FailureKind.SERVER_ERROR and not failed.message:
        own = {"message": SERVER_ERROR, "type": "server_error", "param": None, "code": None}
        return failed.status or 500, orjson.dumps({"error": own})
    return None


def _filtered(failed: Failure) -> tuple[int, bytes]:
    """A prompt that the content filter refuses."""
    inner: dict[str, Any] = {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": content_filter.FILTERED_PROMPT,
    }
    status = failed.status or 400
    error = {
        "message": failed.message or FILTERED,
        "type": None,
        "param": failed.param or "prompt",
        "code": "content_filter",
        "status": status,
        "innererror": inner,
    }
    return status, orjson.dumps({"error": error})


def limited(exceeded: Exceeded) -> str:
    """Why a request is refused by a rate limit."""
    tokens = exceeded.measure in (Measure.TOKENS, Measure.INPUT, Measure.OUTPUT)
    again = "" if exceeded.wait is None else f" Please retry after {_whole(exceeded.wait)}."
    return (
        f"Requests to the deployment {exceeded.model} have exceeded "
        f"{'token' if tokens else 'call'} rate limit of your current OpenAI S0 pricing tier."
        f"{again} {QUOTA_HELP}"
    )


def _whole(seconds: float) -> str:
    count = math.ceil(seconds)
    return f"{count} second{'' if count == 1 else 's'}"


def identity(stamp: Stamp) -> Headers:
    """What every response head has. The client's own id takes the place of that in it."""
    request_id = request_uuid(stamp)
    return [
        ("apim-request-id", request_id),
        ("x-request-id", request_id),
        (CLIENT_REQUEST_ID, request_id),
        ("x-ms-region", REGION),
        ("x-content-type-options", "nosniff"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
    ]


def head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of an answered call."""
    return [
        *(_STREAM if plan.stream else _JSON),
        ("cache-control", "no-cache, must-revalidate"),
        ("x-ms-rai-invoked", "true"),
        ("x-accel-buffering", "no"),
        *identity(stamp),
    ]


FORMAT: ErrorFormat = error_format(openai_errors.FORMAT)
