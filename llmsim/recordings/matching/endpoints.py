"""Which codec speaks on a path: what makes a request comparable, plain or streamed, whichever of a
provider's paths it came on."""

from __future__ import annotations

from functools import cache

from llmsim.core.codec import Codec
from llmsim.providers import registry


def codec(provider: str, path: str, query: str = "") -> Codec | None:
    """The codec of a provider's path; None where llmsim has none."""
    found = _by_path().get((provider, path))
    if found is not None:
        return found
    for one in registry.PROVIDERS:
        pattern = one.pattern
        if one.name == provider and pattern is not None and pattern.matches(path):
            return pattern.endpoint(path, query).codec
    return None


def codec_name(provider: str, path: str, query: str = "") -> str:
    """The name of the codec of a provider's path; the path itself where llmsim has none."""
    found = codec(provider, path, query)
    return path if found is None else found.name


@cache
def _by_path() -> dict[tuple[str, str], Codec]:
    return {
        (provider.name, path): endpoint.codec
        for provider in registry.PROVIDERS
        for endpoint in provider.endpoints(False)
        for path in (*endpoint.paths, *endpoint.shared)
    }
