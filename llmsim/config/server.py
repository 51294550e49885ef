"""The ``server`` section: where to listen, with how many processes, and what bounds them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias, get_args

from llmsim.config.kinds import Address, Millis, OneOf, Whole

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Server:
    """Connections, open streams and the journal are bounded for each worker on its own.

    ``drain_timeout`` is how many seconds open streams may take to end after SIGTERM,
    ``stall_timeout`` for how many a client may read nothing of what waits for it; 0 is for ever.
    ``journal_mb`` is how many MiB of the latest requests and answers a worker remembers.
    """

    host: Annotated[str, Address()] = "0.0.0.0"
    port: Annotated[int, Whole(1, 65_535)] = 8080
    workers: Annotated[int, Whole(1, 512)] = field(default_factory=processors)
    log_level: Annotated[LogLevel, OneOf(get_args(LogLevel))] = "info"
    max_body_bytes: Annotated[int, Whole(1024, 2**30)] = 32 * 2**20
    max_connections: Annotated[int, Whole(1, 1_000_000)] = 16_384
    max_open_streams: Annotated[int, Whole(1, 1_000_000)] = 20_000
    drain_timeout: Annotated[float, Millis(3_600_000)] = 30.0
    stall_timeout: Annotated[float, Millis(3_600_000)] = 60.0
    max_header_bytes: Annotated[int, Whole(8192, 16 * 2**20)] = 8192 + 4096 * 100
    journal_mb: Annotated[int, Whole(1, 4096)] = 16
