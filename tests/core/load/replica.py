"""A replica played step by step, and the step clock played over the same requests.

The first is what the clock stands for: each step, every decoding sequence makes a token and the
prompts at the front of the line are prefilled, chunked, up to the budget of the step.
"""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llmsim.core.load.step_clock import NEVER, MemoryLine, StepClock
from llmsim.core.load.step_cost import StepCost


@dataclass
class Asked:
    """A request: its arrival in seconds, prompt tokens and completion tokens."""

    arrival: float
    prompt: int
    tokens: int
    left: int = 0
    times: list[float] = field(default_factory=list)


def poisson(rate: float, seconds: float, seed: int) -> list[Asked]:
    """Requests of Poisson arrivals; prompts have a median of 800 tokens, answers of 150."""
    generator = np.random.Generator(np.random.PCG64(seed))
    requests, now = [], 0.0
    while (now := now + generator.exponential(1 / rate)) < seconds:
        prompt = max(round(generator.lognormal(math.log(800), 0.8)), 1)
        tokens = max(round(generator.lognormal(math.log(150), 0.6)), 1)
        requests.append(Asked(now, prompt, tokens))
    return requests


def step_by_step(requests: list[Asked], cost: StepCost) -> None:
    """Fill in when each token exists, one step after another."""
    coming = deque(sorted(requests, key=lambda one: one.arrival))
    waiting: deque[Asked] = deque()
    prefilling: deque[Asked] = deque()
    decoding: list[Asked] = []
    now = 0.0
    while coming or waiting or prefilling or decoding:
        if not (waiting or prefilling or decoding):
            now = max(now, coming[0].arrival)
        while coming and coming[0].arrival <= now:
            waiting.append(coming.popleft())
        budget, parts = cost.prefill_tokens, []
        for one in prefilling:
            part = min(one.left, budget)
            parts.append((one, part))
            budget -= part
        while budget and waiting and len(prefilling) + len(decoding) < cost.max_sequences:
            one = waiting.popleft()
            one.left = one.prompt
            part = min(one.left, budget)
            prefilling.append(one)
            parts.append((one, part))
            budget -= part
        now += cost.step(len(decoding), sum(part for _, part in parts))
        for one in decoding:
            one.times.append(now)
        for one, part in parts:
            one.left -= part
            if not one.left:
                one.times.append(now)
                prefilling.remove(one)
                decoding.append(one)
        decoding = [one for one in decoding if len(one.times) < one.tokens]


class Played(StepClock):
    """A step clock that keeps its lines: (V, time) wherever one begins."""

    def __init__(self, cost: StepCost) -> None:
        super().__init__(cost, MemoryLine())
        self.lines: list[tuple[float, float]] = []

    def _happen(self, steps: float, at: float) -> None:
        super()._happen(steps, at)
        self.lines.append((steps, at))

    def times(self, steps: NDArray[np.float64]) -> list[float]:
        """When the clock, which has come to its end, was at each V."""
        known, at = np.array(self.lines).T
        place = np.searchsorted(known, steps, side="left")
        before = np.maximum(place - 1, 0)
        # Where the clock stood still, a line begins at the V at which the last one ended.
        last = np.searchsorted(known, known[before], side="right") - 1
        share = (steps - known[last]) / np.where(
            known[place] > known[last], known[place] - known[last], 1
        )
        times: list[float] = np.where(
            known[place] == steps, at[place], at[last] + share * (at[place] - at[last])
        ).tolist()
        return times


def by_clock(requests: list[Asked], cost: StepCost) -> Played:
    """Fill in when each token exists, by the step clock."""
    clock = Played(cost)
    firsts: dict[int, float] = {}
    waiting: dict[int, Asked] = {}
    joined: list[tuple[Asked, int]] = []

    def look() -> None:
        for ticket in [one for one in waiting if one < clock.head]:
            first = clock.first(ticket, waiting[ticket].tokens - 1)
            if first is not None:
                firsts[ticket] = first
                del waiting[ticket]

    def move(until: float) -> None:
        while clock.change != NEVER and clock.time_of(clock.change) <= until:
            clock.advance(clock.time_of(clock.change))
            look()

    for one in sorted(requests, key=lambda one: one.arrival):
        move(one.arrival)
        if clock.change == NEVER:
            clock.lines.append((float(math.ceil(clock.steps)), one.arrival))
        ticket = clock.join(one.arrival, 0, one.prompt, one.tokens - 1)
        assert ticket is not None
        waiting[ticket] = one
        joined.append((one, ticket))
    move(NEVER)
    for one, ticket in joined:
        one.times = clock.times(firsts[ticket] + np.arange(one.tokens))
    return clock
