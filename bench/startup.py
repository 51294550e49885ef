"""How soon the server answers after it is started, and what it weighs when idle."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import ClassVar

from bench import accounting
from bench.accounting import Memory
from bench.report import Cell, Column
from bench.server import Server, bare, free_port, llmsim, running, write_config
from bench.shape import PLAIN

SETTLE = 1.0
"""Seconds after the first 200 until the server counts as idle."""

MIB = 2**20

COLUMNS = (
    Column("server", "server"),
    Column("workers", "workers"),
    Column("ready_s", "first 200 after s (median)", 2),
    Column("ready_min_s", "min", 2),
    Column("ready_max_s", "max", 2),
    Column("worker_pss_mib", "PSS MiB a worker", 1),
    Column("worker_rss_mib", "RSS MiB a worker", 1),
    Column("total_pss_mib", "PSS MiB in all", 1),
    Column("idle_cpu_ms", "idle CPU ms/s", 1),
)

NOTES = (
    "From starting the process to the first 200 of GET /health, asked for every 2 ms; the files "
    "are in the page cache. Memory and CPU are read when the server has been idle for a second. "
    "RSS counts pages that workers share in each of them, PSS splits them; *in all* includes the "
    "master.",
)


@dataclass(frozen=True, slots=True)
class Startup:
    """What to measure: ``runs`` starts with ``workers`` workers. ``control``: only the bare
    application."""

    columns: ClassVar[Sequence[Column]] = COLUMNS
    notes: ClassVar[Sequence[str]] = NOTES

    workers: int
    runs: int
    control: bool = False

    def run(self) -> list[dict[str, Cell]]:
        with TemporaryDirectory(prefix="llmsim-bench-") as name:
            folder = Path(name)
            config = write_config(folder, "startup", {"latency": {"profile": "instant"}})
            commands: dict[str, Callable[[int], list[str]]] = {
                "bare": lambda port: bare(port, self.workers, "plain", folder, PLAIN)
            }
            if not self.control:
                commands["llmsim"] = lambda port: llmsim(port, self.workers, config)
            return [
                {"server": server, "workers": self.workers, **self._measure(command, folder)}
                for server, command in commands.items()
            ]

    def _measure(self, command: Callable[[int], list[str]], folder: Path) -> dict[str, Cell]:
        idles = []
        for _ in range(self.runs):
            port = free_port()
            with running(command(port), port, folder) as server:
                idles.append(idle(server))
        return {
            "ready_s": median(each.ready for each in idles),
            "ready_min_s": min(each.ready for each in idles),
            "ready_max_s": max(each.ready for each in idles),
            "worker_pss_mib": median(each.worker.pss for each in idles) / MIB,
            "worker_rss_mib": median(each.worker.rss for each in idles) / MIB,
            "total_pss_mib": median(each.total.pss for each in idles) / MIB,
            "idle_cpu_ms": 1e3 * median(each.cpu for each in idles),
        }


@dataclass(frozen=True, slots=True)
class Idle:
    """An idle server: seconds to its first 200, memory of the heaviest worker and of all its
    processes, CPU seconds per second."""

    ready: float
    worker: Memory
    total: Memory
    cpu: float


def idle(server: Server) -> Idle:
    time.sleep(SETTLE)
    before, began = server.cpu(), time.perf_counter()
    time.sleep(SETTLE)
    cpu = (server.cpu() - before) / (time.perf_counter() - began)
    workers = [accounting.memory((pid,)) for pid in server.workers()]
    return Idle(server.ready, max(workers, key=lambda each: each.pss), server.memory(), cpu)
