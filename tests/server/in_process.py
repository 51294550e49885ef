"""A whole server of one worker in this process, without sockets: all paths as one application."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from llmsim.config import Config
from llmsim.core import Stamp
from llmsim.runtime.holder import ConfigHolder
from llmsim.runtime.store import ConfigStore
from llmsim.server import routes
from llmsim.server.application import build
from llmsim.server.handler import RequestHandler
from llmsim.server.pipeline_state import pipeline_state
from llmsim.server.services import Services
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.sqlite import Store, new_store
from llmsim.transport.scheduler import Scheduler


@dataclass
class Answer:
    """What a client got. ``broken_off`` says that its connection broke before the end."""

    status: int
    head: dict[str, str]
    body: bytes
    broken_off: bool


class InProcess:
    """A server that has just started; use it within a running event loop."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._open = ExitStack()

    def __enter__(self) -> Self:
        config = self._config
        path = self._open.enter_context(new_store())
        store = Store(path)
        self._open.callback(store.close)
        self.shared = shared = SharedState(new_segment(config))
        config_store = ConfigStore(config, shared.segment, str(Path(path).parent))
        holder = ConfigHolder(shared, config_store, pipeline_state(shared))
        scheduler = Scheduler(asyncio.get_running_loop(), shared.counters)
        handler = RequestHandler(config, holder, scheduler, shared)
        services = Services(config, shared, holder, scheduler, handler, store, lambda: config)
        self.router = routes.all_paths(services)
        self._application = build(self.router)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def stamp(self) -> Stamp:
        """What the ids of the latest answer were made of."""
        (entry,) = self.shared.latest(1)
        return Stamp(entry.mark, int(entry.arrived))

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The whole answer to one POST."""
        return await self.ask("POST", path, body, headers)

    async def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The whole answer to one request."""
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body}]
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

        async def send(message: Any) -> None:
            sent.append(message)

        broken_off = False
        try:
            await self._application(scope, receive, send)
        except ConnectionAbortedError:
            broken_off = True
        start, *rest = sent or [{"status": 0, "headers": []}]
        head = {name.decode(): value.decode() for name, value in start["headers"]}
        content = b"".join(message.get("body", b"") for message in rest)
        return Answer(start["status"], head, content, broken_off)
