"""Starting the proxy that records everything."""

from __future__ import annotations

from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.log import LogLevels
from granian.server import Server as GranianServer

from llmsim.config import Config, Server
from llmsim.config.settings import ProxySettings, RecordSettings
from llmsim.proxy import recorder
from llmsim.proxy.services import UpstreamServices
from llmsim.proxy.worker import ProxyApp
from llmsim.state.shared_state import new_segment
from llmsim.telemetry import logs
from llmsim.transport.capacity import probe

CONNECTIONS = 16_384
BACKLOG = 4096
MAX_BODY = 64 * 2**20
MAX_UNSENT = 8 * 2**20
"""Bytes for one client of which half may wait before no more is read for it."""

PATIENCE = 30
"""Seconds that open answers have to end once the proxy is told to stop."""


def proxy(settings: ProxySettings, record: RecordSettings, host: str, port: int, n: int) -> None:
    """Proxy with ``n`` processes until SIGINT or SIGTERM, then let open answers end and return.

    Raises OSError when the address cannot be bound or the folder not be written to, UpstreamError
    for an upstream that may not be called.
    """
    server = Server(
        host=host,
        port=port,
        workers=n,
        journal_mb=1,
        max_body_bytes=MAX_BODY,
        max_unsent_bytes=MAX_UNSENT,
    )
    UpstreamServices(settings, None, MAX_UNSENT).check()
    recorder.prepare(record)
    probe(host, port)
    segment = new_segment(Config(server=server))
    supervisor = GranianServer(
        "llmsim",
        address=host,
        port=port,
        workers=n,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.auto,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=logs.configuration("console", "warning"),
        workers_kill_timeout=PATIENCE,
        respawn_failed_workers=True,
    )
    supervisor.serve(
        target_loader=partial(_application, server, settings, record, segment.path),
        wrap_loader=False,
    )


def _application(
    server: Server, settings: ProxySettings, record: RecordSettings, segment: str
) -> Any:
    return ProxyApp(server, settings, record, segment)
