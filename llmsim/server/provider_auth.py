"""Who sent a request, by the way each provider's clients say it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from llmsim.core import Headers, LimitStatus
from llmsim.core.errors import Failure
from llmsim.providers.anthropic import auth
from llmsim.providers.anthropic import limits as anthropic_limits
from llmsim.providers.gemini import auth as gemini_auth
from llmsim.providers.gemini import limits as gemini_limits
from llmsim.providers.openai import auth as openai_auth
from llmsim.providers.openai import limits as openai_limits
from llmsim.server.providers import Header, Provider

ANONYMOUS = "anonymous"


class LimitHeaders(Protocol):
    """The limit headers of a response at a Unix time."""

    def __call__(self, standings: Sequence[LimitStatus], now: float, /) -> Headers: ...


@dataclass(frozen=True, slots=True)
class ProviderAuth:
    """How a provider's clients give their key, how those are refused that have no good one, and
    how callers are told of their limits."""

    key: Callable[[Header, str], str]
    refusal: Callable[[str], Failure]
    limits: LimitHeaders


PROVIDER_AUTH: dict[Provider, ProviderAuth] = {
    "openai": ProviderAuth(openai_auth.key, openai_auth.refusal, openai_limits.headers),
    "anthropic": ProviderAuth(auth.key, auth.refusal, anthropic_limits.headers),
    "google": ProviderAuth(gemini_auth.key, gemini_auth.refusal, gemini_limits.headers),
}
# By the first word of a dialect's name.
_PROVIDERS: dict[str, Provider] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
}


@cache
def provider_auth(codec: str) -> ProviderAuth:
    """The manner of a dialect's provider."""
    return PROVIDER_AUTH[_PROVIDERS[codec.partition("_")[0]]]


def masked(key: str, names: dict[str, str]) -> str:
    """A key as it may be shown: its owner's name where it has one."""
    if not key:
        return ANONYMOUS
    if key in names:
        return names[key]
    return f"{key[:3]}…{key[-4:]}" if len(key) > 10 else f"{key[:1]}…"
