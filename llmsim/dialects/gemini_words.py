"""What Google's API says of each failure that has no words of its own."""

from __future__ import annotations

from llmsim.errors import Kind

WORDS: dict[Kind, str] = {
    Kind.INVALID: "Request contains an invalid argument.",
    Kind.CONTEXT_LENGTH: "The input token count exceeds the maximum number of tokens allowed.",
    Kind.AUTHENTICATION: "API key not valid. Please pass a valid API key.",
    Kind.BILLING: (
        "Gemini API free tier is not available in your country. Please enable billing on your "
        "project in Google AI Studio."
    ),
    Kind.PERMISSION: "The caller does not have permission",
    Kind.NOT_FOUND: "Requested entity was not found.",
    Kind.MODEL_NOT_FOUND: "The model is not found.",
    Kind.UNKNOWN_PATH: "The requested URL was not found on this server.",
    Kind.METHOD: "The method is not implemented or not supported.",
    Kind.TIMEOUT_CLIENT: "The request took too long to arrive.",
    Kind.CONFLICT: "The operation was aborted.",
    Kind.TOO_LARGE: "Request payload size exceeds the limit.",
    Kind.UNPROCESSABLE: "The request could not be processed.",
    Kind.RATE_LIMIT: "Resource has been exhausted (e.g. check quota).",
    Kind.TOKEN_LIMIT: "Resource has been exhausted (e.g. check quota).",
    Kind.QUOTA: (
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
    ),
    Kind.SERVER_ERROR: (
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting"
    ),
    Kind.BAD_GATEWAY: "Bad gateway.",
    Kind.UNAVAILABLE: "The service is currently unavailable.",
    Kind.TIMEOUT: "Deadline expired before operation could complete.",
    Kind.OVERLOADED: "The model is overloaded. Please try again later.",
}
