"""Every provider's endpoints, as the registry has them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from functools import partial

from llmsim.pipeline.context import EndpointMemory
from llmsim.providers import registry
from llmsim.providers.provider import EndpointPattern
from llmsim.server.handler import RequestHandler
from llmsim.server.router import Handler, PatternRoute, Router
from llmsim.server.services import Services
from llmsim.transport.port import Port


def add(router: Router, services: Services, memories: Mapping[str, EndpointMemory]) -> None:
    """``POST`` of each path. ``memories`` is what endpoints remember, by their names."""
    strict = services.config.validation == "strict"
    for provider in registry.PROVIDERS:
        for endpoint in provider.endpoints(strict):
            memory = memories.get(endpoint.name)
            answer = partial(services.handler.answer, endpoint=endpoint, memory=memory)
            for path in endpoint.paths:
                router.hot["POST", path] = answer
        if provider.pattern is not None:
            handler = _named(provider.pattern, services.handler, strict)
            router.patterns.append(PatternRoute("POST", provider.pattern.matches, handler))


def _named(pattern: EndpointPattern, handler: RequestHandler, strict: bool) -> Handler:
    def answer(port: Port) -> Awaitable[None]:
        return handler.answer(port, pattern.endpoint(port.path, port.query, strict))

    return answer
