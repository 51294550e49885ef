"""Answering a request without a server: what ``llmsim plan`` shows."""

from __future__ import annotations

import secrets

from msgspec import structs

from llmsim.cli.table import table
from llmsim.config import Config
from llmsim.core import Plan, Stamp
from llmsim.core.errors import BadRequest
from llmsim.engine import seeds
from llmsim.engine.compose import PlanInputs
from llmsim.engine.plan import failed, plan
from llmsim.engine.tokens import prompt
from llmsim.providers.provider import Endpoint
from llmsim.runtime.model_settings import ModelRegistry

HEAD = ("DUE MS", "BYTES", "FRAME")


def planned(
    body: bytes, endpoint: Endpoint, config: Config, seed: int | None = None, turn: int = 0
) -> Plan:
    """What the server would answer to this body; a refusal is a plan too.

    ``seed`` None takes the seed the server would take. ``turn`` is the request's place in the
    order all workers agree on.
    """
    stamp = Stamp("0" * 26, 0)
    try:
        ask = endpoint.codec.decode(body)
        settings = ModelRegistry(config).settings(ask.model)
        chosen = seeds.settled(ask.seed if seed is None else seed, config.seed, body)
        if chosen is None:
            chosen = secrets.randbits(seeds.BITS)
        inputs = PlanInputs(chosen, turn, prompt.tokens(ask, settings.tokenizer))
        return plan(ask, settings, inputs, endpoint.codec, stamp)
    except BadRequest as bad:
        return failed(bad.failure, *endpoint.errors.failure(bad.failure, stamp))


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
        "frames": [
            {"due_ms": _ms(due), "frame": made.frames[index].decode()}
            for index, due in enumerate(made.due.tolist())
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
    frames = [made.frames[index] for index in range(len(made.frames))]
    rows = [
        (due * 1e3, len(frame), _line(frame.decode()))
        for due, frame in zip(made.due.tolist(), frames, strict=True)
    ]
    return f"{', '.join(facts)}\n\n{table(HEAD, rows)}"


def _line(frame: str) -> str:
    """A frame on one line."""
    return frame.rstrip("\r\n").replace("\r", "\\r").replace("\n", "\\n")


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
