"""When the requests of a batch end under load, which is known only while they are answered."""

from __future__ import annotations

import asyncio
import time

from llmsim.core import Plan
from llmsim.server.load.unattended import PERIOD, Replanned


class BatchTimes:
    """The ends of a batch's requests, in seconds after it was created at ``created`` (Unix time).

    ``open`` are the places of those that steps have not ended yet. ``ended`` is set with the last.
    """

    def __init__(self, created: float) -> None:
        self.ends: list[float] = []
        self.open: set[int] = set()
        self._created = created
        self._ended = asyncio.Event()

    def begin(self) -> Replanned:
        """The next request begins: who is told when its tokens are there."""
        place, began = len(self.ends), time.time() - self._created
        self.ends.append(began)

        def replanned(ttft: float, total: float) -> None:
            self.ends[place] = began + total
            if self.ends[place] <= time.time() - self._created:
                self.open.discard(place)
                if not self.open:
                    self._ended.set()

        return replanned

    def planned(self, plan: Plan) -> None:
        """The request that has begun last is planned so."""
        if plan.sequence is None:
            self.ends[-1] = plan.total
        else:
            self.open.add(len(self.ends) - 1)

    async def change(self) -> None:
        """Returns when the last one has ended, or after a while."""
        try:
            await asyncio.wait_for(self._ended.wait(), PERIOD)
        except TimeoutError:
            return
