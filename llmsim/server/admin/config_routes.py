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
from llmsim.runtime.editor import ConfigEditor, WholeServer, faults_as_json, parsed
from llmsim.runtime.scopes import ScopeTarget
from llmsim.server.admin import reset
from llmsim.server.admin.json_response import error_response, json_response
from llmsim.server.admin.scope_routes import scope_in, scope_of
from llmsim.server.router import Router
from llmsim.server.services import Services

AdminHandler: TypeAlias = Callable[[ConfigEditor, Request], Awaitable[Response]]

JSON = ("application/json", "application/merge-patch+json")
YAML = ("application/yaml", "application/x-yaml", "text/yaml")

# Short paths, and the section each stands for.
SHORT = {"errors": "errors", "latency": "latency", "limits": "rate_limits", "mocks": "mocks"}
# Of the other short paths, GET answers with what happened, not with what is configured.
READABLE = ("errors", "latency")


def add(router: Router, services: Services) -> None:
    """Every path that changes something, and those that show what can be changed."""
    editors = Editors(services)
    for path, section in (("/llmsim/config/{section}", None), *_short()):
        routes = [("PATCH", _patch), ("PUT", _put), ("DELETE", _delete)]
        if section is None or section in READABLE:
            routes.append(("GET", _get))
        for method, handler in routes:
            router.cold.append(_route(editors, path, method, partial(handler, section)))
    router.cold += [
        _route(editors, "/llmsim/config", "GET", _get_all),
        _route(editors, "/llmsim/config", "PATCH", partial(_edit_all, False)),
        _route(editors, "/llmsim/config", "PUT", partial(_edit_all, True)),
        _route(editors, "/llmsim/mocks", "POST", partial(_insert, "mocks")),
        _route(editors, "/llmsim/mocks/{name}", "DELETE", partial(_remove, "mocks")),
        _route(editors, "/llmsim/reset", "POST", partial(_reset, services)),
        _route(editors, "/llmsim/reload", "POST", partial(_reload, services.renew)),
        _route(editors, "/llmsim/timetable/restart", "POST", _restart),
    ]


def _short() -> list[tuple[str, str]]:
    return [(f"/llmsim/{name}", section) for name, section in SHORT.items()]


class Editors:
    """What a request edits: the server, or the scope it is in."""

    def __init__(self, services: Services) -> None:
        self._scopes = services.scopes
        self._reread = services.reread
        self._whole = ConfigEditor(WholeServer(services.holder, services.shared), self._reread)

    async def of(self, request: Request) -> ConfigEditor:
        """The editor for a request. Raises BadRequest for what is no name of a scope."""
        name = scope_of(request)
        if name is None or self._scopes is None:
            return self._whole
        target = ScopeTarget(self._scopes, name, await self._scopes.scope(name))
        return ConfigEditor(target, self._reread)


def _route(editors: Editors, path: str, method: str, handler: AdminHandler) -> Route:
    async def answer(request: Request) -> Response:
        try:
            return await handler(await editors.of(request), request)
        except ConfigError as error:
            described = {"message": str(error), "faults": list(faults_as_json(error))}
            return json_response({"error": described}, 400)

    return Route(path, answer, methods=[method])


async def _get_all(editor: ConfigEditor, request: Request) -> Response:
    return json_response(editor.document())


async def _edit_all(whole: bool, editor: ConfigEditor, request: Request) -> Response:
    parse = await _body_parser(request)
    if isinstance(parse, Response):
        return parse
    await editor.patch_all(parse, whole)
    return json_response(editor.document())


async def _get(fixed: str | None, editor: ConfigEditor, request: Request) -> Response:
    return _section_response(editor, _section(fixed, request))


async def _patch(fixed: str | None, editor: ConfigEditor, request: Request) -> Response:
    section, parse = _section(fixed, request), await _body_parser(request)
    if isinstance(parse, Response):
        return parse
    await editor.patch(section, parse)
    return _section_response(editor, section)


async def _put(fixed: str | None, editor: ConfigEditor, request: Request) -> Response:
    section, parse = _section(fixed, request), await _body_parser(request)
    if isinstance(parse, Response):
        return parse
    await editor.replace(section, parse)
    return _section_response(editor, section)


async def _delete(fixed: str | None, editor: ConfigEditor, request: Request) -> Response:
    section = _section(fixed, request)
    await editor.replace(section, lambda: parsed(b"null", False, _where(request)))
    return _section_response(editor, section)


async def _insert(section: str, editor: ConfigEditor, request: Request) -> Response:
    parse = await _body_parser(request)
    if isinstance(parse, Response):
        return parse
    await editor.insert(section, parse)
    return _section_response(editor, section)


async def _remove(section: str, editor: ConfigEditor, request: Request) -> Response:
    await editor.remove(section, request.path_params["name"], Place(_where(request)))
    return _section_response(editor, section)


async def _reset(services: Services, editor: ConfigEditor, request: Request) -> Response:
    what = request.query_params.get("what")
    if what is None:
        await editor.reset()
        return json_response({"reset": True})
    try:
        parts = reset.parse(what)
    except ValueError as error:
        return error_response(400, str(error))
    scope = await scope_in(request, services.scopes)
    if scope is None:
        await reset.reset(services, parts)
    else:
        await reset.reset_scope(services, scope, parts)
    return json_response({"reset": list(parts)})


async def _reload(
    renew: Callable[[], None] | None, editor: ConfigEditor, request: Request
) -> Response:
    unchanged = await editor.reload()
    if renew is not None and scope_of(request) is None:
        renew()
    return json_response({"reloaded": True, "unchanged_until_restart": unchanged})


async def _restart(editor: ConfigEditor, request: Request) -> Response:
    await editor.restart_timetable()
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
