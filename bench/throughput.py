"""Plain answers, as many as go: llmsim with everything on beside the bare application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import ClassVar

from bench.report import Cell, Column
from bench.server import Server, bare, free_port, llmsim, running, write_config
from bench.shape import PLAIN, probe_plain
from bench.wire import BODIES, WIRES
from bench.wrk import run_wrk

COLUMNS = (
    Column("body", "request"),
    Column("workers", "workers"),
    Column("bare_rate", "bare req/s"),
    Column("rate", "llmsim req/s"),
    Column("rate_ratio", "ratio", 2),
    Column("bare_cpu_us", "bare µs CPU", 1),
    Column("cpu_us", "llmsim µs CPU", 1),
    Column("cpu_ratio", "ratio", 2),
    Column("errors", "errors"),
)

NOTES = (
    "Rates and CPU µs per request (all processes of the server, user and system) are medians "
    "over the rounds; each ratio is the median of the rounds' own ratios, bare and llmsim "
    "taking turns. The bare application reads the request and answers with the headers llmsim "
    "sends and a body of the same size. wrk runs on the same machine, so req/s says how two "
    "servers compare here and no more.",
)


@dataclass(frozen=True, slots=True)
class Throughput:
    """What to measure. ``control`` puts a bare application in llmsim's place: all is then 1.0."""

    columns: ClassVar[Sequence[Column]] = COLUMNS
    notes: ClassVar[Sequence[str]] = NOTES

    dialect: str
    bodies: Sequence[str]
    workers: Sequence[int]
    rounds: int
    seconds: float
    connections: int
    tokens: int
    control: bool = False

    def run(self) -> list[dict[str, Cell]]:
        with TemporaryDirectory(prefix="llmsim-bench-") as name:
            return [row for count in self.workers for row in self._rows(Path(name), count)]

    def _rows(self, folder: Path, workers: int) -> list[dict[str, Cell]]:
        wire = WIRES[self.dialect]
        requests = {
            body: wire.request(BODIES[body](), self.tokens, stream=False) for body in self.bodies
        }
        settings = {
            "latency": {"profile": "instant"},
            "response": {"generator": "lorem", "target_tokens": self.tokens},
        }
        port = free_port()
        command = (
            bare(port, workers, "plain", folder, PLAIN)
            if self.control
            else llmsim(port, workers, write_config(folder, "throughput", settings))
        )
        with running(command, port, folder) as subject:
            shape = probe_plain(port, next(iter(requests.values())))
            port = free_port()
            with running(bare(port, workers, "plain", folder, shape), port, folder) as baseline:
                return [
                    {"body": body, "workers": workers, **self._compare(baseline, subject, request)}
                    for body, request in requests.items()
                ]

    def _compare(self, baseline: Server, subject: Server, request: bytes) -> dict[str, Cell]:
        for server in (baseline, subject):
            run_wrk(server.port, request, 1, self.connections, threads=2)
        pairs = [
            (self._measure(baseline, request), self._measure(subject, request))
            for _ in range(self.rounds)
        ]
        return {
            "bare_rate": median(base.rate for base, _ in pairs),
            "rate": median(ours.rate for _, ours in pairs),
            "rate_ratio": median(ours.rate / base.rate for base, ours in pairs),
            "bare_cpu_us": median(base.cpu_us for base, _ in pairs),
            "cpu_us": median(ours.cpu_us for _, ours in pairs),
            "cpu_ratio": median(ours.cpu_us / base.cpu_us for base, ours in pairs),
            "p99_ms": median(ours.p99_ms for _, ours in pairs),
            "errors": sum(base.errors + ours.errors for base, ours in pairs),
        }

    def _measure(self, server: Server, request: bytes) -> _Round:
        before = server.cpu()
        counted = run_wrk(server.port, request, self.seconds, self.connections, threads=2)
        cpu_us = (server.cpu() - before) / counted.requests * 1e6
        return _Round(counted.rate, cpu_us, counted.p99_ms, counted.errors)


@dataclass(frozen=True, slots=True)
class _Round:
    """One server's turn: requests per second, CPU per request, wrk's p99, failed requests."""

    rate: float
    cpu_us: float
    p99_ms: float
    errors: int
