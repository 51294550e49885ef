"""Stored chat completions."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.routing import Route

from llmsim.providers.openai import lists as openai_lists
from llmsim.providers.openai.chat import stored
from llmsim.providers.openai.lists import Paging
from llmsim.providers.openai.provider import PREFIXES
from llmsim.server.resources.stored_completions import StoredCompletions
from llmsim.server.router import Router
from llmsim.server.routes.openai_json import route
from llmsim.server.routes.request_body import read_body
from llmsim.server.services import Services


def add(router: Router, services: Services) -> None:
    """``GET …/chat/completions`` and what is under it."""
    completions = StoredCompletions(services.shared, services.store)
    for prefix in PREFIXES:
        router.cold += _routes(f"{prefix}/chat/completions", completions)


def _routes(root: str, completions: StoredCompletions) -> list[Route]:
    one = root + "/{id}"

    async def page(request: Request) -> bytes:
        query = parse_qs(request.url.query, keep_blank_values=True)
        return await completions.page(query, _paging(request))

    async def get(request: Request) -> bytes:
        return await completions.get(request.path_params["id"])

    async def update(request: Request) -> bytes:
        metadata = await read_body(request, stored.metadata_update)
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
    """These lists are oldest first unless the query says otherwise, and may be of length 0."""
    return openai_lists.paging(parse_qs(request.url.query), order="asc")
