"""How OpenAI's clients send their API key, and the errors for a wrong or missing one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmsim.core.errors import Failure, FailureKind

HEADERS: Final = ("authorization",)
PARAMETERS: Final[tuple[str, ...]] = ()
"""Where a key may be: the only list of them, for all that must not keep keys."""

MISSING = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header "
    "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank "
    "username) if you're accessing the API from your browser and are prompted for a username and "
    "password. You can obtain an API key from https://platform.openai.com/account/api-keys."
)


def key(header: Callable[[str], str | None], query: str) -> str:
    """The API key of a request; empty if it has none."""
    return bearer(header("authorization"))


def refusal(api_key: str) -> Failure:
    """The failure for a key that is not known, or is missing."""
    if not api_key:
        # Unlike a wrong key, none at all has no code.
        return Failure(FailureKind.AUTHENTICATION, MISSING, code="")
    message = (
        f"Incorrect API key provided: {hidden(api_key)}. You can find your API key at "
        "https://platform.openai.com/account/api-keys."
    )
    return Failure(FailureKind.AUTHENTICATION, message)


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header; empty if there is none."""
    if authorization is None:
        return ""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def hidden(api_key: str) -> str:
    """A key of which only both ends can be read."""
    if len(api_key) <= 12:
        return api_key[:2] + "*" * max(len(api_key) - 2, 1)
    return api_key[:8] + "*" * (len(api_key) - 12) + api_key[-4:]
