"""Streams without pacing, as many as go, beside the bare application's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import ClassVar

from bench.client import Load, run_client
from bench.report import Cell, Column
from bench.server import Server, bare, free_port, llmsim, running, write_config
from bench.shape import STREAM, Shape, probe_stream
from bench.wire import BODIES, WIRES

COLUMNS = (
    Column("workers", "workers"),
    Column("server", "server"),
    Column("streams_rate", "streams/s"),
    Column("chunks_rate", "chunks/s"),
    Column("cpu_us", "µs CPU a chunk", 2),
    Column("stream_cpu_us", "µs CPU a stream"),
    Column("cpu_ratio", "llmsim's CPU to this", 2),
    Column("chunks_per_read", "chunks a read", 1),
    Column("client_cores", "client's cores", 2),
    Column("errors", "errors"),
)

NOTES = (
    "Medians over the rounds, the servers taking turns; a chunk is one server-sent event, and "
    "all three servers send frames of the same sizes behind the same headers. CPU is that of all "
    "the server's processes. Without pacing all frames of an answer are due at once, and llmsim "
    "joins what is due into one send; so there are two baselines. *Bare, one by one* sends "
    "constant frames with one send each, as a server does that passes on each token as it comes. "
    "*Bare, joined* sends the whole constant answer at once: what llmsim costs above that is the "
    "work of making and framing an answer, a stream being too short to hide it.",
)

LLMSIM, FRAMES, JOINED = "llmsim", "bare, one by one", "bare, joined"


@dataclass(frozen=True, slots=True)
class Streams:
    """What to measure. ``control`` puts the joined bare application in llmsim's place."""

    columns: ClassVar[Sequence[Column]] = COLUMNS
    notes: ClassVar[Sequence[str]] = NOTES

    dialect: str
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
        request = wire.request(BODIES["small"](), self.tokens, stream=True)
        with ExitStack() as stack:

            def start(command: list[str], port: int) -> Server:
                return stack.enter_context(running(command, port, folder))

            def start_bare(mode: str, shape: Shape) -> Server:
                port = free_port()
                return start(bare(port, workers, mode, folder, shape), port)

            if self.control:
                subject = start_bare("joined", STREAM)
            else:
                port = free_port()
                subject = start(llmsim(port, workers, self._config(folder)), port)
            shape = probe_stream(subject.port, request, wire.lead + self.tokens + wire.tail)
            servers = {
                LLMSIM: subject,
                FRAMES: start_bare("frames", shape),
                JOINED: start_bare("joined", shape),
            }
            return self._compare(servers, request, workers)

    def _config(self, folder: Path) -> Path:
        return write_config(
            folder,
            "streams",
            {
                "latency": {"profile": "instant"},
                "response": {"generator": "lorem", "target_tokens": self.tokens},
            },
        )

    def _compare(
        self, servers: dict[str, Server], request: bytes, workers: int
    ) -> list[dict[str, Cell]]:
        for server in servers.values():
            self.measure(server, request, seconds=0.5)
        rounds = [
            {name: self.measure(server, request, self.seconds) for name, server in servers.items()}
            for _ in range(self.rounds)
        ]
        rows: list[dict[str, Cell]] = []
        for name in servers:
            turns = [each[name] for each in rounds]
            ratios = [each[LLMSIM]["cpu_us"] / each[name]["cpu_us"] for each in rounds]
            rows.append(
                {
                    "workers": workers,
                    "server": name,
                    **{key: median(turn[key] for turn in turns) for key in turns[0]},
                    "cpu_ratio": None if name == LLMSIM else median(ratios),
                    "errors": sum(turn["errors"] for turn in turns),
                }
            )
        return rows

    def measure(self, server: Server, request: bytes, seconds: float) -> dict[str, float]:
        """One measurement of a server, for so long."""
        wire = WIRES[self.dialect]
        used: dict[str, float] = {}
        seen = run_client(
            server.port,
            request,
            Load(self.connections, wire.lead, self.tokens, wire.tail, settle=0.3, window=seconds),
            on_mark=lambda mark: used.update({mark: server.cpu()}),
        )
        cpu_us = (used["close"] - used["open"]) / seen.window_events * 1e6
        events = wire.lead + self.tokens + wire.tail
        return {
            "streams_rate": seen.window_events / events / seen.window_s,
            "chunks_rate": seen.window_events / seen.window_s,
            "cpu_us": cpu_us,
            "stream_cpu_us": cpu_us * events,
            "chunks_per_read": seen.window_events / seen.window_reads,
            "client_cores": seen.window_cpu_s / seen.window_s,
            "errors": seen.errors,
        }
