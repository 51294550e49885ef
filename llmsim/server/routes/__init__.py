"""Which path leads where: every provider's endpoints, and one module for each kind of thing that
the server keeps for clients."""

from __future__ import annotations

from starlette.applications import Starlette

from llmsim.pipeline.context import EndpointMemory
from llmsim.providers.anthropic.provider import MESSAGES
from llmsim.providers.openai.provider import RESPONSES
from llmsim.server.admin import config_routes, dashboard, metrics, mocks, status
from llmsim.server.admin.auth import AdminAuth
from llmsim.server.application import build
from llmsim.server.router import Handler, Router
from llmsim.server.routes import (
    anthropic,
    completions,
    conversations,
    endpoints,
    images,
    models,
    openai,
    responses,
)
from llmsim.server.services import Services

__all__ = ["Handler", "Router", "application", "paths"]


def paths(context: Services) -> Router:
    """Everything this server answers."""
    every = Router()
    openai.add(every, context)
    completions.add(every, context)
    images.add(every, context)
    conversations.add(every, context)
    memories: dict[str, EndpointMemory] = {
        RESPONSES: responses.add(every, context),
        MESSAGES: anthropic.add(every, context),
    }
    endpoints.add(every, context, memories)
    models.add(every, context)
    dashboard.add(every, context)
    every.cold += status.routes(context.shared)
    config_routes.add(every, context)
    mocks.add(every, context)
    every.cold.append(metrics.route(context.shared, context.config))
    AdminAuth(context.config.control).protect(every)
    return every


def application(every: Router) -> Starlette:
    """The same as one ASGI application."""
    return build(every)
