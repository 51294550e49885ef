"""From a request to a plan: frames and the times at which they are due."""

from __future__ import annotations

import numpy as np

from llmsim.engine.answer import Draw, Rules, compose, effort_of
from llmsim.engine.latency import EFFORT, arrivals
from llmsim.engine.seeds import mix
from llmsim.errors import Failure
from llmsim.exchange import Ask, Dialect, Frames, Plan, Reply, Seconds, Stamp


class Whole:
    """One frame: a plain answer."""

    __slots__ = ("_body",)

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int, /) -> bytes:
        return (self._body,)[index]

    def join(self, start: int, stop: int) -> bytes:
        return self._body if start <= 0 < stop else b""

    def reorder(self, order: object) -> Frames:
        return self


def plan(ask: Ask, rules: Rules, draw: Draw, dialect: Dialect, stamp: Stamp) -> Plan:
    """The answer to ``ask`` in ``dialect``, and when each frame of it is due.

    A pure function: the same arguments give the same plan in every process. Raises BadRequest
    when the request cannot be answered under ``rules``.
    """
    reply = compose(ask, rules, draw)
    clock = clock_of(ask, rules, draw, reply)
    ttft, total = float(clock[0]), float(clock.max())
    if not ask.stream:
        whole = Whole(dialect.plain(ask, reply, stamp))
        return Plan(200, whole, np.array([total]), False, ttft, total, draw.seed, reply)
    script = dialect.script(ask, reply, stamp)
    frames, due = script.frames, np.append(clock, total)[script.beats]
    if ask.n > 1:
        order = np.argsort(due, kind="stable")
        frames, due = frames.reorder(order), due[order]
    return Plan(200, frames, due, True, ttft, total, draw.seed, reply)


def failed(failure: Failure, status: int, body: bytes) -> Plan:
    """A failure, due at once."""
    return Plan(status, Whole(body), np.zeros(1), False, 0.0, 0.0, 0, failure=failure)


def clock_of(ask: Ask, rules: Rules, draw: Draw, reply: Reply) -> Seconds:
    """When each beat of the reply falls, all choices one after another, shape (beats,).

    Hidden reasoning takes place before the first token; how long it takes follows from the
    effort. All choices begin together.
    """
    scale = EFFORT[effort_of(ask, rules)] if rules.model.reasoning else 1.0
    times = [
        arrivals(rules.profile, choice.beats, mix(draw.seed, 1000 + index), scale)
        for index, choice in enumerate(reply.choices)
    ]
    return times[0] if len(times) == 1 else np.concatenate(times)
