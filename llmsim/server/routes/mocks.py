"""``GET /llmsim/mocks``: what is mocked, and how often it was."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.server import admin
from llmsim.server.context import Context
from llmsim.server.mocking import told
from llmsim.server.routes.paths import Paths


def add(paths: Paths, context: Context) -> None:
    """The one path."""

    async def show(request: Request) -> Response:
        return admin.json(told(context.live.regime.config, context.books.tally))

    paths.cold.append(Route("/llmsim/mocks", show, methods=["GET"]))
