"""Which path leads where: one module a provider, put together here."""

from __future__ import annotations

from starlette.applications import Starlette

from llmsim.server import admin, metrics
from llmsim.server.context import Context
from llmsim.server.routes import (
    anthropic,
    completions,
    control,
    conversations,
    dashboard,
    gemini,
    images,
    mocks,
    models,
    openai,
    responses,
)
from llmsim.server.routes.application import build
from llmsim.server.routes.guard import Guard
from llmsim.server.routes.paths import Handler, Paths

__all__ = ["Handler", "Paths", "application", "paths"]


def paths(context: Context) -> Paths:
    """Everything this server answers."""
    every = Paths()
    openai.add(every, context)
    completions.add(every, context)
    images.add(every, context)
    responses.add(every, context)
    conversations.add(every, context)
    anthropic.add(every, context)
    gemini.add(every, context)
    models.add(every, context)
    dashboard.add(every, context)
    every.cold += admin.routes(context.books)
    control.add(every, context)
    mocks.add(every, context)
    every.cold.append(metrics.route(context.books, context.config))
    Guard(context.config.control).over(every)
    return every


def application(every: Paths) -> Starlette:
    """The same as one ASGI application."""
    return build(every)
