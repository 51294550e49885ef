"""A signal calls the callbacks besides what handles it already."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
import uvloop

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
