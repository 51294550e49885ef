"""The paths of a server that take a body, as its router has them: no list to be kept by hand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Final

from starlette.routing import Route

from llmsim.config import Config
from llmsim.server.router import Router
from tests.attack.bodies import BODIES, Body
from tests.server.in_process import InProcess

TAKING: Final = ("POST", "PUT", "PATCH")
NAME: Final = re.compile(r"\{[^}]*\}")
EXAMPLE: Final = "x1"
"""What stands for a name in a path."""
SOME: Final[dict[str, Any]] = {
    "model": "gpt-4o",
    "input": "Hi",
    "name": "x",
    "metadata": {"a": "b"},
    "messages": [{"role": "user", "content": "Hi"}],
    "limit": 3,
}
"""A body where nobody has written one: it has what many of them have."""


def every_body() -> list[Body]:
    """The bodies that are written down, and one for each other path that takes one."""
    return [*BODIES, *missing(_router())]


def missing(router: Router) -> Iterator[Body]:
    """A body for each path of a router that takes one and for which none is written down: that of
    the same path under another prefix, or else any."""
    written = {(one.method, _unprefixed(one.path)): one.value for one in reversed(BODIES)}
    there = {(body.method, body.path.partition("?")[0]) for body in BODIES}
    for method, template in taking(router):
        pattern = re.compile(NAME.sub("[^/]+", template))
        if not any(method == other and pattern.fullmatch(path) for other, path in there):
            path = NAME.sub(EXAMPLE, template)
            yield Body(method, path, written.get((method, _unprefixed(path)), SOME))


def taking(router: Router) -> Iterator[tuple[str, str]]:
    """Method and path, names in braces, of what takes a body. Paths that only a test knows, such
    as those with a model in them, are not among them."""
    for method, path in router.hot:
        if method in TAKING:
            yield method, path
    for route in router.cold:
        if isinstance(route, Route):
            for method in sorted(route.methods or ()):
                if method in TAKING:
                    yield method, route.path


def _unprefixed(path: str) -> str:
    """A path after the version of its API."""
    return path.partition("?")[0].rpartition("/v1/")[2]


def _router() -> Router:
    async def build() -> Router:
        with InProcess(Config()) as server:
            return server.router

    return asyncio.run(build())
