"""Images: OpenAI's paths, and where those that were only linked to are fetched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.core import Canvas
from llmsim.engine.painting import painted
from llmsim.providers import registry
from llmsim.providers.azure.calls import DEPLOYMENTS
from llmsim.providers.azure.provider import AZURE, images_endpoint
from llmsim.providers.openai.images.codec import OpenAIImages
from llmsim.providers.openai.images.params import Purpose
from llmsim.providers.openai.provider import OPENAI, PREFIXES
from llmsim.server.admin.json_response import error_response
from llmsim.server.pipeline_state import offload
from llmsim.server.resources.image_links import PATH, ImageLinks
from llmsim.server.router import PatternRoute, Router
from llmsim.server.services import Services
from llmsim.transport.port import Port, origin

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)


def add(router: Router, services: Services) -> None:
    """``…/images/generations`` and the others, and llmsim's own ``/llmsim/images/``."""
    image_links = ImageLinks(services.shared.segment.secret)
    strict = services.config.validation == "strict"
    for purpose in PURPOSES:
        answer = _answer(purpose, services, image_links, strict)
        for prefix in PREFIXES:
            router.hot["POST", f"{prefix}/images/{purpose}"] = answer
        router.patterns.append(PatternRoute("POST", partial(_deployed, purpose), answer))
    router.cold.append(Route(PATH + "{name}", _fetch(image_links)))


def _deployed(purpose: Purpose, path: str) -> bool:
    """Whether a path is that of an Azure deployment."""
    return path.startswith(DEPLOYMENTS) and path.endswith(f"/images/{purpose}")


def _answer(
    purpose: Purpose, services: Services, image_links: ImageLinks, strict: bool
) -> Callable[[Port], Awaitable[None]]:
    async def answer(port: Port) -> None:
        server = origin(port)

        def link(canvas: Canvas) -> str:
            return server + image_links.path(canvas)

        codec = OpenAIImages(purpose, link, strict)
        if registry.of_request(port.path, port.query, port.header) is AZURE:
            endpoint = images_endpoint(codec, purpose, port.path, port.query, strict)
            await services.handler.answer(port, endpoint.echoing(port.header))
        else:
            endpoint = OPENAI.endpoint(f"/v1/images/{purpose}", codec)
            await services.handler.answer(port, endpoint)

    return answer


def _fetch(image_links: ImageLinks) -> Callable[[Request], Awaitable[Response]]:
    async def fetch(request: Request) -> Response:
        name = request.path_params["name"]
        canvas = image_links.find(name)
        if canvas is None:
            return error_response(404, f"name: there is no image {name!r}")
        data = await offload(painted, canvas)
        return Response(data, media_type=f"image/{canvas.form}")

    return fetch
