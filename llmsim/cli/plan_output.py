"""Answering a request without a server: what ``llmsim plan`` shows."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping

import orjson
from msgspec import structs

from llmsim.cli.table import table
from llmsim.config import Config
from llmsim.core import ConnectionEnd, Plan, Request, Stamp
from llmsim.engine import seeds
from llmsim.pipeline.context import Call
from llmsim.providers.provider import Endpoint
from llmsim.runtime.runtime_config import runtime_config
from llmsim.state.memory import memory_state

HEAD = ("DUE MS", "BYTES", "FRAME")


class HeadersOnly:
    """A caller who is known by the headers of the request, and never leaves."""

    query = ""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = {name.lower(): value for name, value in headers.items()}

    def header(self, name: str) -> str | None:
        """A request header by its lower-case name."""
        return self._headers.get(name)

    def names(self) -> list[str]:
        """The names of all request headers, in lower case."""
        return list(self._headers)

    async def left(self) -> None:
        """Never returns."""
        await asyncio.Event().wait()


class SeedMemory:
    """An endpoint's memory that knows nothing but the seed of the request; None leaves it."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed

    async def recall(self, request: Request) -> Request:
        """The request with the seed."""
        return request if self._seed is None else structs.replace(request, seed=self._seed)

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> bytes | None:
        """Nothing is kept."""
        return None


def planned(
    body: bytes,
    endpoint: Endpoint,
    config: Config,
    stamp: Stamp,
    seed: int | None = None,
    turn: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Plan:
    """What a server that has just started would answer; a refusal is a plan, too.

    ``seed`` None takes the seed the server would
    take. ``turn`` is the request's place in the order all workers agree on.
    """
    fresh = seeds.SeedSource(secrets.randbits(seeds.BITS))
    pipeline = runtime_config(config, memory_state(fresh, turn=turn)).pipeline
    if endpoint.streaming is not None and _streamed(body):
        endpoint = endpoint.streaming
    call = Call(endpoint, HeadersOnly(headers or {}), stamp, body, SeedMemory(seed))
    return asyncio.run(pipeline.plan(call))


def _streamed(body: bytes) -> bool:
    """Whether the body asks for a stream."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(fields, dict) and fields.get("stream") is True


def described(made: Plan) -> dict[str, object]:
    """A plan as JSON: times in milliseconds after the request's arrival, frames decoded."""
    usage = None if made.completion is None else made.completion.usage
    return {
        "status": made.status,
        "stream": made.stream,
        "seed": made.seed,
        "ttft_ms": _ms(made.ttft),
        "total_ms": _ms(made.total),
        "usage": usage and {**structs.asdict(usage), "total": usage.total},
        "ending": made.ending.value,
        "frames": [
            {"due_ms": _ms(due), "frame": made.frames[index].decode()}
            for index, due in enumerate(made.due[:].tolist())
        ],
    }


def drawn(made: Plan) -> str:
    """A plan as a table with a line a frame, above it what holds for the whole answer."""
    facts = [f"status {made.status}"]
    if made.completion is not None:
        usage = made.completion.usage
        facts += [
            f"seed {made.seed}",
            f"ttft {made.ttft * 1e3:.1f} ms",
            f"total {made.total * 1e3:.1f} ms",
            f"{usage.prompt} + {usage.completion} tokens",
        ]
    if made.ending is not ConnectionEnd.WHOLE:
        facts.append(f"connection {made.ending.value}")
    frames = [made.frames[index] for index in range(len(made.frames))]
    rows = [
        (due * 1e3, len(frame), _line(frame.decode()))
        for due, frame in zip(made.due[:].tolist(), frames, strict=True)
    ]
    return f"{', '.join(facts)}\n\n{table(HEAD, rows)}"


def _line(frame: str) -> str:
    """A frame on one line."""
    return frame.rstrip("\r\n").replace("\r", "\\r").replace("\n", "\\n")


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
