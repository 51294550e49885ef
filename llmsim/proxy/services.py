"""The services that requests are passed on to, for one process."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable
from typing import Final, Protocol, TypeVar
from weakref import WeakKeyDictionary

from llmsim.config.settings import ProxySettings
from llmsim.core import Headers
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.state import Caller, LiveSession
from llmsim.proxy.answer import Leaving, ServiceAnswer
from llmsim.proxy.background import in_background
from llmsim.proxy.client.pool import ServiceClient
from llmsim.proxy.client.response import ServiceError, ServiceResponse
from llmsim.proxy.exchange import Exchange, Exchanges, Incoming
from llmsim.proxy.headers import passed_here, to_upstream
from llmsim.proxy.live import LiveService, LiveTurn, without_stream
from llmsim.proxy.upstreams import AllowedAddresses, UpstreamError, by_provider
from llmsim.recordings.recording import Payload, RecordedRequest, Recording, Transport
from llmsim.transport.port import Gone

T = TypeVar("T")

LOOP: Final = Failure(
    FailureKind.BAD_GATEWAY, "The request has been here before: it goes in circles."
)


class RecordingSink(Protocol):
    """Where exchanges are kept."""

    def close(self) -> None:
        """Keep what waits."""
        ...

    def record(self, recording: Recording, /) -> None:
        """Keep one. Returns at once."""
        ...


class UpstreamServices:
    """Passes requests on: an :class:`~llmsim.core.upstream.Upstreams`.

    ``recorder`` None keeps nothing. ``max_unsent`` is how many bytes may wait for one client.
    Raises UpstreamError for what is no service.
    """

    def __init__(
        self, settings: ProxySettings, recorder: RecordingSink | None, max_unsent: int
    ) -> None:
        self._settings = settings
        self.upstreams = by_provider(settings.upstreams)
        self._allowed = AllowedAddresses(settings.allow)
        self._recorder = recorder
        self._max_unsent = max_unsent
        self._mark = f"llmsim-{secrets.token_hex(8)}"
        self._client = ServiceClient(settings.timeout)
        self._live: WeakKeyDictionary[LiveSession, LiveService] = WeakKeyDictionary()
        self.exchanges = Exchanges()

    def close(self) -> None:
        """Nothing more is passed on: what was is recorded."""
        if self._recorder is not None:
            self._recorder.close()

    def check(self) -> None:
        """Look where the services are. Raises UpstreamError for an address that is not allowed."""
        for one in self.upstreams.values():
            self._allowed.check(one.url)

    async def open(self, provider: str, caller: Caller, body: bytes) -> ServiceAnswer:
        """Pass a call on. Raises BadRequest where its service does not answer, and Gone if the
        client leaves meanwhile."""
        headers = [(name, caller.header(name) or "") for name in dict.fromkeys(caller.names())]
        if caller.socket is not None:
            turn = RecordedRequest(
                method="GET",
                path=caller.path,
                headers=headers,
                body=Payload.of(without_stream(body)),
                transport=Transport.WEBSOCKET,
            )
            return await self._turn(provider, turn, caller, caller.socket)
        request = RecordedRequest(
            path=caller.path, query=caller.query, headers=headers, body=Payload.of(body)
        )
        return await self.passed_on(provider, request, caller)

    async def passed_on(
        self, provider: str, request: RecordedRequest, client: Leaving
    ) -> ServiceAnswer:
        """The same for any request."""
        target = self.target(provider, request)
        return await self._opened(provider, request, client, self._sent(request, target))

    def target(self, provider: str, request: RecordedRequest) -> str:
        """The URL of a request at its service. Raises BadRequest where it has none."""
        upstream = self.upstreams.get(provider)
        if upstream is None:
            message = f"{provider} has no service here that its requests could be passed on to."
            raise BadRequest(Failure(FailureKind.BAD_GATEWAY, message))
        if passed_here(request.headers, self._mark):
            raise BadRequest(LOOP)
        return upstream.target(request.path, request.query)

    def exchange(self, provider: str, request: RecordedRequest) -> Exchange:
        """The exchange that begins with a request."""
        noted = self._recorder is not None
        return Exchange(self.exchanges, provider, request, time.time(), noted)

    async def _turn(
        self, provider: str, request: RecordedRequest, client: Leaving, session: LiveSession
    ) -> ServiceAnswer:
        """The same for a message of a WebSocket, whose session has a connection of its own."""
        target = self.target(provider, request)

        async def opening() -> LiveTurn:
            service = self._live.get(session)
            if service is None or service.closed:
                service = self._live[session] = await self.connected(target, request.headers)
                _until_gone(session, service)
            await service.send(request.body.content)
            return LiveTurn(service)

        return await self._opened(provider, request, client, opening())

    async def connected(self, target: str, headers: Headers) -> LiveService:
        """A WebSocket to a service. Raises ServiceError."""
        await self._check(target)
        passed = to_upstream(headers, self._mark)
        return await LiveService.to(target, passed, self._settings.timeout)

    async def _opened(
        self, provider: str, request: RecordedRequest, client: Leaving, sent: Awaitable[Incoming]
    ) -> ServiceAnswer:
        exchange = self.exchange(provider, request)
        opening = exchange.open(sent)
        try:
            failure = await while_there(opening, client)
        except BaseException:
            self.over(exchange)
            raise
        if failure is not None:
            self.over(exchange)
            raise BadRequest(failure)
        return ServiceAnswer(exchange, client, self._max_unsent, self.over)

    def over(self, exchange: Exchange) -> None:
        """It has ended: record it."""
        if self._recorder is not None:
            self._recorder.record(exchange.recording())

    async def _check(self, target: str) -> None:
        try:
            await self._allowed.checked(target)
        except UpstreamError as error:
            raise ServiceError(str(error)) from None

    async def _sent(self, request: RecordedRequest, target: str) -> ServiceResponse:
        await self._check(target)
        headers = to_upstream(request.headers, self._mark)
        return await self._client.send(request.method, target, headers, request.body.content)


def _until_gone(session: LiveSession, service: LiveService) -> None:
    """Close a service's connection once that of its client is."""

    async def wait() -> None:
        await session.gone.wait()
        await service.close()

    in_background(wait())


async def while_there(work: Awaitable[T], client: Leaving) -> T:
    """What comes of some work. Raises Gone if the client leaves meanwhile, and cancels it."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(client.left())
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Gone
    finally:
        leaving.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait((working,))
