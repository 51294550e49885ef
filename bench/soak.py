"""Mixed load for a long time: what must not grow, and what must come back to nothing."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from bench import accounting
from bench.crowd import Crowd
from bench.report import Cell, Column
from bench.server import Server, free_port, llmsim, running, write_config

SETTLE = 8.0
"""Seconds after the crowd has left until nothing of it may be left: longer than the stall bound."""

MIB = 2**20

COLUMNS = (
    Column("minute", "minute", 1),
    Column("requests", "requests"),
    Column("active", "active"),
    Column("open_streams", "open streams"),
    Column("pss_mib", "PSS MiB", 1),
    Column("shared_mib", "shared memory MiB", 1),
    Column("descriptors", "descriptors"),
    Column("slots", "slots"),
    Column("lag_ms", "lag ms", 1),
    Column("outcomes", "what the clients saw"),
)

NOTES = (
    "Clients of every dialect read whole answers, leave in mid-stream or before the first byte, "
    "stall without reading, send garbage and half bodies, and talk over WebSockets, while the "
    "server injects errors and faults, limits requests and tokens, and answers from mocks. Shared "
    "memory is a part of PSS. Descriptors are those of all the server's processes. The last row is "
    "taken when all clients have gone: active requests and open streams must be 0 then, and "
    "descriptors as before the first client.",
)

CONFIG: dict[str, Any] = {
    "server": {"stall_timeout_ms": 3000, "journal_mb": 4},
    "latency": {"ttft_mean_ms": 20, "ttft_stddev_ms": 5, "tbt_mean_ms": 2, "tbt_stddev_ms": 1},
    "errors": {
        "rate_limit_rate": 0.02,
        "server_error_rate": 0.02,
        "overloaded_rate": 0.01,
        "timeout_rate": 0.005,
        "timeout_after_ms": 500,
        "faults": {
            "cut": {"rate": 0.02},
            "stall": {"rate": 0.01, "lasts_ms": 500},
            "trickle": {"rate": 0.01, "factor": 5},
            "malformed": {"rate": 0.01},
            "reset": {"rate": 0.02},
            "unterminated": {"rate": 0.01},
            "error_event": {"rate": 0.02},
        },
    },
    "rate_limits": [
        {"model": "claude-*", "requests_per_minute": 1200, "tokens_per_minute": 2_000_000},
        {"model": "*", "concurrent_requests": 200},
    ],
    "mocks": [
        {"match": {"content_contains": "gateway"}, "response": {"content": "Mocked: a gateway."}},
        {"match": {"content_contains": "limits"}, "response": {"content": "Mocked: limits. " * 20}},
    ],
}


@dataclass(frozen=True, slots=True)
class Soak:
    """``clients`` at once for so many ``minutes`` on ``workers`` workers."""

    columns: ClassVar[Sequence[Column]] = COLUMNS
    notes: ClassVar[Sequence[str]] = NOTES
    control: ClassVar[bool] = False

    minutes: float
    workers: int
    clients: int

    def run(self) -> list[dict[str, Cell]]:
        with TemporaryDirectory(prefix="llmsim-bench-") as name:
            folder = Path(name)
            port = free_port()
            command = llmsim(port, self.workers, write_config(folder, "soak", CONFIG))
            with running(command, port, folder) as server:
                return asyncio.run(self._rows(server))

    async def _rows(self, server: Server) -> list[dict[str, Cell]]:
        crowd = Crowd(server.port, self.clients)
        began = time.monotonic()
        rows = [await asyncio.to_thread(_row, server, 0.0, crowd)]
        crowd.come()
        while (gone := time.monotonic() - began) < self.minutes * 60:
            await asyncio.sleep(min(60.0, self.minutes * 60 - gone))
            minute = (time.monotonic() - began) / 60
            rows.append(await asyncio.to_thread(_row, server, minute, crowd))
        await crowd.leave()
        await asyncio.sleep(SETTLE)
        minute = (time.monotonic() - began) / 60
        rows.append(await asyncio.to_thread(_row, server, minute, crowd))
        return rows


def _row(server: Server, minute: float, crowd: Crowd) -> dict[str, Cell]:
    stats = server.get("/llmsim/stats")
    pids = accounting.tree(server.pid)
    memory = accounting.memory(pids)
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(crowd.outcomes.items()))
    crowd.outcomes.clear()
    return {
        "minute": minute,
        "requests": stats["requests"]["total"],
        "active": stats["requests"]["active"],
        "open_streams": stats["requests"]["active_streaming"],
        "pss_mib": memory.pss / MIB,
        "shared_mib": memory.shared / MIB,
        "descriptors": sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids),
        "slots": len(stats["workers"]),
        "lag_ms": max(one["lag_ms"] or 0.0 for one in stats["workers"]),
        "outcomes": outcomes,
    }
