"""Alarms on a real loop: each setting calls once, the latest counts."""

import asyncio
import sys
import time
from collections.abc import Callable

import pytest

from llmsim.transport import timer
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


@pytest.mark.parametrize("error", [OSError(38, "timerfd_create"), AttributeError("timerfd_create")])
def test_without_the_kernels_it_is_the_loops(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def missing(*_: object) -> Timer:
        raise error

    monkeypatch.setattr(timer, "KernelTimer", missing)
    made: list[Timer] = []

    async def make() -> None:
        made.append(precise_timer(asyncio.get_running_loop(), lambda: None))

    asyncio.run(make())
    assert type(made[0]) is LoopTimer


def test_other_platforms_have_the_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    async def made() -> Timer:
        return precise_timer(asyncio.get_running_loop(), lambda: None)

    assert type(asyncio.run(made())) is LoopTimer


@linux
def test_a_kernel_without_timers_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def timerfd_create(self, *_: object) -> int:
            return -1

    monkeypatch.setattr(timer.ctypes, "CDLL", Libc)

    async def make() -> None:
        KernelTimer(asyncio.get_running_loop(), lambda: None)

    with pytest.raises(OSError, match="timerfd_create"):
        asyncio.run(make())


@linux
def test_a_timer_that_was_set_anew_since_the_loop_saw_it_does_not_call() -> None:
    async def scene() -> list[str]:
        calls: list[str] = []
        made = KernelTimer(asyncio.get_running_loop(), lambda: calls.append("called"))
        made.set(3_600_000_000)
        made._fire()
        return calls

    assert asyncio.run(scene()) == []
