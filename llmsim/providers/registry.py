"""The one list of providers, and who answers what.

To add a provider, add its :class:`~llmsim.providers.provider.Provider` here.
"""

from __future__ import annotations

from llmsim.providers.anthropic.provider import ANTHROPIC
from llmsim.providers.azure.provider import AZURE
from llmsim.providers.bedrock.provider import BEDROCK
from llmsim.providers.gemini.provider import GEMINI
from llmsim.providers.openai.provider import ALIAS, OPENAI
from llmsim.providers.provider import Endpoint, Provider, RequestHeader
from llmsim.providers.vertex.provider import VERTEX

PROVIDERS: tuple[Provider, ...] = (
    OPENAI,
    ANTHROPIC,
    GEMINI,
    AZURE,
    VERTEX,
    BEDROCK,
)
"""The first one has every path and request that no other claims."""

_FIRST = (OPENAI, ANTHROPIC, GEMINI)
SHARED: dict[str, tuple[Provider, ...]] = {
    "/v1/models": _FIRST,
    "/v1/files": _FIRST,
    "/v1/skills": _FIRST,
    ALIAS: (OPENAI, AZURE),
}
"""What paths begin with that several providers have, and who has them."""

_SHARED = tuple(SHARED)


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
    sharing = _sharing(path)
    if not sharing and (found := _claiming(path)) is not None:
        return found
    verb = path.rpartition(":")[2]
    for provider in sharing or PROVIDERS:
        if verb in provider.claims.verbs:
            return provider
    for provider in sharing or PROVIDERS:
        if any(header(name) is not None for name in provider.claims.headers):
            return provider
    for provider in sharing:
        if any(f"&{name}=" in f"&{query}" for name in provider.claims.parameters):
            return provider
    return PROVIDERS[0]


def _sharing(path: str) -> tuple[Provider, ...]:
    """Who has a path, if several do."""
    if not path.startswith(_SHARED):
        return ()
    return next(who for prefix, who in SHARED.items() if path.startswith(prefix))


def by_codec(strict: bool = False) -> dict[str, Endpoint]:
    """Every endpoint by the name of its codec."""
    return {
        endpoint.codec.name: endpoint
        for provider in PROVIDERS
        for endpoint in provider.endpoints(strict)
    }
