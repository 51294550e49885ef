"""How clients of Azure OpenAI send their key, or a token of Entra ID."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmsim.core.errors import Failure, FailureKind
from llmsim.providers.openai.auth import bearer

HEADERS: Final = ("api-key", "authorization")
PARAMETERS: Final[tuple[str, ...]] = ()
"""Where a key may be: the only list of them, for all that must not keep keys."""

WRONG = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
    "valid key for an active subscription and use a correct regional API endpoint for your "
    "resource."
)
MISSING = (
    "Unauthorized. Access token is missing, invalid, audience is incorrect "
    "(https://cognitiveservices.azure.com), or have expired."
)


def key(header: Callable[[str], str | None], query: str) -> str:
    """The API key of a request, or its bearer token; empty if it has none."""
    api_key = header("api-key")
    return bearer(header("authorization")) if api_key is None else api_key.strip()


def refusal(api_key: str) -> Failure:
    """The failure for a key that is not known, or is missing."""
    return Failure(FailureKind.AUTHENTICATION, WRONG if api_key else MISSING)
