"""From a request to a plan: frames and the times at which they are due."""

from __future__ import annotations

import numpy as np
from msgspec import structs

from llmsim.engine import caching, thinking
from llmsim.engine.answer import Draw, Rules, compose
from llmsim.engine.faults import struck
from llmsim.engine.faults.told import Told, said
from llmsim.engine.latency import arrivals, span
from llmsim.engine.mocks.spoken import counted
from llmsim.engine.orders import AS_ASKED, Orders
from llmsim.engine.seeds import mix
from llmsim.engine.task import perform
from llmsim.errors import Failure
from llmsim.exchange import Ask, Dialect, Frames, Plan, Reply, Seconds, Stamp

# Salts a request's seed for the clocks of its choices.
CLOCK = 1000
AT_ONCE = np.zeros(1)


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
    task = ask.task
    reply = compose(ask, rules, draw) if task is None else perform(ask, task, rules, draw)
    mock = draw.orders.mock
    if mock is not None and mock.usage is not None:
        reply = counted(reply, mock.usage)
    return timed(ask, reply, rules, draw.seed, dialect, stamp, draw.orders)


def timed(
    ask: Ask,
    reply: Reply,
    rules: Rules,
    seed: int,
    dialect: Dialect,
    stamp: Stamp,
    orders: Orders = AS_ASKED,
) -> Plan:
    """The plan of an answer whose words are known; ``seed`` decides when each is said."""
    if orders.fault is not None:
        return _faulty(ask, reply, rules, seed, dialect, stamp, orders)
    if not ask.stream:
        whole = Whole(dialect.plain(ask, reply, stamp))
        if (rules.draws.instant and orders is AS_ASKED) or not reply.choices:
            return Plan(200, whole, AT_ONCE, False, 0.0, 0.0, seed, reply)
        ttft, total = _span(ask, rules, seed, reply)
        if orders is not AS_ASKED:
            spoken = (total - ttft) * orders.pace
            ttft = orders.waited + ttft * orders.delay
            total = ttft + spoken
        return Plan(200, whole, np.array([total]), False, ttft, total, seed, reply)
    script = dialect.script(ask, reply, stamp)
    clock = _clock(ask, rules, seed, reply)
    if orders is not AS_ASKED:
        first = clock.min()
        clock = orders.waited + first * orders.delay + (clock - first) * orders.pace
    ttft, total = float(clock.min()), float(clock.max())
    frames, due = script.frames, np.append(clock, (ttft, 0.0, total))[script.beats]
    if len(reply.choices) > 1:
        order = np.argsort(due, kind="stable")
        frames, due = frames.reorder(order), due[order]
    return Plan(200, frames, due, True, ttft, total, seed, reply)


def _faulty(
    ask: Ask,
    reply: Reply,
    rules: Rules,
    seed: int,
    dialect: Dialect,
    stamp: Stamp,
    orders: Orders,
) -> Plan:
    """The plan of an answer in which something goes wrong."""
    fault = orders.fault
    assert fault is not None
    whole = timed(ask, reply, rules, seed, dialect, stamp, structs.replace(orders, fault=None))
    tokens = sum(choice.tokens for choice in reply.choices)
    reached = np.zeros(1, np.int64)
    if ask.stream:
        beats = dialect.script(ask, reply, stamp).beats
        reached = said(beats, _clock(ask, rules, seed, reply))

    def spell(failure: Failure, sent: int) -> bytes:
        return dialect.broken(ask, failure, stamp, sent)

    return struck(whole, Told(tokens, reached, spell), fault)


def _span(ask: Ask, rules: Rules, seed: int, reply: Reply) -> tuple[float, float]:
    """When the first and the last token of the reply exist: of all choices, the latest."""
    scale = _scale(ask, rules, reply)
    spans = [
        span(rules.draws, choice.tokens, mix(seed, CLOCK + index), scale)
        for index, choice in enumerate(reply.choices)
    ]
    if len(spans) == 1:
        return spans[0]
    return min(first for first, _ in spans), max(last for _, last in spans)


def _clock(ask: Ask, rules: Rules, seed: int, reply: Reply) -> Seconds:
    """When each beat of the reply falls, all choices one after another, shape (beats,).

    Hidden reasoning takes place before the first token; how long it takes follows from the
    effort. All choices begin together.
    """
    scale = _scale(ask, rules, reply)
    times = [
        arrivals(rules.draws, choice.beats, mix(seed, CLOCK + index), scale)
        for index, choice in enumerate(reply.choices)
    ]
    return times[0] if len(times) == 1 else np.concatenate(times)


def _scale(ask: Ask, rules: Rules, reply: Reply) -> float:
    """The factor on the time to first token: for thinking unseen, and for a cached prompt."""
    scale = thinking.scale(ask, rules.model)
    return scale * caching.scale(reply.usage) if reply.usage.cached else scale


def failed(failure: Failure, status: int, body: bytes) -> Plan:
    """A failure, due at once."""
    return Plan(status, Whole(body), AT_ONCE, False, 0.0, 0.0, 0, failure=failure)
