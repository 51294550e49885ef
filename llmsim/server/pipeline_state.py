"""What one worker's pipelines share with those of the other workers."""

from __future__ import annotations

import secrets
from asyncio import to_thread

from llmsim.core.state import PipelineState
from llmsim.engine import seeds
from llmsim.server.queue import Queue
from llmsim.state.shared_state import SharedState


def pipeline_state(shared: SharedState) -> PipelineState:
    """The state in shared memory, a queue on this worker's event loop, and threads for what takes
    long."""
    return PipelineState(
        counters=shared.named_counters,
        limiter=shared.buckets,
        queue=Queue(shared),
        order=shared.order,
        prefixes=shared.prefixes,
        elapsed=shared.elapsed,
        fresh=seeds.SeedSource(secrets.randbits(seeds.BITS)),
        offload=to_thread,
    )
