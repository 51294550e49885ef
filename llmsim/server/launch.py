"""Starting the server: shared memory, workers, and what happens when they end."""

from __future__ import annotations

import logging
import math
import resource
import socket
from functools import partial
from pathlib import Path

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels

from llmsim.config import Config
from llmsim.core.errors import ConfigError
from llmsim.engine.text import pool
from llmsim.engine.tokens import ranks
from llmsim.runtime.editor import Reload, Reread
from llmsim.runtime.store import ConfigStore
from llmsim.server.admin.auth import open_door
from llmsim.server.granian_overrides import Supervisor
from llmsim.server.watchdog import HangingWorkers, Watchdog
from llmsim.server.worker import WorkerApp
from llmsim.state.shared_state import key_tables, new_segment
from llmsim.state.sqlite import FILE, new_folder, prepare
from llmsim.telemetry import logs
from llmsim.telemetry.forgotten_keys import ForgottenKeys
from llmsim.transport.capacity import capacity, open_file_limit

BACKLOG = 4096

log = logging.getLogger("llmsim")


def serve(config: Config, reread: Reread) -> None:
    """Serve until SIGINT or SIGTERM, then let open streams end and return.

    ``reread`` gives the configuration as it would be if the server were started now.
    Raises OSError when the address cannot be bound, StoreError when there is no use of the
    database.
    """
    server = config.server
    _probe(server.host, server.port)
    header_timeout = round(server.header_timeout * 1000)
    _raise_file_limit()
    room = capacity(server.max_connections, open_file_limit())
    ranks.encoding("o200k_base")
    pool("lorem")
    segment = new_segment(config)
    with new_folder() as folder:
        store = config.store.path or str(Path(folder, FILE))
        prepare(store)
        config_store = ConfigStore(config, segment, folder)
        supervisor = Supervisor(
            "llmsim",
            address=server.host,
            port=server.port,
            workers=server.workers,
            interface=Interfaces.RSGI,
            loop=Loops.uvloop,
            runtime_mode=RuntimeModes.st,
            http=HTTPModes.auto,
            http1_settings=HTTP1Settings(
                header_read_timeout=header_timeout, max_buffer_size=server.max_header_bytes
            ),
            http2_settings=HTTP2Settings(
                keep_alive_interval=header_timeout, max_headers_size=server.max_header_bytes
            ),
            backlog=BACKLOG,
            backpressure=room.connections,
            log_access=False,
            log_level=LogLevels(server.log_level),
            log_dictconfig=logs.configuration(config.logging.format, server.log_level),
            respawn_failed_workers=True,
            workers_kill_timeout=math.ceil(server.drain_timeout) or 1,
        )
        if room.connections < server.max_connections:
            log.warning(
                "open files are limited: a worker takes %d connections and %d WebSockets, not %d",
                *room,
                server.max_connections,
            )
        door = open_door(config)
        if door is not None:
            log.warning("%s", door)
        supervisor.on_reload(lambda: _reload(config_store, reread))
        looks = [ForgottenKeys(key_tables(segment)).look]
        if server.hang_timeout:
            looks.append(HangingWorkers(segment, server.hang_timeout, supervisor.pids).look)
        Watchdog(looks).start()
        supervisor.serve(
            target_loader=partial(WorkerApp, config, segment.path, folder, store, reread),
            wrap_loader=False,
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
            log.warning("%s has changed: takes effect when the server is restarted", name)


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
