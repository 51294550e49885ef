"""Many paced streams at once: does every token come, and how late?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from bench import accounting
from bench.accounting import Memory
from bench.bystanders import standing_by
from bench.client import ClientError, Load, LoadResult, run_client
from bench.onlookers import looking_on
from bench.report import Cell, Column
from bench.server import Server, bare, free_port, llmsim, running, write_config
from bench.shape import STREAM, Shape
from bench.wire import BODIES, WIRES

TTFT_MS, GAP_MS = 200.0, 33.333
"""Every token of every stream has one due time that the client can work out by itself."""

QUIET_MS = 600_000
"""How long an idle connection may say nothing: longer than any run."""

PAUSE = 0.0005
"""Seconds between two rounds of reading: the client is not to take the server's processors."""

WARM_UP = 5
"""Tokens of the streams before the idle memory is read."""

COLUMNS = (
    Column("streams", "streams"),
    Column("tokens", "tokens each"),
    Column("due_rate", "chunks due/s"),
    Column("delivered", "delivered %", 2),
    Column("p50_ms", "client p50 ms", 2),
    Column("p99_ms", "p99", 2),
    Column("p999_ms", "p99.9", 2),
    Column("max_ms", "max", 1),
    Column("paced_p50_ms", "less arrival p50", 2),
    Column("paced_p99_ms", "p99", 2),
    Column("own_p50_ms", "llmsim p50 ms", 2),
    Column("own_p99_ms", "p99", 2),
    Column("own_max_ms", "max", 1),
    Column("cpu_us", "µs CPU a chunk", 1),
    Column("cores", "cores", 2),
    Column("stream_kib", "KiB a stream", 1),
    Column("client_cores", "client's cores", 2),
    Column("other_cores", "others' cores", 2),
    Column("errors", "errors"),
)

NOTES = (
    f"Streams at 30 tokens/s: TTFT {TTFT_MS:.0f} ms and gaps of {GAP_MS} ms, both without "
    "deviation, so that token k is due at *request sent + TTFT + k x gap* by the client's own "
    "clock. Arrivals are spread at random; the figures are of the window in which all streams "
    "are open, with `--ramp` from the first stream on. *Delivered*: of the tokens due in the "
    "window, those that had arrived one gap after it closed.",
    "Lateness is arrival - due. *Client*: by when the token was in our C client's socket, as the "
    "kernel stamps it. *Less arrival*: the same without the least lateness of any token of its "
    "stream, which is what the request lost on its way in, before llmsim's clock began. *llmsim*: "
    "`GET /llmsim/stats`, over the whole run, by when a frame was handed to Granian.",
    "CPU and memory are those of all the server's processes; *KiB a stream* is what their PSS "
    "grew by, divided by the streams open: it grows with the tokens a stream has and leaves out "
    "the kernel's socket buffers. The client runs on the same cores; *others' cores* is what the "
    "rest of the machine was using meanwhile: where that is not near zero, the tails are partly "
    "theirs.",
)


