"""What OpenAI's API says of each failure that has no words of its own.

After the API reference's "Error codes" and what the live service sends.
"""

from __future__ import annotations

from llmsim.errors import Kind

WORDS: dict[Kind, str] = {
    Kind.INVALID: "Your request is invalid.",
    Kind.CONTEXT_LENGTH: (
        "Your input exceeds the context window of this model. Please adjust your input and try "
        "again."
    ),
    Kind.AUTHENTICATION: (
        "Incorrect API key provided. You can find your API key at "
        "https://platform.openai.com/account/api-keys."
    ),
    Kind.BILLING: "Billing hard limit has been reached.",
    Kind.PERMISSION: "Country, region, or territory not supported",
    Kind.NOT_FOUND: "The requested resource was not found.",
    Kind.MODEL_NOT_FOUND: "The model does not exist or you do not have access to it.",
    Kind.UNKNOWN_PATH: "Invalid URL",
    Kind.METHOD: "Not allowed to use this method on this URL.",
    Kind.TIMEOUT_CLIENT: "The request took too long to arrive.",
    Kind.CONFLICT: "The resource was updated by another request.",
    Kind.TOO_LARGE: "The request is too large.",
    Kind.UNPROCESSABLE: "Unable to process the request despite the format being correct.",
    Kind.RATE_LIMIT: (
        "Rate limit reached for requests. Please try again later. Visit "
        "https://platform.openai.com/account/rate-limits to learn more."
    ),
    Kind.TOKEN_LIMIT: (
        "Rate limit reached for tokens. Please try again later. Visit "
        "https://platform.openai.com/account/rate-limits to learn more."
    ),
    Kind.QUOTA: (
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, read the docs: "
        "https://platform.openai.com/docs/guides/error-codes/api-errors."
    ),
    Kind.SERVER_ERROR: ("The server had an error while processing your request. Sorry about that!"),
    Kind.BAD_GATEWAY: "Bad gateway.",
    Kind.UNAVAILABLE: "The service is temporarily unavailable. Please try again later.",
    Kind.TIMEOUT: "The request timed out.",
    Kind.OVERLOADED: "The engine is currently overloaded, please try again later",
}
