"""What it costs that an answer follows a replica's steps: ``python -m bench.stepped``.

The scheduler alone, without sockets, on a loop whose time passes from one timer to the next, so
that what else the machine does changes little: µs of processor time a chunk, the least of some
rounds that take turns. Streams have 30 tokens a second, with and without ``load``, whose gaps are
drawn, or all alike.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from functools import partial
from itertools import count

import numpy as np

from llmsim.core import Plan
from llmsim.core.load.sequence_plan import sequence_plan
from llmsim.core.load.step_cost import StepCost
from llmsim.core.plan import Chunk
from llmsim.providers.wire.sse import Spliced
from llmsim.state.memory import MemoryStepClocks
from llmsim.state.shm import layout
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.load.step_scheduler import SteppedStream, StepScheduler
from llmsim.transport.scheduler import Scheduler

STREAMS, TOKENS, ROUNDS = 200, 150, 7
STEP = 1 / 30
COST = StepCost(STEP - 1e-6 * STREAMS, 1e-6, 0.0, 2 * STREAMS, 10_000)
SPREAD = 0.45
"""The deviation of the logarithm of a drawn gap."""
OPENING, MEASURED = 3_000, 2_000_000
"""µs between two streams, and for which is measured once all are open."""


class VirtualTimer:
    """A timer that is exact to the µs."""

    def __init__(self, loop: VirtualLoop, call: Callable[[], None]) -> None:
        self._loop = loop
        self._call = call
        self._number = 0

    def set(self, wait: int) -> None:
        self._number += 1
        self._loop.later(max(wait, 1), partial(self._fire, self._number))

    def _fire(self, number: int) -> None:
        if number == self._number:
            self._call()


class VirtualLoop:
    """Time that passes from one timer to the next."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()

    def later(self, wait: int, call: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (self.now + wait, next(self._numbers), call))

    def run(self, until: int) -> None:
        while self._timers and self._timers[0][0] <= until:
            self.now, _, call = heapq.heappop(self._timers)
            call()
        self.now = until


class ChunkCounter:
    """Clients that read whatever comes."""

    def __init__(self) -> None:
        self.chunks = 0

    def send(self, data: Chunk) -> bool:
        self.chunks += 1
        return True

    def close(self) -> None:
        pass


async def measured(drawn: bool, load: bool) -> float:
    """µs of processor time a chunk."""
    loop, client = VirtualLoop(), ChunkCounter()
    counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))

    def timer(_: object, call: Callable[[], None]) -> VirtualTimer:
        return VirtualTimer(loop, call)

    running = asyncio.get_running_loop()
    scheduler = Scheduler(running, counters, lambda: loop.now, timer)
    steps = StepScheduler(scheduler, MemoryStepClocks())
    generator = np.random.default_rng(1)
    for _ in range(STREAMS):
        gaps = np.full(TOKENS, STEP)
        if drawn:
            gaps = generator.lognormal(math.log(STEP) - SPREAD**2 / 2, SPREAD, TOKENS)
        due = np.cumsum(gaps) - gaps[0]
        frames = Spliced(b"data: ", [b"x" * 150] * TOKENS)
        plan = Plan(200, frames, due, True, 0.0, float(due[-1]), 1)
        if load:
            times = (0.0, 0.0, plan.total)
            sequence = sequence_plan("m", 1, COST, STEP, 0, 0.0, times)
            place = steps.replica(sequence).join(sequence, loop.now)
            stream = SteppedStream(plan, loop.now, client, ended, 0, steps, place)
            place.known.add_done_callback(partial(_play, steps, stream))
        else:
            scheduler.send(plan, loop.now, client, ended)
        loop.run(loop.now + OPENING)
        await asyncio.sleep(0)
    before, began = client.chunks, time.process_time()
    loop.run(loop.now + MEASURED)
    return (time.process_time() - began) / (client.chunks - before) * 1e6


def ended(*_: object) -> None:
    """A stream has ended."""


def _play(steps: StepScheduler, stream: SteppedStream, _: object) -> None:
    steps.play(stream)


async def main() -> None:
    """Print the least of each."""
    least: dict[tuple[bool, bool], float] = {}
    for _ in range(ROUNDS):
        for drawn in (False, True):
            for load in (False, True):
                found = await measured(drawn, load)
                least[drawn, load] = min(found, least.get((drawn, load), math.inf))
    for (drawn, load), found in least.items():
        gaps, under = "drawn" if drawn else "alike", "by steps" if load else "by time"
        print(f"gaps {gaps}, due {under}: {found:.2f} µs a chunk")


if __name__ == "__main__":
    asyncio.run(main())
