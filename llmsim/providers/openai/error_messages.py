"""What OpenAI's API says of each failure that has no words of its own.

After the API reference's "Error codes" and what the live service sends.
"""

from __future__ import annotations

from llmsim.core.errors import FailureKind

MESSAGES: dict[FailureKind, str] = {
    FailureKind.INVALID: "Your request is invalid.",
    FailureKind.CONTENT_FILTER: (
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please "
        "try again with a different prompt."
    ),
    FailureKind.CONTEXT_LENGTH: (
        "Your input exceeds the context window of this model. Please adjust your input and try "
        "again."
    ),
    FailureKind.AUTHENTICATION: (
        "Incorrect API key provided. You can find your API key at "
        "https://platform.openai.com/account/api-keys."
    ),
    FailureKind.BILLING: "Billing hard limit has been reached.",
    FailureKind.PERMISSION: "Country, region, or territory not supported",
    FailureKind.NOT_FOUND: "The requested resource was not found.",
    FailureKind.MODEL_NOT_FOUND: "The model does not exist or you do not have access to it.",
    FailureKind.UNKNOWN_PATH: "Invalid URL",
    FailureKind.METHOD: "Not allowed to use this method on this URL.",
    FailureKind.TIMEOUT_CLIENT: "The request took too long to arrive.",
    FailureKind.CONFLICT: "The resource was updated by another request.",
    FailureKind.TOO_LARGE: "The request is too large.",
    FailureKind.UNPROCESSABLE: "Unable to process the request despite the format being correct.",
    FailureKind.RATE_LIMIT: (
        "Rate limit reached for requests. Please try again later. Visit "
        "https://platform.openai.com/account/rate-limits to learn more."
    ),
    FailureKind.TOKEN_LIMIT: (
        "Rate limit reached for tokens. Please try again later. Visit "
        "https://platform.openai.com/account/rate-limits to learn more."
    ),
    FailureKind.QUOTA: (
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, read the docs: "
        "https://platform.openai.com/docs/guides/error-codes/api-errors."
    ),
    FailureKind.SERVER_ERROR: (
        "The server had an error while processing your request. Sorry about that!"
    ),
    FailureKind.BAD_GATEWAY: "Bad gateway.",
    FailureKind.UNAVAILABLE: "The service is temporarily unavailable. Please try again later.",
    FailureKind.TIMEOUT: "The request timed out.",
    FailureKind.OVERLOADED: "The engine is currently overloaded, please try again later",
}
