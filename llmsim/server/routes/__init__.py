"""Which path leads where: every provider's endpoints, and one module for each kind of thing that
the server keeps for clients."""

from __future__ import annotations

from llmsim.pipeline.context import EndpointMemory
from llmsim.providers.anthropic.provider import MESSAGES
from llmsim.providers.azure.calls import RESPONSES as AZURE_RESPONSES
from llmsim.providers.openai.provider import RESPONSES
from llmsim.server.admin import (
    auth,
    config_routes,
    dashboard,
    history,
    metrics,
    mocks,
    overview,
    requests,
    scope_routes,
    status,
    windows,
)
from llmsim.server.router import Router
from llmsim.server.routes import (
    anthropic,
    assistants,
    completions,
    conversations,
    endpoints,
    images,
    models,
    openai,
    responses,
    vllm,
)
from llmsim.server.services import Services

__all__ = ["all_paths"]


def all_paths(services: Services) -> Router:
    """Everything this server answers."""
    router = Router()
    openai.add(router, services)
    completions.add(router, services)
    images.add(router, services)
    conversations.add(router, services)
    assistants.add(router, services)
    remembered = responses.add(router, services)
    memories: dict[str, EndpointMemory] = {
        RESPONSES: remembered,
        AZURE_RESPONSES: remembered,
        MESSAGES: anthropic.add(router, services),
    }
    endpoints.add(router, services, memories)
    models.add(router, services)
    vllm.add(router, services)
    config = services.config
    router.cold += status.probes(services.shared, config.server.workers)
    router.cold.append(overview.root(services))
    router.cold.append(metrics.route(services.shared, lambda: services.holder.runtime.config))
    if config.control.enabled:
        dashboard.add(router, services)
        router.cold.append(overview.models(services))
        router.cold += status.routes(services.shared, services.scopes, services.last_minute)
        router.cold.append(history.route(services.shared))
        router.cold += requests.routes(services.shared, services.scopes)
        router.cold += windows.routes(windows.Windows(services.shared, services.store))
        config_routes.add(router, services)
        mocks.add(router, services)
        scope_routes.add(router, services)
    auth.AdminAuth(config.control, config.server).protect(router)
    if not config.control.enabled:
        auth.switch_off(router)
    return router
