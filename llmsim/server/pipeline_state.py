"""What one worker's pipelines share with those of the other workers."""

from __future__ import annotations

import secrets
import sys
from asyncio import to_thread
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from llmsim.core.state import PipelineState
from llmsim.core.upstream.answer import Upstreams
from llmsim.engine import seeds
from llmsim.pipeline.pipeline import LARGE_BODY
from llmsim.server.queue import Queue
from llmsim.state.shared_state import SharedState

P = ParamSpec("P")
T = TypeVar("T")

SWITCH = 0.0005
"""Seconds a thread that computes may go on while the event loop waits for its turn."""


class ComputeThreads:
    """Calls functions in threads. While one computes, threads take turns often; at other times
    that would cost every request a few microseconds, as the HTTP server's thread is one, too."""

    def __init__(self) -> None:
        self._computing = 0
        self._usual = sys.getswitchinterval()

    async def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if not self._computing:
            sys.setswitchinterval(SWITCH)
        self._computing += 1
        try:
            return await to_thread(function, *args, **kwargs)
        finally:
            self._computing -= 1
            if not self._computing:
                sys.setswitchinterval(self._usual)


offload: Final = ComputeThreads()
"""For all that computes long in this process."""


async def by_size(size: int, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function makes of ``size`` bytes of JSON: in a thread if they are many."""
    if size > LARGE_BODY:
        return await offload(function, *args, **kwargs)
    return function(*args, **kwargs)


def pipeline_state(shared: SharedState, upstreams: Upstreams | None = None) -> PipelineState:
    """The state in shared memory, a queue on this worker's event loop, threads for what takes long,
    and the services that requests are passed on to."""
    return PipelineState(
        counters=shared.named_counters,
        limiter=shared.buckets,
        queue=Queue(shared),
        order=shared.order,
        prefixes=shared.prefixes,
        elapsed=shared.elapsed,
        fresh=seeds.SeedSource(secrets.randbits(seeds.BITS)),
        offload=offload,
        upstreams=upstreams,
    )