@dataclass(frozen=True, slots=True)
class Pacing:
    """What to measure: ``streams`` at once, for ``seconds`` after they are all open.

    With ``ramp`` so many open each millisecond, and the window opens with the first. ``tokens`` is
    the length of the answers where it is not just what the window needs. ``cold``: no stream comes
    before those that are measured.

    ``control`` puts the bare application with one ``asyncio.sleep`` a frame in llmsim's place,
    every frame sent ``late_ms`` late. ``dashboards`` pages are open meanwhile, with a Prometheus,
    and ``idle`` connections on which nothing is said, and ``stalled`` streams that nobody reads.
    ``replay`` makes settings by which the same answers are replayed: of a folder, the dialect,
    how many tokens they have, and the settings by which they are simulated.
    """

    columns: ClassVar[Sequence[Column]] = COLUMNS
    notes: ClassVar[Sequence[str]] = NOTES

    dialect: str
    streams: Sequence[int]
    workers: int
    seconds: float
    ramp: float = 0.0
    tokens: int = 0
    cold: bool = False
    control: bool = False
    late_ms: float = 0.0
    dashboards: int = 0
    idle: int = 0
    stalled: int = 0
    replay: Callable[[Path, str, int, dict[str, Any]], dict[str, Any]] | None = None

    def run(self) -> list[dict[str, Cell]]:
        with TemporaryDirectory(prefix="llmsim-bench-") as name:
            return [self._row(Path(name), count) for count in self.streams]

    def load(self, streams: int) -> Load:
        """Streams long enough to be open from the last arrival to the end of the window."""
        wire = WIRES[self.dialect]
        gap = GAP_MS / 1e3
        ramp, settle = max(2.0, streams / 1000), 1.0
        if self.ramp:
            ramp = streams / self.ramp / 1000
            settle = -ramp
        needed = ceil((ramp + max(settle, 0.0) + self.seconds) / gap) + 30
        tokens = max(needed, self.tokens)
        return Load(
            streams,
            wire.lead,
            tokens,
            wire.tail,
            ramp=ramp,
            settle=settle,
            window=self.seconds,
            pause=PAUSE,
            ttft=TTFT_MS / 1e3,
            gap=gap,
            cut=tokens > needed,
        )

    def _row(self, folder: Path, streams: int) -> dict[str, Cell]:
        load = self.load(streams)
        port = free_port()
        with running(self.command(port, folder, load), port, folder) as server:
            self.warm_up(server, load)
            idle = server.memory()
            used: dict[str, float] = {}
            busy: dict[str, float] = {}
            peak: list[Memory] = []

            def on_mark(mark: str) -> None:
                used[mark], busy[mark] = server.cpu(), accounting.busy_seconds()
                if mark == "close":
                    peak.append(server.memory())

            request = self._request(load.tokens)
            with (
                looking_on(port, self.dashboards) as read,
                standing_by(port, self.idle, self.stalled, request),
            ):
                seen = run_client(port, request, load, on_mark)
            if not all(read):
                raise ClientError(f"an onlooker saw nothing: {read} bytes")
            own = {} if self.control else server.get("/llmsim/stats")["lateness_ms"]
        cpu, machine = used["close"] - used["open"], busy["close"] - busy["open"]
        found = row(seen, own, cpu, machine, peak[0].pss - idle.pss)
        return {**found, "tokens": load.tokens}

    def command(self, port: int, folder: Path, load: Load) -> list[str]:
        """What starts the server that is measured."""
        if self.control:
            frames = load.lead + load.tokens + load.tail
            command = bare(
                port, self.workers, "paced", folder, Shape(STREAM.headers, frames=[240] * frames)
            )
            pace = {"ttft": TTFT_MS, "gap": GAP_MS, "late": self.late_ms}
            return command + [f"--{key}={value / 1e3}" for key, value in pace.items()]
        settings: dict[str, Any] = {
            "server": {"header_timeout_ms": QUIET_MS},
            "latency": {
                "ttft_mean_ms": TTFT_MS,
                "ttft_stddev_ms": 0.0,
                "tbt_mean_ms": GAP_MS,
                "tbt_stddev_ms": 0.0,
            },
            "response": {"generator": "lorem", "target_tokens": load.tokens},
        }
        if self.replay is not None:
            settings = self.replay(folder, self.dialect, load.tokens, settings)
        return llmsim(port, self.workers, write_config(folder, "pacing", settings))

    def _request(self, tokens: int) -> bytes:
        return WIRES[self.dialect].request(BODIES["small"](), tokens, stream=True)

    def warm_up(self, server: Server, load: Load) -> None:
        """A few short streams, so that idle memory is that of a server that has worked."""
        if self.control or self.cold or self.replay is not None:
            return  # a bare application's streams have one length, and so have recorded ones
        short = Load(20, load.lead, WARM_UP, load.tail, window=0.1)
        run_client(server.port, self._request(WARM_UP), short)


def row(
    seen: LoadResult, own: dict[str, Any], cpu: float, machine: float, grown: int
) -> dict[str, Cell]:
    """The findings: ``own`` is what the server says of its lateness (ms), ``cpu`` its seconds
    over the window and ``machine`` the whole machine's, ``grown`` the bytes its memory grew by."""
    late, read, paced, offset = (
        seen.late_ms,
        seen.late_read_ms,
        seen.late_paced_ms,
        seen.offset_ms,
    )
    if late is None or read is None or paced is None or offset is None:
        raise ValueError(f"no token was due within the window: {seen}")
    return {
        "streams": seen.open_at_close,
        "due_rate": seen.due / seen.window_s,
        "delivered": 100 * seen.delivered / seen.due,
        "missing": seen.missing,
        "early": 100 * seen.early / seen.due,
        "min_ms": late.min,
        "p50_ms": late.p50,
        "p99_ms": late.p99,
        "p999_ms": late.p999,
        "max_ms": late.max,
        "read_p50_ms": read.p50,
        "read_p99_ms": read.p99,
        "offset_p50_ms": offset.p50,
        "offset_p99_ms": offset.p99,
        "paced_p50_ms": paced.p50,
        "paced_p99_ms": paced.p99,
        "own_p50_ms": own.get("p50"),
        "own_p99_ms": own.get("p99"),
        "own_max_ms": own.get("max"),
        "cpu_us": cpu / seen.window_events * 1e6,
        "cores": cpu / seen.window_s,
        "chunks_per_read": seen.window_events / seen.window_reads,
        "stream_kib": grown / seen.open_at_close / 1024,
        "client_cores": seen.window_cpu_s / seen.window_s,
        "other_cores": max(0.0, machine - cpu - seen.window_cpu_s) / seen.window_s,
        "errors": seen.errors,
    }
