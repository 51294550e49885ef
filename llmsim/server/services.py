"""The parts of one worker that request handlers use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from llmsim.config import Config
from llmsim.core.state import ObjectStore
from llmsim.runtime.editor import Reread
from llmsim.runtime.holder import ConfigHolder
from llmsim.runtime.scopes import Scopes
from llmsim.server.handler import RequestHandler
from llmsim.state.shared_state import SharedState
from llmsim.telemetry.recent import LastMinute
from llmsim.transport.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class Services:
    """One worker's parts, built once when it starts.

    ``config`` is what the server was started with; ``holder`` has the configuration in effect.
    ``renew`` has what is in the files of ``server.tls`` put into effect; None without TLS.
    """

    config: Config
    shared: SharedState
    holder: ConfigHolder
    scheduler: Scheduler
    handler: RequestHandler
    store: ObjectStore
    reread: Reread
    scopes: Scopes | None = None
    renew: Callable[[], None] | None = None
    last_minute: LastMinute = field(default_factory=LastMinute)
