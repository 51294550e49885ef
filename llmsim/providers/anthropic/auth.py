"""How Anthropic's clients say who they are, and what those are told that must not come in."""

from __future__ import annotations

from collections.abc import Callable

from llmsim.core.errors import Failure, FailureKind


def key(header: Callable[[str], str | None], query: str) -> str:
    """The API key of a request, or its bearer token; empty if it has none."""
    given = header("x-api-key")
    if given is None:
        scheme, _, token = (header("authorization") or "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    return given.strip()


def refusal(given: str) -> Failure:
    """The failure for a key that is not known, or is missing."""
    message = "invalid x-api-key" if given else "x-api-key header is required"
    return Failure(FailureKind.AUTHENTICATION, message)
