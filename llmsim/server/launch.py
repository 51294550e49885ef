"""Starting the server: shared memory, workers, and what happens when they end."""

from __future__ import annotations

import logging
import math
import resource
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels
from granian.server import Server

from llmsim.config import Config
from llmsim.core.errors import ConfigError
from llmsim.engine.text import pool
from llmsim.engine.tokens import ranks
from llmsim.runtime.editor import Reload, Reread
from llmsim.runtime.store import ConfigStore
from llmsim.server.worker import SHUTDOWN_SIGNALS, WorkerApp
from llmsim.state.shared_state import new_segment
from llmsim.state.sqlite import new_store
from llmsim.telemetry import logs

BACKLOG = 4096

log = logging.getLogger("llmsim")


class Supervisor(Server):  # type: ignore[misc, valid-type]
    """Granian's process manager, which brings back every worker that dies.

    Granian's own ends the whole server when a worker dies twice within 5.5 s. A server under
    test is killed on purpose: only workers that die as fast as they start are a reason to give
    up.
    """

    FASTEST = 0.5  # seconds a worker must have lived to be brought back without a pause
    TRIES = 10

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:
        worker = super()._spawn_worker(idx, target, callback_loader)
        worker.start = partial(_start, worker.start)
        return worker

    def _stop_workers(self) -> None:
        super()._stop_workers()
        if self.interrupt_signal:
            # Who signals the whole group ends a worker before its parent does: no failure.
            self.interrupt_children.clear()

    def _reload(self, spawn_target: Any, target_loader: Any) -> None:
        """Granian's own replaces every worker."""
        self.reload_signal = False
        self._call_hooks(self.hooks_reload)

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        failures = 0
        while True:
            self.main_loop_interrupt.wait()
            self.main_loop_interrupt.clear()
            if self.interrupt_signal:
                return
            if self.reload_signal:
                self._reload(spawn_target, target_loader)
            while self.interrupt_children:
                index = self.interrupt_children.pop(0)
                early = time.monotonic() - self.wrks[index].birth < self.FASTEST
                failures = failures + 1 if early else 0
                if failures > self.TRIES:
                    log.error("workers die as soon as they start: giving up")
                    self.interrupt_children.append(index)
                    return
                if early:
                    time.sleep(self.FASTEST)
                self._respawn_workers([index], spawn_target, target_loader)


def _start(start: Callable[[], None]) -> None:
    """Start a worker that does not hear what would end it until its loop runs."""
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, SHUTDOWN_SIGNALS)
    try:
        start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)


def serve(config: Config, reread: Reread) -> None:
    """Serve until SIGINT or SIGTERM, then let open streams end and return.

    ``reread`` gives the configuration as it would be if the server were started now.
    Raises OSError when the address cannot be bound.
    """
    server = config.server
    _probe(server.host, server.port)
    _raise_file_limit()
    ranks.encoding("o200k_base")
    pool("lorem")
    segment = new_segment(config)
    with new_store() as store:
        config_store = ConfigStore(config, segment, str(Path(store).parent))
        supervisor = Supervisor(
            "llmsim",
            address=server.host,
            port=server.port,
            workers=server.workers,
            interface=Interfaces.RSGI,
            loop=Loops.uvloop,
            runtime_mode=RuntimeModes.st,
            http=HTTPModes.auto,
            http1_settings=HTTP1Settings(max_buffer_size=server.max_header_bytes),
            http2_settings=HTTP2Settings(max_headers_size=server.max_header_bytes),
            backlog=BACKLOG,
            backpressure=server.max_connections,
            log_access=False,
            log_level=LogLevels(server.log_level),
            log_dictconfig=logs.configuration(config.logging.format, server.log_level),
            respawn_failed_workers=True,
            workers_kill_timeout=math.ceil(server.drain_timeout) or 1,
        )
        supervisor.on_reload(lambda: _reload(config_store, reread))
        supervisor.serve(
            target_loader=partial(WorkerApp, config, segment.path, store, reread), wrap_loader=False
        )


def _reload(config_store: ConfigStore, reread: Reread) -> None:
    """Take what can change from the file again; one with faults changes nothing."""
    reload = Reload(reread)
    try:
        config_store.change(reload)
    except ConfigError as error:
        for fault in error.faults:
            log.error("%s", fault)
        log.error("not reloaded: the configuration in effect stays")
    except Exception:  # the server goes on whatever it was
        log.exception("not reloaded: the configuration in effect stays")
    else:
        log.info("reloaded")
        for name in reload.needs_restart:
            log.warning("%s has changed: takes effect when the server is started anew", name)


def _probe(host: str, port: int) -> None:
    """Fail early and clearly: workers share the port, so each would fail on its own."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _raise_file_limit() -> None:
    """A connection is a file: take as many as the machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        log.warning("the limit of open files could not be raised to %d", hard)
