"""``GET /llmsim/mocks``: the mocks in effect, and how often each was used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.config import Config, change
from llmsim.core.mocks.mock import Mock, MockScript, counter_keys
from llmsim.core.state import Counters
from llmsim.server.admin.json_response import json_response
from llmsim.server.admin.scope_routes import scope_in
from llmsim.server.router import Router
from llmsim.server.services import Services
from llmsim.state.scoped import ScopedCounters, prefix_of

R = TypeVar("R", Mock, MockScript)


def add(router: Router, services: Services) -> None:
    """The one path."""

    async def show(request: Request) -> Response:
        scope = await scope_in(request, services.scopes)
        if scope is None:
            config = services.holder.runtime.config
            return json_response(describe(config, services.shared.named_counters))
        counters = ScopedCounters(services.shared.named_counters, prefix_of(scope.record))
        return json_response(describe(scope.runtime.config, counters))

    router.cold.append(Route("/llmsim/mocks", show, methods=["GET"]))


def describe(config: Config, named_counters: Counters) -> dict[str, list[dict[str, Any]]]:
    """Mocks and scripts as they are configured, with how often each was used, and how often a
    mock may still be."""
    written = change.section(config, "mocks")
    mocks = [
        {**fields, "hits": hits, "left": None if mock.times is None else mock.times - hits}
        for mock, fields, hits in _counted(config.mocks, written, named_counters)
    ]
    written = change.section(config, "scripts")
    scripts = [
        {**fields, "hits": hits}
        for _, fields, hits in _counted(config.scripts, written, named_counters)
    ]
    return {"mocks": mocks, "scripts": scripts}


def _counted(
    rules: Sequence[R], written: Any, named_counters: Counters
) -> Iterator[tuple[R, dict[str, Any], int]]:
    for rule, fields, key in zip(rules, written or (), counter_keys(rules), strict=True):
        yield rule, fields, named_counters.reached(key)
