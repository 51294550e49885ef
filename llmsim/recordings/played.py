"""A recording as a plan: its frames at their times."""

from __future__ import annotations

from typing import Final

import numpy as np

from llmsim.core import Completion, ConnectionEnd, Headers, Plan, Stamp, Usage
from llmsim.engine.faults.fault_context import FrameList
from llmsim.recordings.ids import with_fresh, with_fresh_request
from llmsim.recordings.recording import Recording, ResponseEnd
from llmsim.recordings.rows import row

OWN: Final = frozenset(
    {"content-length", "content-encoding", "date", "server", "server-timing", "x-llmsim-seed"}
)
"""Headers that are the server's or of the time they were sent."""

ENDS: Final = {
    ResponseEnd.WHOLE: ConnectionEnd.WHOLE,
    ResponseEnd.CUT: ConnectionEnd.CUT,
    ResponseEnd.TIMEOUT: ConnectionEnd.CUT,
    ResponseEnd.RESET: ConnectionEnd.RESET,
    ResponseEnd.UNANSWERED: ConnectionEnd.UNANSWERED,
}
"""Those with which an answer can be played."""


class Played:
    """A recording, ready to be played: ``renewed`` are the ids that are others each time, None
    where all of them, and the request's, are kept. ``speed`` 2 halves all times."""

    def __init__(self, one: Recording, renewed: tuple[str, ...] | None, speed: float) -> None:
        response = one.response
        frames = [frame.body.content for frame in response.frames]
        times = [frame.at / speed for frame in response.frames]
        self.recording = one
        self.ended = response.ended / speed
        self.frames, self.times = tuple(frames), tuple(times)
        self.headers = head(one)
        self.usage = _usage(one)
        broken = response.end is not ResponseEnd.WHOLE
        self._ttft = (row(one).ttft or response.ended) / speed
        self._streamed = one.stream or broken
        self._renewed = renewed
        if not self._streamed:
            frames, times = [b"".join(frames)], [self.ended]
        elif not frames:
            frames, times = [b""], [self.ended]
        elif broken and self.ended > times[-1]:
            # The connection breaks after the last frame: one without a byte waits until then.
            frames, times = [*frames, b""], [*times, self.ended]
        self._sent, self._due = frames, np.array(times)

    def plan(self, stamp: Stamp) -> Plan:
        """The recorded answer."""
        response = self.recording.response
        frames, headers = self._sent, list(self.headers)
        if self._renewed is not None:
            frames = with_fresh(frames, self._renewed, stamp)
            headers = with_fresh_request(headers, stamp)
        return Plan(
            response.status or 200,
            FrameList(frames),
            self._due,
            self._streamed,
            self._ttft,
            self.ended,
            0,
            Completion((), self.usage),
            ending=ENDS[response.end],
            headers=headers,
        )


def head(one: Recording) -> Headers:
    """The recorded head, without what is of its time; with a content type, whatever else."""
    headers = [pair for pair in one.response.headers if pair[0] not in OWN]
    if any(name == "content-type" for name, _ in headers):
        return headers
    return [*headers, ("content-type", "application/json")]


def _usage(one: Recording) -> Usage:
    usage = one.usage
    if usage is None:
        return Usage(0, 0)
    return Usage(usage.prompt, usage.completion, usage.reasoning, usage.cached)
