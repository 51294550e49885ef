"""Recorded streams beside simulated ones: how far frames are from their times, CPU of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import llmsim
from bench.pacing import Pacing
from bench.report import Cell, Column
from bench.server import Server, bare, free_port, running, write_config
from bench.server import llmsim as serving
from bench.shape import probe_stream
from bench.streams import Streams
from bench.wire import BODIES, WIRES, Wire
from llmsim.recordings.lines import to_line
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    RecordedUsage,
    Recording,
)

COLUMNS = (
    Column("server", "server"),
    Column("streams", "streams"),
    Column("p50_ms", "from their times, p50 ms", 2),
    Column("p99_ms", "p99", 2),
    Column("max_ms", "max", 1),
    Column("cpu_us", "µs CPU a chunk, paced", 1),
    Column("chunk_cpu_us", "unpaced", 2),
    Column("stream_cpu_us", "µs CPU a request, unpaced"),
    Column("other_cores", "others' cores", 2),
    Column("errors", "errors"),
)

NOTES = (
    "The recording is llmsim's own answer, so all servers send the same bytes at the same times. "
    "*From their times* is by when a frame was in our C client's socket, beside when it came in "
    "the recording, both after the request; with all streams open, as in the benchmark pacing. "
    "*Unpaced*: all frames at once, medians over the rounds, the servers taking turns, as in the "
    "benchmark streams; *bare* sends the constant frames one by one.",
)

SIMULATED, FRESH, KEPT, BARE = "simulated", "replayed, fresh ids", "replayed", "bare, one by one"
IDS = {SIMULATED: "", FRESH: "fresh", KEPT: "keep"}


@dataclass(frozen=True, slots=True)
class Replay:
    """What to measure: ``streams`` at once for ``seconds``, then ``rounds`` of unpaced streams of
    ``tokens`` tokens over ``connections``."""

    columns: ClassVar[Sequence[Column]] = COLUMNS
    notes: ClassVar[Sequence[str]] = NOTES

    dialect: str
    streams: int
    workers: int
    seconds: float
    rounds: int
    connections: int
    tokens: int
    control: bool = False

    def run(self) -> list[dict[str, Cell]]:
        with TemporaryDirectory(prefix="llmsim-bench-") as name:
            costs = self._costs(Path(name))
        nothing: dict[str, Cell] = {column.key: None for column in COLUMNS}
        rows = [{**nothing, "server": BARE, **costs[BARE]}]
        for server, ids in IDS.items():
            serve = partial(replaying, ids=ids) if ids else None
            paced = Pacing(self.dialect, (self.streams,), self.workers, self.seconds, replay=serve)
            rows.append({"server": server, **paced.run()[0], **costs[server]})
        return rows

    def _costs(self, folder: Path) -> dict[str, dict[str, Cell]]:
        """The CPU of unpaced streams."""
        unpaced = Streams(
            self.dialect, (self.workers,), self.rounds, self.seconds, self.connections, self.tokens
        )
        wire = WIRES[self.dialect]
        request = wire.request(BODIES["small"](), self.tokens, stream=True)
        settings = {"latency": {"profile": "instant"}, "response": {"target_tokens": self.tokens}}
        servers: dict[str, Server] = {}
        with ExitStack() as stack:
            for name, ids in IDS.items():
                made = (
                    replaying(folder, self.dialect, self.tokens, settings, ids) if ids else settings
                )
                port = free_port()
                config = write_config(folder, f"unpaced-{port}", made)
                command = serving(port, self.workers, config)
                servers[name] = stack.enter_context(running(command, port, folder))
            events = wire.lead + self.tokens + wire.tail
            shape = probe_stream(servers[SIMULATED].port, request, events)
            port = free_port()
            command = bare(port, self.workers, "frames", folder, shape)
            servers[BARE] = stack.enter_context(running(command, port, folder))
            for server in servers.values():
                unpaced.measure(server, request, 0.5)
            rounds = [
                {name: unpaced.measure(server, request, self.seconds / 4)
                 for name, server in servers.items()}
                for _ in range(self.rounds)
            ]  # fmt: skip
        return {
            name: {
                "chunk_cpu_us": median(each[name]["cpu_us"] for each in rounds),
                "stream_cpu_us": median(each[name]["stream_cpu_us"] for each in rounds),
            }
            for name in servers
        }


def replaying(
    folder: Path, dialect: str, tokens: int, settings: dict[str, Any], ids: str
) -> dict[str, Any]:
    """The settings of a server that replays what one with ``settings`` answers to the benchmark's
    request; the recording is put in the folder."""
    wire = WIRES[dialect]
    path = folder / f"recordings-{ids}-{tokens}"
    path.mkdir(exist_ok=True)
    (path / "a.jsonl").write_bytes(to_line(recorded(wire, dialect, tokens, settings)))
    kept = {name: value for name, value in settings.items() if name == "server"}
    return {**kept, "replay": {"path": str(path), "ids": ids}, "on_miss": "fail"}


def recorded(wire: Wire, dialect: str, tokens: int, settings: dict[str, Any]) -> Recording:
    """llmsim's answer to the benchmark's request as a recording, each frame when it is due."""
    body = wire.body(BODIES["small"](), tokens, True)
    path = wire.stream_path or wire.path
    asked = {"model": path.rpartition("/")[2].partition(":")[0], "stream": True, **body}
    plan = llmsim.plan(asked, dialect=dialect, config=settings)
    assert plan.completion is not None
    usage = plan.completion.usage
    frames = [
        RecordedFrame(at=at, body=Payload.of(bytes(plan.frames[place])))
        for place, at in enumerate(plan.due[:].tolist())
    ]
    return Recording(
        id="rec_bench",
        arrived=0.0,
        provider={"anthropic": "anthropic", "gemini": "gemini"}.get(dialect, "openai"),
        endpoint=path,
        model=str(asked["model"]),
        stream=True,
        request=RecordedRequest(
            path=path.partition("?")[0],
            query=path.partition("?")[2],
            body=Payload(text=json.dumps(body)),
        ),
        response=RecordedResponse(
            status=200,
            headers=[("content-type", "text/event-stream")],
            at=frames[0].at,
            frames=frames,
            ended=plan.total,
        ),
        usage=RecordedUsage(prompt=usage.prompt, completion=usage.completion),
    )
