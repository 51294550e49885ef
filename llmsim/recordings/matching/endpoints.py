"""Which codec speaks on a path: what makes a request comparable, plain or streamed, whichever of a
provider's paths it came on."""

from __future__ import annotations

from functools import cache

from llmsim.providers import registry


def codec_name(provider: str, path: str, query: str = "") -> str:
    """The name of the codec of a provider's path; the path itself where llmsim has none."""
    found = _by_path().get((provider, path))
    if found is not None:
        return found
    for one in registry.PROVIDERS:
        pattern = one.pattern
        if one.name == provider and pattern is not None and pattern.matches(path):
            return pattern.endpoint(path, query).codec.name
    return path


@cache
def _by_path() -> dict[tuple[str, str], str]:
    return {
        (provider.name, path): endpoint.codec.name
        for provider in registry.PROVIDERS
        for endpoint in provider.endpoints(False)
        for path in endpoint.paths
    }
