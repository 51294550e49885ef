"""Who sent a request, by the way each provider's clients say it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from llmsim.dialects import (
    anthropic_access,
    anthropic_limits,
    gemini_access,
    gemini_limits,
    openai_access,
    openai_limits,
)
from llmsim.errors import Failure
from llmsim.exchange import Headers, Standing
from llmsim.server.providers import Header, Provider

ANONYMOUS = "anonymous"


class Told(Protocol):
    """The limit headers of a response at a Unix time."""

    def __call__(self, standings: Sequence[Standing], now: float, /) -> Headers: ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How a provider's clients give their key, how those are refused that have no good one, and
    how callers are told of their limits."""

    key: Callable[[Header, str], str]
    refusal: Callable[[str], Failure]
    limits: Told


MANNERS: dict[Provider, Manner] = {
    "openai": Manner(openai_access.key, openai_access.refusal, openai_limits.headers),
    "anthropic": Manner(anthropic_access.key, anthropic_access.refusal, anthropic_limits.headers),
    "google": Manner(gemini_access.key, gemini_access.refusal, gemini_limits.headers),
}
# By the first word of a dialect's name.
_PROVIDERS: dict[str, Provider] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
}


@cache
def manner(dialect: str) -> Manner:
    """The manner of a dialect's provider."""
    return MANNERS[_PROVIDERS[dialect.partition("_")[0]]]


def masked(key: str, names: dict[str, str]) -> str:
    """A key as it may be shown: its owner's name where it has one."""
    if not key:
        return ANONYMOUS
    if key in names:
        return names[key]
    return f"{key[:3]}…{key[-4:]}" if len(key) > 10 else f"{key[:1]}…"
