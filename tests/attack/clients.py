"""Clients that end in every way (:mod:`tests.attack.endings`), beside some that ask for much and
read nothing (:mod:`tests.attack.stalls`)."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack, suppress
from typing import Final

from tests.attack import stalls
from tests.attack.endings import WAYS
from tests.attack.target import Target
from tests.live.http1 import secured

AT_ONCE: Final = 20
"""Clients."""
PATIENCE: Final = 90.0
"""Seconds after which a client that has not come to its end hangs."""
STALLED: Final = 5.0
"""Seconds for which nothing is read."""
TOKENS: Final = 5000
"""Of an answer that is not read."""


def attack(target: Target) -> None:
    """Come and go until the time is up."""
    secured.set(target.tls)  # of this thread
    asyncio.run(_attack(target))


async def _attack(target: Target) -> None:
    clients = (_come_and_go(target, target.seed * AT_ONCE + one) for one in range(AT_ONCE))
    await asyncio.gather(_stall(target), *clients)


async def _come_and_go(target: Target, seed: int) -> None:
    rng = random.Random(seed)
    while target.going_on():
        name = rng.choice(list(WAYS))
        try:
            await asyncio.wait_for(WAYS[name](target.port), PATIENCE)
            target.report.sent[f"clients of {name.partition(':')[0]} that end somehow"] += 1
        except TimeoutError:
            target.report.fault("a client does not come to its end", name)
        except (OSError, EOFError, AssertionError):  # garbage and new settings come in between
            await asyncio.sleep(0.1)


async def _stall(target: Target) -> None:
    while target.going_on():
        with suppress(OSError, EOFError, AssertionError):
            async with AsyncExitStack() as stack:
                for stalled in (
                    await stalls.http1(target.port, 2, TOKENS),
                    await stalls.http2(target.port, 10, TOKENS),
                    await stalls.websockets(target.port, 2, TOKENS),
                ):
                    for one in stalled:
                        target.report.sent["clients that read nothing"] += 1
                        stack.push_async_exit(one)
                await asyncio.sleep(STALLED)
