"""OpenAI's conversations and their items."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.routing import Route

from llmsim.providers.openai import conversations as openai_conversations
from llmsim.providers.openai import lists
from llmsim.providers.openai.provider import PREFIXES
from llmsim.server.resources.conversations import Conversations
from llmsim.server.router import Router
from llmsim.server.routes.openai_json import route
from llmsim.server.routes.request_body import read_body
from llmsim.server.services import Services


def add(router: Router, services: Services) -> None:
    """``…/conversations`` and what is under it."""
    conversations = Conversations(services.store)
    for prefix in PREFIXES:
        router.cold += _routes(f"{prefix}/conversations", conversations)


def _routes(root: str, conversations: Conversations) -> list[Route]:
    one, items, item = root + "/{id}", root + "/{id}/items", root + "/{id}/items/{item}"

    async def create(request: Request) -> bytes:
        made = await read_body(request, openai_conversations.create_params)
        return await conversations.create(*made)

    async def get(request: Request) -> bytes:
        return await conversations.get(request.path_params["id"])

    async def update(request: Request) -> bytes:
        metadata, _ = await read_body(request, openai_conversations.create_params)
        return await conversations.update(request.path_params["id"], metadata)

    async def delete(request: Request) -> bytes:
        return await conversations.delete(request.path_params["id"])

    async def page(request: Request) -> bytes:
        wanted = lists.paging(parse_qs(request.url.query))
        return await conversations.page(request.path_params["id"], wanted)

    async def extend(request: Request) -> bytes:
        name = request.path_params["id"]
        await conversations.get(name)
        items = await read_body(request, openai_conversations.added_items)
        made = await conversations.add(name, items)
        return lists.envelope(made, len(made))

    async def item_get(request: Request) -> bytes:
        return await conversations.item(request.path_params["id"], request.path_params["item"])

    async def item_delete(request: Request) -> bytes:
        return await conversations.remove(request.path_params["id"], request.path_params["item"])

    return [
        route(root, "POST", create),
        route(one, "GET", get),
        route(one, "POST", update),
        route(one, "DELETE", delete),
        route(items, "GET", page),
        route(items, "POST", extend),
        route(item, "GET", item_get),
        route(item, "DELETE", item_delete),
    ]
