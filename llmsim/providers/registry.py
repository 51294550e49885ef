"""The one list of providers, and who answers what.

To add a provider, add its :class:`~llmsim.providers.provider.Provider` here.
"""

from __future__ import annotations

from llmsim.providers.anthropic.provider import ANTHROPIC
from llmsim.providers.gemini.provider import GEMINI
from llmsim.providers.openai.provider import OPENAI
from llmsim.providers.provider import Endpoint, Provider, RequestHeader

PROVIDERS: tuple[Provider, ...] = (OPENAI, ANTHROPIC, GEMINI)
"""The first one has every path and request that no other claims."""

SHARED = ("/v1/models", "/v1/files", "/v1/skills")
"""What paths begin with that several providers have."""


def of_path(path: str) -> Provider:
    """The provider whose path it is."""
    return _claiming(path) or PROVIDERS[0]


def _claiming(path: str) -> Provider | None:
    for provider in PROVIDERS:
        if path.startswith(provider.claims.prefixes):
            return provider
    return None


def of_request(path: str, query: str, header: RequestHeader) -> Provider:
    """The provider a request is for. ``query`` is what follows the question mark, still encoded.

    A path that begins with several slashes, as a base URL that ends in one makes it, counts as
    the path it was meant to be. On a path that none claims, or several have, the request itself
    says it.
    """
    path = "/" + path.lstrip("/")
    if not path.startswith(SHARED) and (found := _claiming(path)) is not None:
        return found
    verb = path.rpartition(":")[2]
    for provider in PROVIDERS:
        if verb in provider.claims.verbs:
            return provider
    for provider in PROVIDERS:
        if any(header(name) is not None for name in provider.claims.headers):
            return provider
    for provider in PROVIDERS if path.startswith(SHARED) else ():
        if any(f"&{name}=" in f"&{query}" for name in provider.claims.parameters):
            return provider
    return PROVIDERS[0]


def by_codec(strict: bool = False) -> dict[str, Endpoint]:
    """Every endpoint by the name of its codec."""
    return {
        endpoint.codec.name: endpoint
        for provider in PROVIDERS
        for endpoint in provider.endpoints(strict)
    }
