"""How clients of Vertex AI send their access token, or in express mode an API key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmsim.core.errors import Failure, FailureKind
from llmsim.providers.gemini import auth as gemini_auth

HEADERS: Final = ("authorization", *gemini_auth.HEADERS)
PARAMETERS: Final = gemini_auth.PARAMETERS
"""Where a key may be: the only list of them, for all that must not keep keys."""

_HELP = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)
MISSING = f"Request is missing required authentication credential. {_HELP}"
WRONG = f"Request had invalid authentication credentials. {_HELP}"


def key(header: Callable[[str], str | None], query: str) -> str:
    """The access token of a request, or its API key; empty if it has neither."""
    scheme, _, token = (header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else gemini_auth.key(header, query)


def refusal(api_key: str) -> Failure:
    """The failure for a token that is not known, or is missing."""
    return Failure(FailureKind.AUTHENTICATION, WRONG if api_key else MISSING)
