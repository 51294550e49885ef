"""Streams of runs: they end when their run is cancelled, whichever worker is told to."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from msgspec import structs

from llmsim.core import Completion, Plan, Playback, Usage, tokens_sent
from llmsim.core.state import ObjectStore, StoreError
from llmsim.pipeline.context import Call
from llmsim.providers.openai.assistants import events
from llmsim.providers.openai.assistants import runs as wire_runs
from llmsim.providers.openai.assistants.objects import RUN
from llmsim.providers.openai.assistants.runs import RunRecord
from llmsim.state.shm.segment import Cursor, Segment

PERIOD = 0.02
"""Seconds between two looks at whether a run was cancelled, while any is streamed."""

log = logging.getLogger("llmsim")


class RunStream:
    """One stream of a run, from the time it is stored: a
    :class:`~llmsim.core.plan.Deferred`."""

    def __init__(self, streams: RunStreams, call: Call, plan: Plan, began: float) -> None:
        assert plan.completion is not None
        self._streams = streams
        self._request, self._stamp = call.request, call.stamp
        self._completion: Completion = plan.completion
        self._frames = len(plan.due)
        self._reached = plan.reached
        self._began = began
        self._playback: Playback | None = None
        self.name = events.named(call.request.wire.run, call.stamp).id
        self.seen = streams.cancellations()

    def begin(self, playback: Playback) -> None:
        """The response has been opened."""
        self._playback = playback
        playback.end()
        if self.open:
            self._streams.watch(self)

    @property
    def open(self) -> bool:
        """Whether events are still to be sent."""
        return self._playback is not None and self._playback.pending > 0

    def cancelled(self, run: RunRecord, now: float) -> None:
        """The run was cancelled."""
        if self._playback is None:
            return
        sent = self._frames - self._playback.pending
        self._playback.end(usage=self._used(sent))
        frame = events.cancelled(self._request, self._completion, self._stamp, run, sent)
        self._playback.cut(frame, now - self._began)

    def _used(self, sent: int) -> Usage | None:
        """The tokens that were sent with so many frames; None where nobody knows."""
        if self._reached is None:
            return None
        used, choices = self._completion.usage, self._completion.choices
        shown = sum(choice.tokens for choice in choices)
        reached = self._reached[sent - 1] if sent else 0
        completion, reasoning = tokens_sent(used.completion, used.reasoning, shown, reached)
        return structs.replace(used, completion=completion, reasoning=reasoning)


class RunStreams:
    """The open streams of one worker. One timer, while there are any, looks at the number of
    cancellations that all workers share."""

    def __init__(
        self, store: ObjectStore, segment: Segment, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._segment = segment
        self._clock = clock
        self._open: list[RunStream] = []
        self._looking: asyncio.Task[None] | None = None

    def announce(self) -> None:
        """A run was cancelled."""
        self._segment.advance(Cursor.RUNS_CANCELLED)

    def cancellations(self) -> int:
        """How many runs were cancelled."""
        return self._segment.reached(Cursor.RUNS_CANCELLED)

    def followed(self, call: Call, plan: Plan, began: float) -> Plan:
        """The plan of a stream that ends when its run is cancelled."""
        return structs.replace(plan, deferred=RunStream(self, call, plan, began))

    def watch(self, stream: RunStream) -> None:
        """Look after a stream that has begun, until it ends."""
        self._open.append(stream)
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        while self._open:
            await asyncio.sleep(PERIOD)
            self._open = [stream for stream in self._open if stream.open]
            count = self.cancellations()
            for stream in [one for one in self._open if one.seen != count]:
                stream.seen = count
                await self._check(stream)
        self._looking = None

    async def _check(self, stream: RunStream) -> None:
        try:
            value = await self._store.get(RUN, stream.name)
            run = None if value is None else wire_runs.load(value)
            if run is not None and run.cancelled is not None:
                stream.cancelled(run, self._clock())
        except StoreError as error:
            log.error("the store does not work: %s", error)
        except Exception:  # the other streams go on
            log.exception("could not end the stream of a cancelled run")
