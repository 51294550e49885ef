"""What Anthropic's API says of each failure that has no words of its own."""

from __future__ import annotations

from llmsim.errors import Kind

WORDS: dict[Kind, str] = {
    Kind.INVALID: "Invalid request",
    Kind.CONTEXT_LENGTH: "prompt is too long",
    Kind.AUTHENTICATION: "invalid x-api-key",
    Kind.BILLING: (
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing "
        "to upgrade or purchase credits."
    ),
    Kind.PERMISSION: "Your API key does not have permission to use the specified resource.",
    Kind.NOT_FOUND: "Not found",
    Kind.MODEL_NOT_FOUND: "model not found",
    Kind.UNKNOWN_PATH: "Not Found",
    Kind.METHOD: "Method Not Allowed",
    Kind.TIMEOUT_CLIENT: "Request timed out",
    Kind.CONFLICT: "The request conflicts with another one",
    Kind.TOO_LARGE: "Request exceeds the maximum size",
    Kind.UNPROCESSABLE: "The request could not be processed",
    Kind.RATE_LIMIT: (
        "This request would exceed your organization's rate limit of requests per minute. Please "
        "try again later."
    ),
    Kind.TOKEN_LIMIT: (
        "This request would exceed your organization's rate limit of input tokens per minute. "
        "Please reduce the prompt length or the maximum tokens requested, or try again later."
    ),
    Kind.QUOTA: "You have reached your specified API usage limits.",
    Kind.SERVER_ERROR: "Internal server error",
    Kind.BAD_GATEWAY: "Bad gateway",
    Kind.UNAVAILABLE: "Service unavailable",
    Kind.TIMEOUT: "Request timed out",
    Kind.OVERLOADED: "Overloaded",
}
