"""Chat completions that were kept."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.routing import Route

from llmsim.dialects import openai_chat_stored, openai_lists
from llmsim.dialects.openai_lists import Paging
from llmsim.server.completions import Completions
from llmsim.server.context import Context
from llmsim.server.routes.openai_json import route
from llmsim.server.routes.paths import Paths

PREFIXES = ("/v1", "/openai/v1")


def add(paths: Paths, context: Context) -> None:
    """``GET …/chat/completions`` and what is under it."""
    completions = Completions(context.books, context.store)
    for prefix in PREFIXES:
        paths.cold += _routes(f"{prefix}/chat/completions", completions)


def _routes(root: str, completions: Completions) -> list[Route]:
    one = root + "/{id}"

    async def page(request: Request) -> bytes:
        query = parse_qs(request.url.query, keep_blank_values=True)
        return await completions.page(query, _paging(request))

    async def get(request: Request) -> bytes:
        return await completions.get(request.path_params["id"])

    async def update(request: Request) -> bytes:
        metadata = openai_chat_stored.updated(await request.body())
        return await completions.update(request.path_params["id"], metadata)

    async def delete(request: Request) -> bytes:
        return await completions.delete(request.path_params["id"])

    async def messages(request: Request) -> bytes:
        return await completions.messages(request.path_params["id"], _paging(request))

    return [
        route(root, "GET", page),
        route(one, "GET", get),
        route(one, "POST", update),
        route(one, "DELETE", delete),
        route(one + "/messages", "GET", messages),
    ]


def _paging(request: Request) -> Paging:
    """These lists are oldest first unless told otherwise, and clients may ask for none at all."""
    return openai_lists.paging(parse_qs(request.url.query), order="asc")
