"""Where a request or an answer has credentials: what may be neither kept nor shown.

One list for all who keep something, made of the one that keys are read from: two lists drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache
from typing import Final

from llmsim.providers.registry import PROVIDERS

HEADERS: Final[Set[str]] = frozenset(
    name for provider in PROVIDERS for name in provider.auth.headers
) | {"authorization", "proxy-authorization", "cookie", "set-cookie"}
"""Headers in which any provider takes its key, and cookies."""

PARAMETERS: Final[Set[str]] = frozenset(
    name for provider in PROVIDERS for name in provider.auth.parameters
)
"""The same for parameters of the query."""

SECRET: Final = re.compile(
    r"(?:^|[-_])(?:key|apikey|token|secret|password|signature|sig|credential|auth|authorization)s?$",
    re.IGNORECASE,
)
"""Names of other headers and parameters whose values are credentials."""

SCHEME: Final = re.compile(r"(?:bearer|basic|token|digest|negotiate|apikey) +", re.IGNORECASE)
"""What stands before the credential."""


@lru_cache(maxsize=1024)
def in_header(name: str) -> bool:
    """Whether a header of this name has a credential."""
    return name.lower() in HEADERS or SECRET.search(name) is not None


@lru_cache(maxsize=1024)
def in_parameter(name: str) -> bool:
    """Whether a parameter of the query has one."""
    return name.lower() in PARAMETERS or SECRET.search(name) is not None


def parted(value: str) -> tuple[str, str]:
    """What of a credential's header may be shown, and the rest: ``Bearer `` and the key. Of a
    cookie, which is several, nothing may."""
    scheme = SCHEME.match(value)
    shown = scheme[0] if scheme else ""
    return shown, value[len(shown) :]
