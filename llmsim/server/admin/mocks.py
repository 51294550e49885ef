"""``GET /llmsim/mocks``: what is mocked, and how often it was."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.pipeline.steps.mocks import describe
from llmsim.server.admin import status
from llmsim.server.router import Router
from llmsim.server.services import Services


def add(paths: Router, context: Services) -> None:
    """The one path."""

    async def show(request: Request) -> Response:
        return status.json_response(
            describe(context.holder.runtime.config, context.shared.named_counters)
        )

    paths.cold.append(Route("/llmsim/mocks", show, methods=["GET"]))
