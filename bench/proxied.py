"""Calls that are passed on, beside the service that answers them: added time and CPU."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from bench.client import Load, LoadResult, run_client
from bench.report import Cell, Column
from bench.server import Server, free_port, llmsim, running, write_config
from bench.wire import BODIES, WIRES
from bench.wrk import run_wrk

STAMPED = b"\r\nx-request-id: " + b"@" * 16 + b"\r\n"
"""The end of a line, and a header in which the client writes when the request left."""

TTFT_MS, GAP_MS, PAUSE = 200.0, 20.0, 0.0005
COLUMNS = (
    Column("server", "asked"),
    Column("streams", "streams"),
    Column("late_p50_ms", "late p50 ms", 2),
    Column("late_p99_ms", "late p99 ms", 2),
    Column("way_ms", "request's way ms", 2),
    Column("added_p50_ms", "added p50 ms", 2),
    Column("added_p99_ms", "added p99 ms", 2),
    Column("frame_cpu_us", "µs CPU a frame", 1),
    Column("request_cpu_us", "µs CPU a request"),
    Column("errors", "errors"),
)
NOTES = (
    "The service is llmsim itself with one worker. Lateness is by when a token was in the client's "
    "socket, less when it was due by when the request left; *the request's way* is the median time "
    "until it was with the service, which delays all frames of an answer alike. *Added* is what a "
    "frame's lateness, less the request's way, is above that of the service asked directly. CPU is "
    "that of the processes that were asked, without the service's. Requests are plain ones, from "
    "16 connections. Where it says recorded, every exchange is anonymised as by default and "
    "written.",
)

DIRECT, PROXY, KEPT, RECORD = "the service", "on_miss: proxy", "the same, recorded", "llmsim record"


@dataclass(frozen=True, slots=True)
class Proxied:
    """What to measure: ``streams`` at once for ``seconds``, and then plain requests."""

    columns: ClassVar[Sequence[Column]] = COLUMNS
    notes: ClassVar[Sequence[str]] = NOTES
    control: ClassVar[bool] = False

    dialect: str
    streams: int
    seconds: float

    def run(self) -> list[dict[str, Cell]]:
        with TemporaryDirectory(prefix="llmsim-bench-") as path, ExitStack() as stack:
            folder, load = Path(path), self.load()
            service = stack.enter_context(self._service(folder, load, TTFT_MS, GAP_MS))
            quick = stack.enter_context(self._service(folder, load, 0.0, 0.0))
            rows: list[dict[str, Cell]] = []
            for name in (DIRECT, PROXY, KEPT, RECORD):
                with self._asked(name, folder, service) as paced:
                    found = self._paced(name, paced, load, service)
                with self._asked(name, folder, quick) as plain:
                    found["request_cpu_us"] = self._plain(plain)
                rows.append(found)
            return [rows[0], *(row | added(row, rows[0]) for row in rows[1:])]

    def load(self) -> Load:
        """Streams that stay open from the last arrival to the end of the window."""
        wire, ramp, settle, gap = WIRES[self.dialect], 2.0, 1.0, GAP_MS / 1e3
        tokens = ceil((ramp + settle + self.seconds) / gap) + 30
        return Load(
            *(self.streams, wire.lead, tokens, wire.tail, ramp, settle, self.seconds),
            pause=PAUSE,
            ttft=TTFT_MS / 1e3,
            gap=gap,
        )

    def _service(self, folder: Path, load: Load, ttft: float, gap: float) -> Any:
        port = free_port()
        latency = {"profile": "instant", "ttft_ms": ttft, "itl_ms": gap}
        settings = {"latency": latency, "response": {"target_tokens": load.tokens}}
        file = write_config(folder, f"service-{gap:g}", settings)
        return running(llmsim(port, 1, file), port, folder)

    @contextmanager
    def _asked(self, name: str, folder: Path, service: Server) -> Iterator[Server]:
        """The server that clients ask."""
        if name == DIRECT:
            yield service
            return
        port, url = free_port(), f"http://127.0.0.1:{service.port}"
        kept = str(folder / f"recordings-{port}")
        if name == RECORD:
            command = [sys.executable, "-m", "llmsim", "record", "--port", str(port)]
            command += ["--upstream", f"openai={url}", "--allow", "127.0.0.1", "--out", kept]
        else:
            settings: dict[str, Any] = {
                "proxy": {"upstreams": {"openai": url}, "allow": ["127.0.0.1"]},
                "on_miss": "proxy",
            }
            if name == KEPT:
                settings["record"] = {"path": kept}
            command = llmsim(port, 1, write_config(folder, f"proxy-{port}", settings))
        with running(command, port, folder) as server:
            yield server

    def _paced(self, name: str, server: Server, load: Load, service: Server) -> dict[str, Cell]:
        used: dict[str, float] = {}

        def on_mark(mark: str) -> None:
            used[mark] = server.cpu()

        request = self._request(load.tokens, stream=True).replace(b"\r\n", STAMPED, 1)
        seen: LoadResult = run_client(server.port, request, load, on_mark)
        assert seen.late_ms is not None
        return {
            "server": name,
            "streams": seen.open_at_close,
            "late_p50_ms": seen.late_ms.p50,
            "late_p99_ms": seen.late_ms.p99,
            "way_ms": way_ms(service, seen.open_at_close),
            "added_p50_ms": None,
            "added_p99_ms": None,
            "frame_cpu_us": 1e6 * (used["close"] - used["open"]) / seen.window_events,
            "errors": seen.errors,
        }

    def _plain(self, server: Server) -> float:
        request = self._request(20, stream=False)
        run_wrk(server.port, request, 1, 16, 1)
        before = server.cpu()
        tally = run_wrk(server.port, request, self.seconds, 16, 1)
        return 1e6 * (server.cpu() - before) / tally.requests

    def _request(self, tokens: int, stream: bool) -> bytes:
        return WIRES[self.dialect].request(BODIES["small"](), tokens, stream=stream)


def way_ms(service: Server, streams: int) -> float:
    """The median time that the latest requests took until they were with the service."""
    since = time.time() - time.monotonic()
    entries = service.get(f"/llmsim/requests?limit={streams}")["requests"]
    ways: list[float] = [one["arrived"] - since - int(one["x_request_id"]) / 1e9 for one in entries]
    return 1e3 * median(ways)


def added(row: dict[str, Cell], direct: dict[str, Cell]) -> dict[str, Cell]:
    """What a frame's way back takes more than it does from the service asked directly, in ms."""

    def back(one: dict[str, Cell], percentile: str) -> float:
        return float(str(one[f"late_{percentile}_ms"])) - float(str(one["way_ms"]))

    return {f"added_{one}_ms": back(row, one) - back(direct, one) for one in ("p50", "p99")}
