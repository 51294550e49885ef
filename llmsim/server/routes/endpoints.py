"""Every provider's endpoints, as the registry has them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from functools import partial

from llmsim.pipeline.context import EndpointMemory
from llmsim.providers import registry
from llmsim.providers.provider import Endpoint, EndpointPattern, Provider
from llmsim.server.handler import RequestHandler
from llmsim.server.router import Handler, PatternRoute, Router
from llmsim.server.services import Services
from llmsim.transport.port import Port


def add(router: Router, services: Services, memories: Mapping[str, EndpointMemory]) -> None:
    """``POST`` of each path. ``memories`` is what endpoints remember, by their names."""
    strict = services.config.validation == "strict"
    for provider in registry.PROVIDERS:
        for endpoint in () if provider.pattern_only else provider.endpoints(strict):
            answer = _answer(services.handler, endpoint, memories.get(endpoint.name))
            for path in endpoint.paths:
                router.hot["POST", path] = answer
            for path in endpoint.shared:
                router.hot["POST", path] = _either(provider, answer, router.hot["POST", path])
        if provider.pattern is not None:
            handler = _named(provider, provider.pattern, services.handler, strict, memories)
            router.patterns.append(PatternRoute("POST", provider.pattern.matches, handler))


def _answer(handler: RequestHandler, endpoint: Endpoint, memory: EndpointMemory | None) -> Handler:
    if not endpoint.provider.echoed:
        return partial(handler.answer, endpoint=endpoint, memory=memory)

    def answer(port: Port) -> Awaitable[None]:
        return handler.answer(port, endpoint.echoing(port.header), memory)

    return answer


def _either(provider: Provider, answer: Handler, other: Handler) -> Handler:
    """Of two that have the same path, who a request is for."""

    def chosen(port: Port) -> Awaitable[None]:
        found = registry.of_request(port.path, port.query, port.header)
        return (answer if found is provider else other)(port)

    return chosen


def _named(
    provider: Provider,
    pattern: EndpointPattern,
    handler: RequestHandler,
    strict: bool,
    memories: Mapping[str, EndpointMemory],
) -> Handler:
    def answer(port: Port) -> Awaitable[None]:
        return handler.answer(port, pattern.endpoint(port.path, port.query, strict))

    def echoing(port: Port) -> Awaitable[None]:
        endpoint = pattern.endpoint(port.path, port.query, strict)
        memory = memories.get(endpoint.name)
        return handler.answer(port, endpoint.echoing(port.header), memory)

    return echoing if provider.echoed else answer
