"""What llmsim says of its lateness, against what a client saw, part by part."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from bench.client import LoadResult, run_client
from bench.pacing import Pacing
from bench.report import Cell, Column
from bench.server import Server, free_port, running
from bench.wire import BODIES, WIRES

STAMP = "@" * 16
"""Where the client writes when it sends a request."""
_STAMPED = re.compile(r"\b\d{16}\b")
MOST = 1000
"""Requests of the journal that are compared one by one."""

COLUMNS = (
    Column("streams", "streams"),
    Column("ramp", "new a ms"),
    Column("workers", "workers"),
    Column("seen_p50_ms", "client p50 ms", 2),
    Column("seen_p99_ms", "p99", 2),
    Column("said_p50_ms", "llmsim p50 ms", 2),
    Column("said_p99_ms", "p99", 2),
    Column("apart_ms", "said less seen at p99", 2),
    Column("hand_over_p50_ms", "hand-over p50", 2),
    Column("hand_over_p99_ms", "p99", 2),
    Column("output_p50_ms", "output lag p50", 2),
    Column("output_p99_ms", "p99", 2),
    Column("arrival_p50_ms", "arrival lag p50", 2),
    Column("arrival_p99_ms", "p99", 2),
    Column("loop_p99_ms", "loop lag p99", 2),
    Column("clock_p1_ms", "arrival less sent p1", 2),
    Column("clock_p50_ms", "p50", 2),
    Column("clock_p99_ms", "p99", 2),
    Column("errors", "errors"),
)

NOTES = (
    "Streams as in `bench pacing --ramp`. *Client*: by when each token was in our C client's "
    "socket, after the client had sent its request. *llmsim* is what llmsim says, from `GET "
    "/llmsim/stats`: by how much frames that were followed were late when the kernel had them. "
    "Each of these is the sum of its own *hand-over*, by how much it left late, and *output lag*, "
    "how long it took from there; the table has both by themselves. *Arrival lag*: from the "
    "arrival of a request to its handler; what the TTFT hides of it is no lateness. *Arrival less "
    "sent*: the "
    "arrival in the journal less the client's own time of sending, for so many as 1,000 of the "
    "requests; below 0, frames are early.",
)


@dataclass(frozen=True, slots=True)
class Lateness:
    """What to measure: ``streams`` that open ``ramp`` a millisecond, for ``seconds``."""

    columns: ClassVar[Sequence[Column]] = COLUMNS
    notes: ClassVar[Sequence[str]] = NOTES
    control: ClassVar[bool] = False

    dialect: str
    streams: Sequence[int]
    workers: int
    seconds: float
    ramp: float

    def run(self) -> list[dict[str, Cell]]:
        with TemporaryDirectory(prefix="llmsim-bench-") as name:
            return [self._row(Path(name), count) for count in self.streams]

    def _row(self, folder: Path, streams: int) -> dict[str, Cell]:
        pacing = Pacing(self.dialect, (streams,), self.workers, self.seconds, ramp=self.ramp)
        load = pacing.load(streams)
        port = free_port()
        with running(pacing.command(port, folder, load), port, folder) as server:
            pacing.warm_up(server, load)
            before = time.time()
            stats: dict[str, Any] = {}

            def mark(name: str) -> None:
                if name == "close":  # what is late after that the client does not report, either
                    stats.update(server.get("/llmsim/stats"))

            seen = run_client(port, self.request(load.tokens), load, mark)
            arrived = arrivals(server, before)
        return {
            "streams": seen.open_at_close,
            "ramp": self.ramp,
            "workers": self.workers,
            **row(seen, stats, arrived),
        }

    def request(self, tokens: int) -> bytes:
        """The request, which says when it was sent."""
        first, *others = BODIES["small"]()
        return WIRES[self.dialect].request([f"{STAMP} {first}", *others], tokens, stream=True)


def arrivals(server: Server, since: float) -> dict[int, float]:
    """When the latest requests arrived (Unix time), by when they were sent (ns of the monotonic
    clock)."""
    found = {}
    for entry in server.get(f"/llmsim/requests?limit={MOST}")["requests"]:
        if entry["arrived"] < since:
            continue
        asked = json.dumps(server.get(f"/llmsim/requests/{entry['id']}")["request"])
        stamp = _STAMPED.search(asked)
        if stamp is not None:
            found[int(stamp[0])] = entry["arrived"]
    return found


def row(
    seen: LoadResult, stats: Mapping[str, Any], arrived: Mapping[int, float]
) -> dict[str, Cell]:
    """The findings; ``arrived`` is as :func:`arrivals` has it."""
    if seen.late_ms is None:
        raise ValueError(f"no token was due within the window: {seen}")
    said, hand_over, output = (
        stats[name] for name in ("delivery_lateness_ms", "lateness_ms", "output_lag_ms")
    )
    offset = time.time() - time.monotonic()
    clock = [1e3 * (at - offset - sent / 1e9) for sent, at in arrived.items()]
    shares = quantiles(clock, n=100) if len(clock) > 1 else [None] * 99
    return {
        "seen_p50_ms": seen.late_ms.p50,
        "seen_p99_ms": seen.late_ms.p99,
        "said_p50_ms": said["p50"],
        "said_p99_ms": said["p99"],
        "apart_ms": said["p99"] - seen.late_ms.p99,
        "hand_over_p50_ms": hand_over["p50"],
        "hand_over_p99_ms": hand_over["p99"],
        "output_p50_ms": output["p50"],
        "output_p99_ms": output["p99"],
        "arrival_p50_ms": stats["arrival_lag_ms"]["p50"],
        "arrival_p99_ms": stats["arrival_lag_ms"]["p99"],
        "loop_p99_ms": stats["loop_lag_ms"]["p99"],
        "clock_p1_ms": shares[0],
        "clock_p50_ms": shares[49],
        "clock_p99_ms": shares[98],
        "errors": seen.errors,
    }
