"""What Anthropic's API says of each failure that has no words of its own."""

from __future__ import annotations

from llmsim.core.errors import FailureKind

MESSAGES: dict[FailureKind, str] = {
    FailureKind.INVALID: "Invalid request",
    FailureKind.CONTENT_FILTER: "Output blocked by content filtering policy",
    FailureKind.CONTEXT_LENGTH: "prompt is too long",
    FailureKind.AUTHENTICATION: "invalid x-api-key",
    FailureKind.BILLING: (
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing "
        "to upgrade or purchase credits."
    ),
    FailureKind.PERMISSION: "Your API key does not have permission to use the specified resource.",
    FailureKind.NOT_FOUND: "Not found",
    FailureKind.MODEL_NOT_FOUND: "model not found",
    FailureKind.UNKNOWN_PATH: "Not Found",
    FailureKind.METHOD: "Method Not Allowed",
    FailureKind.TIMEOUT_CLIENT: "Request timed out",
    FailureKind.CONFLICT: "The request conflicts with another one",
    FailureKind.TOO_LARGE: "Request exceeds the maximum size",
    FailureKind.UNPROCESSABLE: "The request could not be processed",
    FailureKind.RATE_LIMIT: (
        "This request would exceed your organization's rate limit of requests per minute. Please "
        "try again later."
    ),
    FailureKind.TOKEN_LIMIT: (
        "This request would exceed your organization's rate limit of input tokens per minute. "
        "Please reduce the prompt length or the maximum tokens requested, or try again later."
    ),
    FailureKind.QUOTA: "You have reached your specified API usage limits.",
    FailureKind.SERVER_ERROR: "Internal server error",
    FailureKind.BAD_GATEWAY: "Bad gateway",
    FailureKind.UNAVAILABLE: "Service unavailable",
    FailureKind.TIMEOUT: "Request timed out",
    FailureKind.OVERLOADED: "Overloaded",
}
