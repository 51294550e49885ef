"""What Vertex AI refuses itself, in Google's envelope, and the heads of its answers.

What the model behind it refuses is in the words of its publisher.
"""

from __future__ import annotations

from typing import Any

import orjson

from llmsim.core import Headers, Plan, Stamp
from llmsim.core.errors import Failure, FailureKind, Measure
from llmsim.providers.anthropic import errors as anthropic_errors
from llmsim.providers.gemini import errors as gemini_errors
from llmsim.providers.provider import ErrorFormat
from llmsim.providers.vertex import auth
from llmsim.providers.vertex.calls import ANTHROPIC, GOOGLE, VertexCall

SERVICE = "aiplatform.googleapis.com"
EXHAUSTED = (
    "Resource exhausted. Please try again later. Please refer to "
    "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."
)
VERSIONS = "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions"
# What Vertex AI refuses: status, the canonical code's name and the message.
PLATFORM: dict[FailureKind, tuple[int, str, str]] = {
    FailureKind.AUTHENTICATION: (401, "UNAUTHENTICATED", auth.WRONG),
    FailureKind.BILLING: (
        403,
        "PERMISSION_DENIED",
        "This API method requires billing to be enabled. Please enable billing on project.",
    ),
    FailureKind.PERMISSION: (
        403,
        "PERMISSION_DENIED",
        "Permission 'aiplatform.endpoints.predict' denied on resource (or it may not exist).",
    ),
    FailureKind.MODEL_NOT_FOUND: (404, "NOT_FOUND", "Publisher Model was not found."),
    FailureKind.UNKNOWN_PATH: (404, "NOT_FOUND", "The requested URL was not found."),
    FailureKind.METHOD: (405, "UNIMPLEMENTED", "The method is not allowed."),
    FailureKind.RATE_LIMIT: (429, "RESOURCE_EXHAUSTED", EXHAUSTED),
    FailureKind.TOKEN_LIMIT: (429, "RESOURCE_EXHAUSTED", EXHAUSTED),
    FailureKind.QUOTA: (429, "RESOURCE_EXHAUSTED", EXHAUSTED),
    FailureKind.UNAVAILABLE: (503, "UNAVAILABLE", "The service is currently unavailable."),
    FailureKind.BAD_GATEWAY: (502, "UNAVAILABLE", "Bad gateway."),
    FailureKind.TIMEOUT: (504, "DEADLINE_EXCEEDED", "Deadline expired before operation completed."),
}
QUOTAS = {
    GOOGLE: "generate_content_{what}_per_minute_per_project_per_base_model",
    ANTHROPIC: "online_prediction_{what}_per_minute_per_base_model",
}
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def failure(failed: Failure, stamp: Stamp, call: VertexCall | None = None) -> tuple[int, bytes]:
    """Status and body of a failed call."""
    if failed.kind not in PLATFORM:
        if call is not None and call.publisher == ANTHROPIC:
            return anthropic_errors.failure(failed, stamp)
        return gemini_errors.failure(failed, "v1", call.verb if call is not None else "")
    status, name, message = PLATFORM[failed.kind]
    if failed.status is not None and failed.status != status:
        status, name = failed.status, gemini_errors.STATUSES.get(failed.status, "UNKNOWN")
    error: dict[str, Any] = {
        "code": status,
        "message": _message(failed, message, call),
        "status": name,
    }
    if failed.kind is FailureKind.AUTHENTICATION:
        missing = failed.message == auth.MISSING
        reason = "CREDENTIALS_MISSING" if missing else "ACCESS_TOKEN_TYPE_UNSUPPORTED"
        about = {"domain": "googleapis.com", "metadata": {"service": SERVICE}}
        error["details"] = [{"@type": _ERROR_INFO, "reason": reason, **about}]
    return status, orjson.dumps({"error": error})


def _message(failed: Failure, usual: str, call: VertexCall | None) -> str:
    if failed.model is not None:
        parent = call.parent if call is not None else ""
        publisher = call.publisher if call is not None else GOOGLE
        return (
            f"Publisher Model `{parent}publishers/{publisher}/models/{failed.model}` was not found "
            "or your project does not have access to it. Please ensure you are using a valid model "
            f"version. For more information, see: {VERSIONS}"
        )
    if failed.exceeded is not None:
        requests = (Measure.REQUESTS, Measure.DAILY, Measure.CONCURRENT)
        what = "requests" if failed.exceeded.measure in requests else "input_tokens"
        publisher = call.publisher if call is not None else GOOGLE
        base = (
            failed.exceeded.model if publisher == GOOGLE else f"anthropic-{failed.exceeded.model}"
        )
        return (
            f"Quota exceeded for {SERVICE}/{QUOTAS[publisher].format(what=what)} with base model: "
            f"{base}. Please submit a quota increase request. "
            "https://cloud.google.com/vertex-ai/docs/generative-ai/quotas-genai."
        )
    return failed.message or usual


def error_format(call: VertexCall | None = None, array: bool = False) -> ErrorFormat:
    """How a call fails. Where it would have been answered with a stream that is one JSON
    ``array``, the error is its one element."""

    def failure_of_call(failed: Failure, stamp: Stamp) -> tuple[int, bytes]:
        status, body = failure(failed, stamp, call)
        return status, b"[" + body + b"\n]" if array else body

    retry = anthropic_errors.retry if call and call.publisher == ANTHROPIC else gemini_errors.retry
    return ErrorFormat(failure_of_call, lambda stamp: [*gemini_errors.JSON], retry)


def claude_head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of an answer of Anthropic's model."""
    return [
        *anthropic_errors.head(plan, stamp),
        gemini_errors.VARY,
        gemini_errors.identified(stamp),
    ]
