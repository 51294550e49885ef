"""What ``llmsim plan`` shows of the answer to a request."""

from __future__ import annotations

from msgspec import structs

from llmsim.cli.table import table
from llmsim.core import ConnectionEnd, Plan

HEAD = ("DUE MS", "BYTES", "FRAME")


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
