"""``GET /llmsim/mocks``: the mocks in effect, and how often each was used."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.pipeline.steps.mocks import describe
from llmsim.server.admin.json_response import json_response
from llmsim.server.router import Router
from llmsim.server.services import Services


def add(router: Router, services: Services) -> None:
    """The one path."""

    async def show(request: Request) -> Response:
        config = services.holder.runtime.config
        return json_response(describe(config, services.shared.named_counters))

    router.cold.append(Route("/llmsim/mocks", show, methods=["GET"]))
