"""The paths of a server.

Hot paths are found by a look-up or, with a name in them, by a test; the others are the routes of a
Starlette application (:mod:`llmsim.server.application`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.routing import BaseRoute

from llmsim.transport.port import Port
from llmsim.transport.websocket import Socket

Handler: TypeAlias = Callable[[Port], Awaitable[None]]
WebSocketHandler: TypeAlias = Callable[[Socket], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PatternRoute:
    """A hot path with a name in it, such as a model's.

    ``matches`` says whether a path, which may be percent-encoded, is of that form.
    """

    method: str
    matches: Callable[[str], bool]
    handler: Handler


@dataclass(slots=True)
class Router:
    """All paths: ``hot`` by method and path, ``websockets`` by path.

    ``on_shutdown`` is called when the server is about to stop: it ends what would never end.
    """

    hot: dict[tuple[str, str], Handler] = field(default_factory=dict)
    patterns: list[PatternRoute] = field(default_factory=list)
    cold: list[BaseRoute] = field(default_factory=list)
    websockets: dict[str, WebSocketHandler] = field(default_factory=dict)
    on_shutdown: list[Callable[[], None]] = field(default_factory=list)

    def handler(self, method: str, path: str) -> Handler | None:
        """The handler of a hot path; None for any other."""
        found = self.hot.get((method, path))
        if found is None and self.patterns:
            for route in self.patterns:
                if route.method == method and route.matches(path):
                    return route.handler
        return found
