"""A signal calls the callbacks besides what handles it already."""

import asyncio
import inspect
import os
import signal
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop
from granian import _signals
from granian.server.mp import MPServer

from llmsim.server import shutdown
from llmsim.server.shutdown import on_signals

SIGNAL = signal.SIGUSR2


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = signal.getsignal(SIGNAL)
    yield
    signal.signal(SIGNAL, before)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_the_loops_own_handler_goes_on_working(new_loop: type[asyncio.AbstractEventLoop]) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        own, first, second = asyncio.Event(), asyncio.Event(), asyncio.Event()
        loop.add_signal_handler(SIGNAL, own.set)
        on_signals(loop, [SIGNAL], first.set)
        on_signals(loop, [SIGNAL], second.set)
        os.kill(os.getpid(), SIGNAL)
        async with asyncio.timeout(10):
            await asyncio.gather(own.wait(), first.wait(), second.wait())

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(scene())


def test_the_handler_before_is_called_too_but_not_what_is_none() -> None:
    async def scene() -> list[str]:
        loop = asyncio.get_running_loop()
        calls: list[str] = []
        signal.signal(SIGNAL, lambda number, frame: calls.append(signal.Signals(number).name))
        on_signals(loop, [SIGNAL], lambda: calls.append("callback"))
        signal.raise_signal(SIGNAL)
        await asyncio.sleep(0)
        signal.signal(SIGNAL, signal.SIG_IGN)
        on_signals(loop, [SIGNAL], lambda: calls.append("alone"))
        signal.raise_signal(SIGNAL)
        await asyncio.sleep(0)
        return calls

    assert asyncio.run(scene()) == ["SIGUSR2", "callback", "alone"]


def test_each_signal_has_the_callback() -> None:
    signals = (SIGNAL, signal.SIGUSR1)
    before = signal.getsignal(signal.SIGUSR1)

    async def scene() -> int:
        calls: list[int] = []
        on_signals(asyncio.get_running_loop(), signals, lambda: calls.append(1))
        for number in signals:
            signal.raise_signal(number)
        await asyncio.sleep(0)
        return len(calls)

    try:
        assert asyncio.run(scene()) == 2
    finally:
        signal.signal(signal.SIGUSR1, before)


class Signal:
    """Granian's own, which must not be set twice."""

    def __init__(self) -> None:
        self.times = 0

    def set(self) -> None:
        self.times += 1


def test_granian_hears_only_the_first_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_signals, "WorkerSignal", Signal)
    monkeypatch.setattr(_signals, "set_loop_signals", None)
    shutdown.listen_once()
    handlers: dict[int, Callable[[], None]] = {}
    loop: Any = SimpleNamespace(add_signal_handler=handlers.__setitem__)
    event = _signals.set_loop_signals(loop)
    assert set(handlers) == {signal.SIGINT, signal.SIGTERM}
    assert event.times == 0
    for _ in range(2):
        for handler in handlers.values():
            handler()
    assert event.times == 1


def test_granian_looks_for_signals_where_that_is_replaced() -> None:
    source = inspect.getsource(MPServer._spawn_rsgi_worker)
    assert "from granian._signals import set_loop_signals" in source
