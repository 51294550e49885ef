"""How clients of AWS sign requests, or send an API key of Bedrock's.

A signature names the access key, which counts as the API key; it is not verified.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from llmsim.core.errors import Failure, FailureKind

HEADERS: Final = ("authorization",)
PARAMETERS: Final[tuple[str, ...]] = ()
"""Where a key may be: the only list of them, for all that must not keep keys."""

WRONG = "The security token included in the request is invalid."
MISSING = "Missing Authentication Token"

_SIGNED = re.compile(r"AWS4-[A-Z0-9-]+ +(?:.*, *)?Credential=([^/,\s]+)")


def key(header: Callable[[str], str | None], query: str) -> str:
    """The access key that a request is signed with, or its bearer token; empty for neither."""
    authorization = header("authorization") or ""
    signed = _SIGNED.match(authorization)
    if signed is not None:
        return signed[1]
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def refusal(api_key: str) -> Failure:
    """The failure for a key that is not known, or is missing."""
    code = "UnrecognizedClientException" if api_key else "MissingAuthenticationTokenException"
    return Failure(FailureKind.AUTHENTICATION, WRONG if api_key else MISSING, code=code)
