"""What Google's API says of each failure that has no words of its own."""

from __future__ import annotations

from llmsim.core.errors import FailureKind

MESSAGES: dict[FailureKind, str] = {
    FailureKind.INVALID: "Request contains an invalid argument.",
    FailureKind.CONTENT_FILTER: (
        "The prompt could not be submitted. It contains words that violate Google's Responsible AI "
        "practices."
    ),
    FailureKind.CONTEXT_LENGTH: (
        "The input token count exceeds the maximum number of tokens allowed."
    ),
    FailureKind.AUTHENTICATION: "API key not valid. Please pass a valid API key.",
    FailureKind.BILLING: (
        "Gemini API free tier is not available in your country. Please enable billing on your "
        "project in Google AI Studio."
    ),
    FailureKind.PERMISSION: "The caller does not have permission",
    FailureKind.NOT_FOUND: "Requested entity was not found.",
    FailureKind.MODEL_NOT_FOUND: "The model is not found.",
    FailureKind.UNKNOWN_PATH: "The requested URL was not found on this server.",
    FailureKind.METHOD: "The method is not implemented or not supported.",
    FailureKind.TIMEOUT_CLIENT: "The request took too long to arrive.",
    FailureKind.CONFLICT: "The operation was aborted.",
    FailureKind.TOO_LARGE: "Request payload size exceeds the limit.",
    FailureKind.UNPROCESSABLE: "The request could not be processed.",
    FailureKind.RATE_LIMIT: "Resource has been exhausted (e.g. check quota).",
    FailureKind.TOKEN_LIMIT: "Resource has been exhausted (e.g. check quota).",
    FailureKind.QUOTA: (
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
    ),
    FailureKind.SERVER_ERROR: (
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting"
    ),
    FailureKind.BAD_GATEWAY: "Bad gateway.",
    FailureKind.UNAVAILABLE: "The service is currently unavailable.",
    FailureKind.TIMEOUT: "Deadline expired before operation could complete.",
    FailureKind.OVERLOADED: "The model is overloaded. Please try again later.",
}
