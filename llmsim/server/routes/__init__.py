"""Which path leads where: one module a provider, put together here."""

from __future__ import annotations

from starlette.applications import Starlette

from llmsim.server.admin import config_routes, dashboard, metrics, mocks, status
from llmsim.server.admin.auth import AdminAuth
from llmsim.server.application import build
from llmsim.server.router import Handler, Router
from llmsim.server.routes import (
    anthropic,
    completions,
    conversations,
    gemini,
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
    responses.add(every, context)
    conversations.add(every, context)
    anthropic.add(every, context)
    gemini.add(every, context)
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
