"""``/llmsim/config`` and what else steers a running server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.config.change import known
from llmsim.config.document import Node, Place
from llmsim.core.errors import ConfigError
from llmsim.runtime import editor
from llmsim.runtime.editor import ConfigEditor
from llmsim.server.admin import status
from llmsim.server.router import Router
from llmsim.server.services import Services

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]

JSON = ("application/json", "application/merge-patch+json")
YAML = ("application/yaml", "application/x-yaml", "text/yaml")

# Short paths: what stands under each is a section; None answers GET elsewhere.
SHORT = {"errors": "errors", "latency": "latency", "limits": "rate_limits", "mocks": "mocks"}
TOLD = ("errors", "latency")


def add(paths: Router, context: Services) -> None:
    """Every path that changes something, and those that show what can be changed."""
    made = ConfigEditor(context.holder, context.shared, context.reread)
    for root, fixed in (("/llmsim/config/{section}", None), *_short()):
        routes = [("PATCH", _patch), ("PUT", _put), ("DELETE", _delete)]
        if fixed is None or fixed in TOLD:
            routes.append(("GET", _get))
        for method, handler in routes:
            paths.cold.append(_route(root, method, partial(handler, made, fixed)))
    paths.cold += [
        _route("/llmsim/config", "GET", partial(_whole, made)),
        _route("/llmsim/config", "PATCH", partial(_change_whole, made, False)),
        _route("/llmsim/config", "PUT", partial(_change_whole, made, True)),
        _route("/llmsim/mocks", "POST", partial(_insert, made, "mocks")),
        _route("/llmsim/mocks/{name}", "DELETE", partial(_remove, made, "mocks")),
        _route("/llmsim/reset", "POST", partial(_reset, made)),
        _route("/llmsim/reload", "POST", partial(_reload, made)),
        _route("/llmsim/timetable/restart", "POST", partial(_restart, made)),
    ]


def _short() -> list[tuple[str, str]]:
    return [(f"/llmsim/{name}", section) for name, section in SHORT.items()]


def _route(path: str, method: str, handler: Handler) -> Route:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ConfigError as error:
            told = {"message": str(error), "faults": list(editor.faults(error))}
            return status.json_response({"error": told}, 400)

    return Route(path, answer, methods=[method])


async def _whole(made: ConfigEditor, request: Request) -> Response:
    return status.json_response(made.whole())


async def _change_whole(made: ConfigEditor, whole: bool, request: Request) -> Response:
    node = await _node(request)
    if isinstance(node, Response):
        return node
    await made.patch_whole(node, whole)
    return status.json_response(made.whole())


async def _get(made: ConfigEditor, fixed: str | None, request: Request) -> Response:
    return _told(made, _section(fixed, request))


async def _patch(made: ConfigEditor, fixed: str | None, request: Request) -> Response:
    section, node = _section(fixed, request), await _node(request)
    if isinstance(node, Response):
        return node
    await made.patch(section, node)
    return _told(made, section)


async def _put(made: ConfigEditor, fixed: str | None, request: Request) -> Response:
    section, node = _section(fixed, request), await _node(request)
    if isinstance(node, Response):
        return node
    await made.replace(section, node)
    return _told(made, section)


async def _delete(made: ConfigEditor, fixed: str | None, request: Request) -> Response:
    section = _section(fixed, request)
    await made.replace(section, lambda: editor.node(b"null", False, _where(request)))
    return _told(made, section)


async def _insert(made: ConfigEditor, section: str, request: Request) -> Response:
    node = await _node(request)
    if isinstance(node, Response):
        return node
    await made.insert(section, node)
    return _told(made, section)


async def _remove(made: ConfigEditor, section: str, request: Request) -> Response:
    await made.remove(section, request.path_params["name"], Place(_where(request)))
    return _told(made, section)


async def _reset(made: ConfigEditor, request: Request) -> Response:
    made.reset()
    return status.json_response({"reset": True})


async def _reload(made: ConfigEditor, request: Request) -> Response:
    return status.json_response({"reloaded": True, "unchanged_until_restart": await made.reload()})


async def _restart(made: ConfigEditor, request: Request) -> Response:
    made.restart_timetable()
    return status.json_response({"restarted": True})


def _section(fixed: str | None, request: Request) -> str:
    name: str = fixed or request.path_params["section"]
    known(name, Place(_where(request)))
    return name


def _told(made: ConfigEditor, section: str) -> Response:
    return status.json_response(made.section(section))


def _where(request: Request) -> str:
    return f"{request.method} {request.url.path}"


async def _node(request: Request) -> Callable[[], Node] | Response:
    """What the body says, to be read off the loop; or the refusal of a body of another type.

    Pages of other sites cannot send these types without asking first, which is refused.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in (*JSON, *YAML):
        return status.error_response(
            415, f"content-type: must be one of {', '.join((*JSON, *YAML))}"
        )
    body = await request.body()
    return partial(editor.node, body, given in YAML, _where(request))
