"""``/llmsim/scopes``: which there are, and forgetting one."""

from __future__ import annotations

from asyncio import to_thread

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.core.errors import invalid
from llmsim.core.scopes import SCOPE_HEADER, is_scope_name
from llmsim.pipeline.pipeline import NO_SCOPE
from llmsim.runtime.scopes import ScopeRuntime, Scopes
from llmsim.server.admin.json_response import error_response, json_response
from llmsim.server.router import Router
from llmsim.server.services import Services


def add(router: Router, services: Services) -> None:
    """The two paths."""
    scopes = services.scopes
    if scopes is None:
        return
    store = scopes.store

    async def show(request: Request) -> Response:
        names = await to_thread(store.names)
        listed = [{"name": name, "used": names[name]} for name in sorted(names)]
        return json_response({"scopes": listed, "max": services.config.scopes.max})

    async def forget(request: Request) -> Response:
        name = request.path_params["name"]
        if not is_scope_name(name) or not await to_thread(store.forget, name):
            return error_response(404, f"name: there is no scope {name!r}")
        return json_response({"forgotten": name})

    router.cold += [
        Route("/llmsim/scopes", show, methods=["GET"]),
        Route("/llmsim/scopes/{name}", forget, methods=["DELETE"]),
    ]


def scope_of(request: Request) -> str | None:
    """The name of the scope that a request to llmsim's own endpoints is in; None for none. Raises
    BadRequest for what is no name."""
    name = request.headers.get(SCOPE_HEADER)
    if name is not None and not is_scope_name(name):
        raise invalid(NO_SCOPE, SCOPE_HEADER)
    return name


async def scope_in(request: Request, scopes: Scopes | None) -> ScopeRuntime | None:
    """The scope that a request is in, as it is now."""
    name = scope_of(request)
    return None if name is None or scopes is None else await scopes.scope(name)
