"""What is computed in threads lets the event loop have its turn often, and only meanwhile."""

import asyncio
import sys
import threading

import pytest

from llmsim.server.pipeline_state import SWITCH, ComputeThreads


def test_threads_take_turns_often_only_while_one_computes() -> None:
    usual = sys.getswitchinterval()
    first, second = threading.Event(), threading.Event()

    async def scene() -> None:
        threads = ComputeThreads()
        one = asyncio.ensure_future(threads(first.wait))
        other = asyncio.ensure_future(threads(second.wait))
        await asyncio.sleep(0)
        assert sys.getswitchinterval() == pytest.approx(SWITCH)
        first.set()
        await one
        assert sys.getswitchinterval() == pytest.approx(SWITCH), "another one still computes"
        second.set()
        assert await other
        assert sys.getswitchinterval() == pytest.approx(usual)
        with pytest.raises(ZeroDivisionError):
            await threads(lambda: 1 // 0)
        assert sys.getswitchinterval() == pytest.approx(usual)

    asyncio.run(scene())
