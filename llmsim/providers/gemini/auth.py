"""How Gemini's clients send their API key, and the errors for a wrong or missing one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from llmsim.core.errors import Failure, FailureKind

HEADERS: Final = ("x-goog-api-key",)
PARAMETERS: Final[tuple[str, ...]] = ("key",)
"""Where a key may be: the only list of them, for all that must not keep keys."""

MISSING = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use "
    "API Key or other form of API consumer identity to call this API."
)
WRONG = "API key not valid. Please pass a valid API key."


def key(header: Callable[[str], str | None], query: str) -> str:
    """The API key of a request, in a header or the query; empty if it has none."""
    api_key = header("x-goog-api-key")
    if api_key is None and "key=" in query:
        api_key = parse_qs(query).get("key", [""])[-1]
    return (api_key or "").strip()


def refusal(api_key: str) -> Failure:
    """The failure for a key that is not known, or is missing: that is another status here."""
    if api_key:
        return Failure(FailureKind.AUTHENTICATION, WRONG)
    return Failure(FailureKind.PERMISSION, MISSING)
