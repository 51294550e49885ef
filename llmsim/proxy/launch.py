"""Starting the proxy."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.log import LogLevels
from granian.server import Server

from llmsim.engine.tokens import ranks
from llmsim.proxy.recorder import TOKENIZER
from llmsim.proxy.upstreams import AllowedAddresses
from llmsim.proxy.worker import ProxyApp, ProxySettings
from llmsim.telemetry import logs
from llmsim.transport.capacity import probe

CONNECTIONS = 16_384
BACKLOG = 4096
PATIENCE = 30
"""Seconds that open answers have to end once the proxy is told to stop."""

log = logging.getLogger("llmsim")


def proxy(settings: ProxySettings, host: str, port: int) -> None:
    """Proxy until SIGINT or SIGTERM, then let open answers end and return.

    Raises OSError when the address cannot be bound or the folder not be written to, UpstreamError
    for an upstream that may not be called.
    """
    allowed = AllowedAddresses(settings.allow)
    for upstream in settings.upstreams.values():
        allowed.check(upstream.url)
    settings.out.mkdir(parents=True, exist_ok=True)
    if not os.access(settings.out, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied", str(settings.out))
    probe(host, port)
    ranks.encoding(TOKENIZER)
    server = Server(
        "llmsim",
        address=host,
        port=port,
        workers=1,
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
    )
    server.serve(target_loader=partial(_application, settings), wrap_loader=False)


def _application(settings: ProxySettings) -> Any:
    return ProxyApp(settings)
