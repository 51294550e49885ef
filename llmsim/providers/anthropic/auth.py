"""How Anthropic's clients send their API key, and the errors for a wrong or missing one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmsim.core.errors import Failure, FailureKind

HEADERS: Final = ("x-api-key", "authorization")
PARAMETERS: Final[tuple[str, ...]] = ()
"""Where a key may be: the only list of them, for all that must not keep keys."""


def key(header: Callable[[str], str | None], query: str) -> str:
    """The API key of a request, or its bearer token; empty if it has none."""
    api_key = header("x-api-key")
    if api_key is None:
        scheme, _, token = (header("authorization") or "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    return api_key.strip()


def refusal(api_key: str) -> Failure:
    """The failure for a key that is not known, or is missing."""
    message = "invalid x-api-key" if api_key else "x-api-key header is required"
    return Failure(FailureKind.AUTHENTICATION, message)
