"""The paths of a server: hot ones by look-up, those with a name in them by a test, the rest by
Starlette."""

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

    ``matches`` tells by the path whether it is one; ``template`` says the same to Starlette.
    """

    method: str
    template: str
    matches: Callable[[str], bool]
    handler: Handler


@dataclass(slots=True)
class Router:
    """All paths. ``hot`` is by (method, path), ``websockets`` (WebSockets) by path.

    ``on_shutdown`` is called when the server is about to stop: it ends what would never end.
    """

    hot: dict[tuple[str, str], Handler] = field(default_factory=dict)
    patterns: list[PatternRoute] = field(default_factory=list)
    cold: list[BaseRoute] = field(default_factory=list)
    websockets: dict[str, WebSocketHandler] = field(default_factory=dict)
    on_shutdown: list[Callable[[], None]] = field(default_factory=list)

    def handler(self, method: str, path: str) -> Handler | None:
        """The hot handler of a path; None if it is not hot."""
        found = self.hot.get((method, path))
        if found is None and self.patterns:
            for one in self.patterns:
                if one.method == method and one.matches(path):
                    return one.handler
        return found
