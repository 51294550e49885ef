"""The least a Granian RSGI application can do: what llmsim's figures are held against.

It reads the body and answers in the shape it was given. Granian is set as llmsim sets it.

    python -m bench.bare --port 8081 --workers 2 --mode plain --shape shape.json
"""

from __future__ import annotations

import argparse
import asyncio
import resource
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.log import LogLevels

from bench.shape import PLAIN, STREAM, Shape

Handler = Callable[[Any], Awaitable[None]]

MODES = ("plain", "frames", "joined", "paced")
"""One body; frames sent one by one; the same in one send; one ``asyncio.sleep`` a frame."""


class Bare:
    """The application. ``ttft``, ``gap`` and ``late`` are in seconds and for ``paced`` only:
    frame k leaves at ``ttft + (k - 1) * gap + late`` after arrival, as if it were token k - 1
    behind one frame that leads."""

    def __init__(self, mode: str, shape: Shape, ttft: float, gap: float, late: float) -> None:
        self.headers = shape.headers
        self.body = b"x" * shape.body
        self.frames = [b"data: " + b"x" * (size - 8) + b"\n\n" for size in shape.frames]
        self.ttft, self.gap, self.late = ttft, gap, late
        self.answer: Handler = {
            "plain": self.plain,
            "frames": self.one_by_one,
            "joined": self.joined,
            "paced": self.paced,
        }[mode]

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if scope.method == "GET":
            protocol.response_str(200, [("content-type", "text/plain")], "ok")
            return
        await protocol()
        await self.answer(protocol)

    async def plain(self, protocol: Any) -> None:
        protocol.response_bytes(200, self.headers, self.body)

    async def one_by_one(self, protocol: Any) -> None:
        send = protocol.response_stream(200, self.headers).send_bytes
        for frame in self.frames:
            send(frame)

    async def joined(self, protocol: Any) -> None:
        protocol.response_stream(200, self.headers).send_bytes(b"".join(self.frames))

    async def paced(self, protocol: Any) -> None:
        """The naive way, which also tells whether a client measures right."""
        clock = asyncio.get_running_loop().time
        first = clock() + self.ttft + self.late
        await asyncio.sleep(first - clock())
        send = protocol.response_stream(200, self.headers).send_bytes
        for index, frame in enumerate(self.frames):
            await asyncio.sleep(first + (index - 1) * self.gap - clock())
            send(frame)


def build(mode: str, shape: Shape, ttft: float, gap: float, late: float) -> Bare:
    return Bare(mode, shape, ttft, gap, late)


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m bench.bare", description=__doc__)
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--workers", type=int, default=1)
    words.add_argument("--mode", choices=MODES, default="plain")
    words.add_argument("--shape", type=Path)
    words.add_argument("--ttft", type=float, default=0.0, help="seconds, paced only")
    words.add_argument("--gap", type=float, default=0.0, help="seconds, paced only")
    words.add_argument("--late", type=float, default=0.0, help="seconds, paced only")
    said = words.parse_args()
    shape = Shape.load(said.shape) if said.shape else PLAIN if said.mode == "plain" else STREAM
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    loader: Any = partial(build, said.mode, shape, said.ttft, said.gap, said.late)
    Granian(
        "bare",
        port=said.port,
        workers=said.workers,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.auto,
        backlog=4096,
        backpressure=16384,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=loader, wrap_loader=False)


if __name__ == "__main__":
    main()
