"""Alarms on a real loop: each setting calls once, the latest counts."""

import asyncio
import sys
import time
from collections.abc import Callable

import pytest

from llmsim.transport.timer import KernelTimer, LoopTimer, Timer, precise_timer

linux = pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's")
MADE = [LoopTimer, pytest.param(KernelTimer, marks=linux)]


def fired(make: Callable[..., Timer], *waits: int) -> list[float]:
    """When it called, in µs after the last setting, having been set to those waits in turn."""

    async def run() -> list[float]:
        calls: list[float] = []
        rung = asyncio.Event()

        def call() -> None:
            calls.append((time.monotonic() - began) * 1e6)
            rung.set()

        made = make(asyncio.get_running_loop(), call)
        for wait in waits:
            made.set(wait)
        began = time.monotonic()
        await asyncio.wait_for(rung.wait(), 10)
        # The loop turns a few times more: nothing else may come of it.
        for _ in range(5):
            await asyncio.sleep(0)
        return calls

    return asyncio.run(run())


@pytest.mark.parametrize("make", MADE)
@pytest.mark.parametrize("waits", [(0,), (700,), (5000,), (1, 3000), (10_000_000, 2000)])
def test_it_calls_once_and_not_before_its_time(
    make: Callable[..., Timer], waits: tuple[int, ...]
) -> None:
    calls = fired(make, *waits)
    assert len(calls) == 1
    assert calls[0] >= waits[-1] - 1100  # loops' timers may be a millisecond early


@linux
def test_linux_has_the_kernels() -> None:
    async def made() -> Timer:
        return precise_timer(asyncio.get_running_loop(), lambda: None)

    assert type(asyncio.run(made())) is KernelTimer
