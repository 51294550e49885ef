"""A process that proxies everything and records it: an RSGI application."""

from __future__ import annotations

import asyncio
import secrets
import signal
from functools import partial
from typing import Any, Final

import numpy as np
import orjson

from llmsim.config import Server
from llmsim.config.settings import ProxySettings, RecordSettings
from llmsim.core import Plan, Stamp, Usage
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.engine.faults.fault_context import FrameList
from llmsim.providers import registry
from llmsim.proxy.client.response import ServiceError
from llmsim.proxy.recorder import recorder
from llmsim.proxy.relay import Relay
from llmsim.proxy.services import UpstreamServices
from llmsim.recordings.recording import Payload, RecordedRequest, Transport
from llmsim.state import garbage, launcher
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.segment import Segment
from llmsim.telemetry.recording import recording_state
from llmsim.transport.abort import opened
from llmsim.transport.arrival import ArrivalClock
from llmsim.transport.body_deadline import BodyDeadline
from llmsim.transport.bounds import Bounds
from llmsim.transport.deferred import StreamPlayback
from llmsim.transport.port import Gone
from llmsim.transport.rsgi import RSGIPort
from llmsim.transport.scheduler import Scheduler, now_us
from llmsim.transport.slow_clients import ClientLimits, SlowClients
from llmsim.transport.websocket import Socket

MARK_DIGITS: Final = 26
HEALTHY: Final = b'{"status":"ok"}'
JSON: Final = ("content-type", "application/json")
NO_FRAMES: Final = FrameList([])
NEVER: Final = np.zeros(0)


class ProxyApp:
    """Passes every request on to its provider's service, and records it. ``segment`` is the path of
    the shared memory."""

    def __init__(
        self, server: Server, settings: ProxySettings, record: RecordSettings, segment: str
    ) -> None:
        self._server = server
        self._shared = SharedState(Segment.attach(segment))
        counters = self._shared.counters
        self._services = UpstreamServices(
            settings, recorder(record, counters), server.max_unsent_bytes
        )
        bounds = Bounds(counters)
        limits = ClientLimits(
            server.stall_timeout, server.max_unsent_bytes, server.header_timeout, server.port
        )
        self._clients = SlowClients(limits, bounds)
        self._body_deadline = BodyDeadline(server.body_timeout, bounds)
        self._arrivals = ArrivalClock(None)
        self._scheduler: Scheduler

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        launcher.signal_its_death(signal.SIGTERM)
        self._scheduler = Scheduler(loop, self._shared.counters)
        self._clients.watch()
        self._body_deadline.watch(loop)
        garbage.set_aside()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._services.close()
        self._shared.resign()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if scope.proto != "http":
            await self._relayed(scope, protocol)
            return
        if scope.path == "/health":
            protocol.response_bytes(200, [JSON], HEALTHY)
            return
        if scope.path == "/llmsim/recording":
            state = recording_state(self._shared.all_counters)
            protocol.response_bytes(200, [JSON], orjson.dumps(state))
            return
        port = RSGIPort(
            scope, protocol, now_us(), self._arrivals, self._clients, self._body_deadline
        )
        try:
            await self._proxied(port)
        except BadRequest as bad:
            provider = registry.of_request(port.path, port.query, port.header)
            stamp = Stamp(secrets.token_hex(MARK_DIGITS // 2), 0)
            port.respond(*provider.errors.refusal(bad.failure, stamp))
        except Gone:
            pass

    async def _relayed(self, scope: Any, protocol: Any) -> None:
        """Pass a WebSocket on, once its service has accepted it."""
        provider = registry.of_request(scope.path, scope.query_string, scope.headers.get).name
        request = RecordedRequest(
            method="GET",
            path=scope.path,
            query=scope.query_string,
            headers=scope.headers.items(),
            transport=Transport.WEBSOCKET,
        )
        try:
            target = self._services.target(provider, request)
            service = await self._services.connected(target, request.headers)
        except BadRequest:
            protocol.close(404)
            return
        except ServiceError:
            protocol.close(502)
            return
        most = self._server.max_unsent_bytes
        behind = partial(self._clients.behind, scope.client)
        transport = await protocol.accept()
        socket = Socket(scope, transport, self._server.max_body_bytes, most, behind)
        try:
            await Relay(socket, service, self._services, provider, request, most).run()
        finally:
            socket.release()
            protocol.close()

    async def _proxied(self, port: RSGIPort) -> None:
        start = now_us()
        provider = registry.of_request(port.path, port.query, port.header).name
        if provider not in self._services.upstreams:
            message = f"{provider} has no upstream here: --upstream {provider}=URL"
            raise BadRequest(Failure(FailureKind.UNKNOWN_PATH, message))
        body = await port.body(self._server.max_body_bytes)
        request = RecordedRequest(
            method=port.method,
            path=port.path,
            query=port.query,
            headers=port.headers(),
            body=Payload.of(body),
        )
        answer = await self._services.passed_on(provider, request, port)
        deferred, headers = answer.uncounted(), answer.headers
        plan = Plan(
            *(answer.status, NO_FRAMES, NEVER, False, 0.0, 0.0, 0),
            length=answer.length,
            deferred=deferred,
        )
        stream = opened(port, plan, headers)
        playback = StreamPlayback(
            self._scheduler, plan, start, stream, _uncounted, _unamended, port.unread
        )
        deferred.begin(playback)


def _uncounted(whole: bool, first: float, end: float, lateness: float, sent: int) -> None:
    """What is passed on is recorded, and counted there."""


def _unamended(usage: Usage | None, failure: Failure | None) -> None:
    """The same for what is known at its end."""
