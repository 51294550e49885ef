"""A WebSocket that is passed on as it is, message by message, and its turns recorded."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from msgspec import structs

from llmsim.proxy.answer import PAUSE
from llmsim.proxy.client.response import ServiceError, ServiceTimeout
from llmsim.proxy.exchange import Exchange
from llmsim.proxy.live import (
    ASKS,
    ENDS,
    EVENT_STREAM,
    LiveService,
    event,
    kind_of,
    stream_of,
    without_stream,
)
from llmsim.proxy.services import UpstreamServices
from llmsim.recordings.recording import Payload, RecordedRequest, ResponseEnd
from llmsim.transport.websocket import Socket


class Relay:
    """One client's WebSocket and that of its service. ``request`` is what opened it.

    No more is read from the service while half of ``max_unsent`` bytes wait for the client.
    """

    def __init__(
        self,
        socket: Socket,
        service: LiveService,
        services: UpstreamServices,
        provider: str,
        request: RecordedRequest,
        max_unsent: int,
    ) -> None:
        self._socket = socket
        self._service = service
        self._services = services
        self._provider = provider
        self._request = request
        self._most = max_unsent // 2
        self._turns: dict[str | None, deque[Exchange]] = {}

    async def run(self) -> None:
        """Pass messages on until one of both has gone."""
        up, down = asyncio.ensure_future(self._up()), asyncio.ensure_future(self._down())
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            # What the client sent last, and what the service did, is with the other by now.
            end = ResponseEnd.LEFT if up.done() else down.result()
        except BaseException:
            end = ResponseEnd.LEFT
            raise
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.wait((up, down))
            for exchange in [one for turns in self._turns.values() for one in turns]:
                self._over(exchange, end)
            await self._service.close()

    async def _up(self) -> None:
        while (message := await self._socket.receive()) is not None:
            sent = message.encode() if isinstance(message, str) else message
            if kind_of(sent) == ASKS:
                body = Payload.of(without_stream(sent))
                request = structs.replace(self._request, body=body)
                exchange = self._services.exchange(self._provider, request)
                self._turns.setdefault(stream_of(sent), deque()).append(exchange)
            with suppress(ServiceError):  # whoever reads finds that out, too
                await self._service.send(sent)

    async def _down(self) -> ResponseEnd:
        while True:
            try:
                message = await self._service.receive()
            except ServiceTimeout:
                if any(self._turns.values()):
                    return ResponseEnd.TIMEOUT
                continue
            except ServiceError:
                return ResponseEnd.CUT
            self._note(message)
            if not self._socket.send(message):
                return ResponseEnd.LEFT
            while self._socket.unsent > self._most:
                await asyncio.sleep(PAUSE)

    def _note(self, message: bytes) -> None:
        """Note a message as part of the turn that it answers."""
        turns = self._turns.get(stream_of(message))
        if not turns:
            return
        exchange, kind = turns[0], kind_of(message)
        if not exchange.status:
            exchange.begin(200, [EVENT_STREAM])
        exchange.note(event(kind, without_stream(message)))
        if kind in ENDS:
            turns.popleft()
            self._over(exchange, ResponseEnd.WHOLE)

    def _over(self, exchange: Exchange, end: ResponseEnd) -> None:
        exchange.finish(end)
        self._services.over(exchange)
