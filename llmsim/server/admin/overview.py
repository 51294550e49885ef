"""Where things are: ``GET /``, and the models that the dashboard offers."""

from __future__ import annotations

from typing import get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim import __version__
from llmsim.core.catalog.profiles import PRESETS
from llmsim.core.latency import AUTO
from llmsim.core.overrides import ScenarioName
from llmsim.providers.registry import PROVIDERS
from llmsim.server.admin.json_response import json_response
from llmsim.server.services import Services

APIS = {
    "openai": "/v1",
    "anthropic": "",
    "gemini": "",
    "azure": "",
    "vertex": "",
    "bedrock": "",
}
"""What clients of each provider have after the server's address in their base URL."""


def root(services: Services) -> Route:
    """``GET /``."""
    places: dict[str, object] = {
        "llmsim": __version__,
        "base_urls": APIS,
        "health": "/health",
        "ready": "/ready",
        "metrics": "/metrics",
    }
    if services.config.control.enabled:
        places |= {
            "dashboard": "/llmsim/",
            "stats": "/llmsim/stats",
            "history": "/llmsim/stats/history",
            "requests": "/llmsim/requests",
            "windows": "/llmsim/windows",
            "config": "/llmsim/config",
        }

    async def show(request: Request) -> Response:
        return json_response(places)

    return Route("/", show)


def models(services: Services) -> Route:
    """``GET /llmsim/models``: what is on offer, by provider, the tokens each may have, and what
    latencies and scenarios have names. Unlike a provider's own listing it needs no API key."""

    async def show(request: Request) -> Response:
        registry = services.holder.runtime.registry
        names = {
            provider.name: [model.id for model in registry.listed(provider.models.vendor)]
            for provider in PROVIDERS
            if provider.models is not None
        }
        limits = {
            model.id: {
                "context_window": model.context_window,
                "max_output_tokens": model.max_output_tokens,
            }
            for model in registry.listed(None)
        }
        choices = {
            "models": names,
            "limits": limits,
            "profiles": [AUTO, *PRESETS],
            "scenarios": get_args(ScenarioName),
        }
        return json_response(choices)

    return Route("/llmsim/models", show)
