"""Images: OpenAI's paths, and where those that were only linked to are fetched."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.dialects.openai_images import OpenAIImages
from llmsim.dialects.openai_images_request import Purpose
from llmsim.engine.picture import painted
from llmsim.exchange import Canvas
from llmsim.server import admin
from llmsim.server.context import Context
from llmsim.server.gallery import PATH, Gallery
from llmsim.server.ports import Port, origin
from llmsim.server.request import Endpoint
from llmsim.server.routes.paths import Paths

PREFIXES = ("/v1", "/openai/v1")
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)


def add(paths: Paths, context: Context) -> None:
    """``…/images/generations`` and the others, and llmsim's own ``/llmsim/images/``."""
    gallery = Gallery(context.books.segment.secret)
    for purpose in PURPOSES:
        answer = _answer(purpose, context, gallery)
        for prefix in PREFIXES:
            paths.hot["POST", f"{prefix}/images/{purpose}"] = answer
    paths.cold.append(Route(PATH + "{name}", _fetch(gallery)))


def _answer(
    purpose: Purpose, context: Context, gallery: Gallery
) -> Callable[[Port], Awaitable[None]]:
    async def answer(port: Port) -> None:
        server = origin(port)

        def link(canvas: Canvas) -> str:
            return server + gallery.path(canvas)

        endpoint = Endpoint(f"/v1/images/{purpose}", OpenAIImages(purpose, link))
        await context.answering.answer(port, endpoint)

    return answer


def _fetch(gallery: Gallery) -> Callable[[Request], Awaitable[Response]]:
    async def fetch(request: Request) -> Response:
        name = request.path_params["name"]
        canvas = gallery.find(name)
        if canvas is None:
            return admin.fault(404, f"no picture {name!r} is here")
        data = await to_thread(painted, canvas)
        return Response(data, media_type=f"image/{canvas.form}")

    return fetch
