"""One worker process: builds the application, dispatches requests, and shuts down in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.applications import Starlette

from llmsim.config import Config
from llmsim.core import Headers
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.scopes import SCOPE_PATH, split_path
from llmsim.proxy.serving import passing_on
from llmsim.runtime.editor import Reread
from llmsim.runtime.holder import ConfigHolder
from llmsim.runtime.scopes import Scopes
from llmsim.runtime.store import ConfigStore
from llmsim.runtime.warm_up import warm_up
from llmsim.server import routes, shutdown
from llmsim.server.access_log import AccessLog
from llmsim.server.admin.limits import describe_limits
from llmsim.server.api_key_auth import ApiKeyAuth
from llmsim.server.application import build
from llmsim.server.entry.answer_compression import CompressedPort
from llmsim.server.entry.content_encoding import request_body
from llmsim.server.entry.cors import Cors
from llmsim.server.handler import BROKEN, LEAVING, RequestHandler
from llmsim.server.pipeline_state import pipeline_state
from llmsim.server.refusals import refusal
from llmsim.server.router import Router, WebSocketHandler
from llmsim.server.services import Services
from llmsim.server.worker_metrics import WorkerMetrics
from llmsim.state import garbage, launch_folder, launcher
from llmsim.state.scopes import ScopeStore
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.layout import DELIVERY_LATENESS, OUTPUT_LAG, WARM
from llmsim.state.shm.segment import Segment
from llmsim.state.sqlite import Store
from llmsim.telemetry.otlp.configured import request_spans
from llmsim.telemetry.recent import EVERY, LastMinute
from llmsim.telemetry.snapshot import Snapshot
from llmsim.transport import descriptor_table
from llmsim.transport.arrival import ArrivalClock, kernel_times
from llmsim.transport.body_deadline import BodyDeadline
from llmsim.transport.bounds import Bounds
from llmsim.transport.bridge import bridge
from llmsim.transport.capacity import capacity, open_file_limit
from llmsim.transport.output_lag import OutputLag
from llmsim.transport.port import Gone
from llmsim.transport.rsgi import RSGIPort, stamp_hand_over
from llmsim.transport.scheduler import Scheduler, now_us
from llmsim.transport.slow_clients import ClientLimits, SlowClients
from llmsim.transport.websocket import CLOSED, Socket

LAUNCHER_DIED = signal.SIGUSR2

# They end a worker. Granian would lose one that comes before its loop runs, so a worker starts with
# both blocked.
SHUTDOWN_SIGNALS = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger("llmsim")


class WorkerApp:
    """The RSGI application of one process.

    ``segment`` and ``store`` are the paths of the shared memory and of the database, ``folder``
    that of the server's own files."""

    def __init__(
        self, config: Config, segment: str, folder: str, store: str, reread: Reread
    ) -> None:
        shutdown.listen_once()
        descriptor_table.grow(config.server.max_connections)
        stamp_hand_over()
        self._config = config
        self._reread = reread
        self._folder = folder
        self._orphaned = False
        self._held = launch_folder.hold(folder)
        self._shared = SharedState(Segment.attach(segment))
        config_store = ConfigStore(config, self._shared.segment, folder)
        self._services = passing_on(config, self._shared.counters)
        state = pipeline_state(self._shared, self._services)
        store_of_scopes = ScopeStore(self._shared.segment, folder, config.scopes.max)
        self._scopes = Scopes(store_of_scopes, state, lambda: self._holder.runtime)
        self._holder = ConfigHolder(self._shared, config_store, replace(state, scopes=self._scopes))
        self._shared.limits = lambda first, most: describe_limits(
            self._holder.runtime.config, self._shared, first, most
        )
        self._api_key_auth = ApiKeyAuth(self._shared.counters)
        self._cors = Cors(config.control.cors)
        self._port = CompressedPort if config.server.compress else RSGIPort
        self._store = Store(store, durable=config.store.path is not None)
        self._router = Router()
        self._starlette = Starlette()
        server = config.server
        self._bounds = Bounds(self._shared.counters)
        self._tls = server.tls is not None
        limits = ClientLimits(
            server.stall_timeout,
            server.max_unsent_bytes,
            server.header_timeout,
            server.port,
            self._tls,
        )
        self._slow_clients = SlowClients(limits, self._bounds)
        self._body_deadline = BodyDeadline(server.body_timeout, self._bounds)
        self._kernel_times = kernel_times()
        self._arrivals = ArrivalClock(self._kernel_times)
        self._max_websockets = capacity(
            server.max_connections, open_file_limit(), server.workers
        ).websockets
        self._websockets = 0
        self._metrics: WorkerMetrics | None = None
        self._access_log: AccessLog | None = None
        otlp = config.telemetry.otlp
        self._spans = request_spans(otlp, self._shared.journal, self._shared.counters)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        shared = self._shared
        scheduler = Scheduler(loop, shared.counters)
        if self._config.logging.access.which != "off":
            self._access_log = AccessLog(self._config.logging, shared.counters)
            self._access_log.start()
        if self._spans is not None:
            self._spans.start()
        output_lag = OutputLag(
            loop,
            self._kernel_times,
            partial(shared.counters.lag, OUTPUT_LAG),
            partial(shared.counters.lag, DELIVERY_LATENESS),
            lambda: scheduler.open,
            now_us,
        )
        handler = RequestHandler(
            self._config,
            self._holder,
            scheduler,
            shared,
            self._access_log,
            # What of a compressed answer was written cannot be told by its frames.
            None if self._config.server.compress else output_lag,
        )
        services = Services(
            self._config,
            shared,
            self._holder,
            scheduler,
            handler,
            self._store,
            self._reread,
            self._scopes,
            partial(_ask_launcher, os.getppid()) if self._tls else None,
        )
        router = routes.all_paths(services)
        self.serve(router, build(router))
        for callback in self._router.on_shutdown:
            shutdown.on_signals(loop, SHUTDOWN_SIGNALS, callback)
        self._metrics = WorkerMetrics(loop, shared.counters)
        self._sample(loop, services.last_minute)
        self._holder.follow(loop)
        self._slow_clients.watch()
        self._body_deadline.watch(loop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it asks the launcher for a reload
        loop.call_soon(self._die_with_launcher, loop)  # it loses signals before it runs
        garbage.set_aside()
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()
        loop.call_soon(signal.pthread_sigmask, signal.SIG_UNBLOCK, SHUTDOWN_SIGNALS)

    def _sample(self, loop: asyncio.AbstractEventLoop, last_minute: LastMinute) -> None:
        """Remember what the counters are, now and again."""
        last_minute.sample(Snapshot(self._shared.all_counters), time.monotonic())
        loop.call_later(EVERY, self._sample, loop, last_minute)

    def _warm_up(self) -> None:
        try:
            warm_up(self._config, self._holder.runtime.registry)
        except Exception:
            log.exception("could not build what the first requests need: never ready")
            return
        gc.freeze()
        self._shared.counters.cells[WARM] = 1

    def serve(self, router: Router, starlette: Starlette) -> None:
        """Dispatch to these paths; ``starlette`` answers all that are not hot."""
        self._router = router
        self._starlette = starlette

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._metrics is not None:
            self._metrics.stop()
        self._holder.stop()
        if self._access_log is not None:
            self._access_log.stop()
        if self._spans is not None:
            self._spans.stop()
        if self._services is not None:
            self._services.close()
        self._shared.resign()
        self._store.close()
        self._leave_folder()

    def _die_with_launcher(self, loop: asyncio.AbstractEventLoop) -> None:
        """End when the launcher dies: this worker would keep the port for ever."""
        if sys.platform != "linux":
            return
        loop.add_signal_handler(LAUNCHER_DIED, self._launcher_died)
        launcher.signal_its_death(LAUNCHER_DIED)
        if os.getppid() != self._shared.segment.header[4]:
            self._launcher_died()

    def _leave_folder(self) -> None:
        # A launcher that was killed lets go of its files after it has signalled its workers.
        patience = 1.0 if self._orphaned else 0.0
        launch_folder.leave(self._folder, self._held, patience)

    def _launcher_died(self) -> None:
        """Stop as when told to, and do what the launcher would have done after the drain timeout.

        Comes more than once from a launcher with threads.
        """
        if self._orphaned:
            return
        self._orphaned = True
        os.kill(os.getpid(), signal.SIGTERM)

        def end() -> None:
            log.warning("open streams are cut: the launcher has gone, and time is up")
            self._leave_folder()
            os._exit(1)

        timer = threading.Timer(self._config.server.drain_timeout, end)
        timer.daemon = True
        timer.start()

    def __rsgi__(self, scope: Any, protocol: Any, handed: int | None = None) -> Awaitable[None]:
        if self._tls:
            self._slow_clients.heard(scope.client)
        if scope.proto != "http":
            return self._websocket(scope, protocol)
        port = self._port(
            scope,
            protocol,
            now_us() if handed is None else handed,
            self._arrivals,
            self._slow_clients,
            self._body_deadline,
        )
        origin = port.header("origin")
        if origin is not None:
            preflight = self._cors.preflight(port.method, port.path, port.header)
            if preflight is not None:
                return _respond(port, (204, preflight, b""))
            port.also = self._cors.headers(port.path, origin)
        handler = self._router.handler(port.method, port.path)
        if handler is None and port.path.startswith(SCOPE_PATH):
            scope, path = self._within(port.path)
            if scope:
                port.enter(scope, path)
                handler = self._router.handler(port.method, path)
        keys = self._holder.runtime.api_keys
        if keys:
            response = self._api_key_auth.refusal(keys, port.path, port.query, port.header)
            if response is not None:
                return _respond(port, response)
        return handler(port) if handler is not None else self._other(port)

    def _within(self, path: str) -> tuple[str, str]:
        """The scope that a path names, and the path in it; no scope where requests may say nothing
        about themselves."""
        return split_path(path) if self._holder.runtime.config.control.headers else ("", path)

    async def _websocket(self, scope: Any, protocol: Any) -> None:
        within, path = self._within(scope.path)
        handler = self._router.websockets.get(path)
        if handler is None:
            protocol.close(404)
            return
        keys = self._holder.runtime.api_keys
        if keys:
            response = self._api_key_auth.refusal(keys, path, scope.query_string, scope.headers.get)
            if response is not None:
                protocol.close(response[0])
                return
        if self._websockets >= self._max_websockets:
            self._bounds.reached("max_connections", "a WebSocket is refused")
            protocol.close(503)
            return
        self._websockets += 1
        try:
            with suppress(*CLOSED):  # who leaves during the handshake has asked for nothing
                await self._talk(scope, await protocol.accept(), handler, within, path)
        finally:
            self._websockets -= 1
            protocol.close()

    async def _talk(
        self, scope: Any, transport: Any, handler: WebSocketHandler, within: str, path: str
    ) -> None:
        server, client = self._config.server, scope.client
        socket = Socket(
            scope,
            transport,
            server.max_body_bytes,
            server.max_unsent_bytes,
            partial(self._slow_clients.behind, client),
        )
        if within:
            socket.enter(within, path)
        try:
            await handler(socket)
        finally:
            socket.release()

    async def _other(self, port: RSGIPort) -> None:
        limit = self._config.server.max_body_bytes
        try:
            body = await request_body(port, limit)
        except BadRequest as bad:
            port.respond(*refusal(bad.failure, port.path, port.query, port.header))
            return
        except Gone:
            return
        try:
            await bridge(self._starlette, port, body)
        except LEAVING:
            raise
        except BaseException:  # a panic of a compiled library is no Exception
            log.exception("could not answer %s %s", port.method, port.path)
            failure = Failure(FailureKind.SERVER_ERROR, BROKEN)
            port.respond(*refusal(failure, port.path, port.query, port.header))


async def _respond(port: RSGIPort, response: tuple[int, Headers, bytes]) -> None:
    port.respond(*response)


def _ask_launcher(launcher: int) -> None:
    """Have the launcher, which starts the workers, look at the certificates: as at SIGHUP."""
    if os.getppid() == launcher:
        os.kill(launcher, signal.SIGHUP)
