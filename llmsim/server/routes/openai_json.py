"""Handlers of OpenAI's cold paths: each makes a JSON body of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.providers.openai import errors
from llmsim.server.refusals import unlogged_stamp

Answer: TypeAlias = Callable[[Request], Awaitable[bytes]]


def route(template: str, method: str, answer: Answer) -> Route:
    """A path that is answered with what ``answer`` makes of the request, or a failure it raises."""

    async def handler(request: Request) -> Response:
        body = await answer(request)
        head = dict(errors.identity(unlogged_stamp()))
        return Response(body, headers=head, media_type="application/json")

    return Route(template, handler, methods=[method])
