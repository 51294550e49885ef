"""``/llmsim/config`` and the other paths that change a running server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.config.change import known
from llmsim.config.nodes import Node, Place
from llmsim.core.errors import ConfigError
from llmsim.runtime.editor import ConfigEditor, faults_as_json, parsed
from llmsim.server.admin.json_response import error_response, json_response
from llmsim.server.router import Router
from llmsim.server.services import Services

AdminHandler: TypeAlias = Callable[[Request], Awaitable[Response]]

JSON = ("application/json", "application/merge-patch+json")
YAML = ("application/yaml", "application/x-yaml", "text/yaml")

# Short paths, and the section each stands for.
SHORT = {"errors": "errors", "latency": "latency", "limits": "rate_limits", "mocks": "mocks"}
# Of the other short paths, GET answers with what happened, not with what is configured.
READABLE = ("errors", "latency")


def add(router: Router, services: Services) -> None:
    """Every path that changes something, and those that show what can be changed."""
    editor = ConfigEditor(services.holder, services.shared, services.reread)
    for path, section in (("/llmsim/config/{section}", None), *_short()):
        routes = [("PATCH", _patch), ("PUT", _put), ("DELETE", _delete)]
        if section is None or section in READABLE:
            routes.append(("GET", _get))
        for method, handler in routes:
            router.cold.append(_route(path, method, partial(handler, editor, section)))
    router.cold += [
        _route("/llmsim/config", "GET", partial(_get_all, editor)),
        _route("/llmsim/config", "PATCH", partial(_edit_all, editor, False)),
        _route("/llmsim/config", "PUT", partial(_edit_all, editor, True)),
        _route("/llmsim/mocks", "POST", partial(_insert, editor, "mocks")),
        _route("/llmsim/mocks/{name}", "DELETE", partial(_remove, editor, "mocks")),
        _route("/llmsim/reset", "POST", partial(_reset, editor)),
        _route("/llmsim/reload", "POST", partial(_reload, editor)),
        _route("/llmsim/timetable/restart", "POST", partial(_restart, editor)),
    ]


def _short() -> list[tuple[str, str]]:
    return [(f"/llmsim/{name}", section) for name, section in SHORT.items()]


def _route(path: str, method: str, handler: AdminHandler) -> Route:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ConfigError as error:
            described = {"message": str(error), "faults": list(faults_as_json(error))}
            return json_response({"error": described}, 400)

    return Route(path, answer, methods=[method])


async def _get_all(editor: ConfigEditor, request: Request) -> Response:
    return json_response(editor.document())


async def _edit_all(editor: ConfigEditor, whole: bool, request: Request) -> Response:
    parse = await _body_parser(request)
    if isinstance(parse, Response):
        return parse
    await editor.patch_all(parse, whole)
    return json_response(editor.document())


async def _get(editor: ConfigEditor, fixed: str | None, request: Request) -> Response:
    return _section_response(editor, _section(fixed, request))


async def _patch(editor: ConfigEditor, fixed: str | None, request: Request) -> Response:
    section, parse = _section(fixed, request), await _body_parser(request)
    if isinstance(parse, Response):
        return parse
    await editor.patch(section, parse)
    return _section_response(editor, section)


async def _put(editor: ConfigEditor, fixed: str | None, request: Request) -> Response:
    section, parse = _section(fixed, request), await _body_parser(request)
    if isinstance(parse, Response):
        return parse
    await editor.replace(section, parse)
    return _section_response(editor, section)


async def _delete(editor: ConfigEditor, fixed: str | None, request: Request) -> Response:
    section = _section(fixed, request)
    await editor.replace(section, lambda: parsed(b"null", False, _where(request)))
    return _section_response(editor, section)


async def _insert(editor: ConfigEditor, section: str, request: Request) -> Response:
    parse = await _body_parser(request)
    if isinstance(parse, Response):
        return parse
    await editor.insert(section, parse)
    return _section_response(editor, section)


async def _remove(editor: ConfigEditor, section: str, request: Request) -> Response:
    await editor.remove(section, request.path_params["name"], Place(_where(request)))
    return _section_response(editor, section)


async def _reset(editor: ConfigEditor, request: Request) -> Response:
    await editor.reset()
    return json_response({"reset": True})


async def _reload(editor: ConfigEditor, request: Request) -> Response:
    return json_response({"reloaded": True, "unchanged_until_restart": await editor.reload()})


async def _restart(editor: ConfigEditor, request: Request) -> Response:
    editor.restart_timetable()
    return json_response({"restarted": True})


def _section(fixed: str | None, request: Request) -> str:
    name: str = fixed or request.path_params["section"]
    known(name, Place(_where(request)))
    return name


def _section_response(editor: ConfigEditor, section: str) -> Response:
    return json_response(editor.section(section))


def _where(request: Request) -> str:
    return f"{request.method} {request.url.path}"


async def _body_parser(request: Request) -> Callable[[], Node] | Response:
    """A function that parses the body, to be called off the event loop; or the refusal of a body
    of another type.

    A browser asks before it sends one of these types for a page of another site, and is refused.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in (*JSON, *YAML):
        expected = ", ".join((*JSON, *YAML))
        message = f"content-type: must be one of {expected}, not {content_type!r}"
        return error_response(415, message)
    body = await request.body()
    return partial(parsed, body, content_type in YAML, _where(request))
