"""The step clock of one replica: when its steps happen, without ticking.

All sequences of a replica advance together, one token a step. V counts steps, and between two
events a step takes the same time, so V is a straight line over time:

    V(t) = steps + (t − time) / step

    event               at V                  what happens to the line
    prefill begins      the next whole V      a step takes prefill, too: prompts first come first
                                              served, up to ``prefill_tokens`` a step, the last one
                                              cut there and gone on with in the next step
    a part of it ends   one step later, or    prompts that are whole have their first token and
                        several full ones of  decode
                        one long prompt
    a sequence ends     its first V + steps   one sequence fewer; another may be let in
    one leaves          any                   the same, at once

Token k of a sequence is due at V = first + k. But for those that leave nothing is needed from
outside for any event after a sequence has joined: how the clock goes on follows from what it
holds, so whoever looks at it, late perhaps, finds the same times. With nothing to do the clock
stands still, and the next prompt begins at once.

All of it is arithmetic on numbers that are passed in: times are seconds of any one clock.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, Protocol

from llmsim.core.load.step_cost import StepCost

NEVER: Final = math.inf
SLOTS: Final = 2048
"""Owners that a sequence's number tells apart: number = ticket · SLOTS + owner."""
INSTANT: Final = 1e-9
"""The least that a step takes, in seconds."""


class WaitingLine(Protocol):
    """The sequences that wait to be prefilled, by ticket."""

    room: int

    def put(self, ticket: int, owner: int, tokens: int, steps: float) -> None:
        """Remember one: its owner, the prompt tokens to prefill, and the steps it takes from its
        first token to its last."""
        ...

    def get(self, ticket: int) -> tuple[int, int, float] | None:
        """Owner, tokens and steps; None for one that has left."""
        ...

    def drop(self, ticket: int) -> None:
        """Forget one that leaves."""
        ...


class MemoryLine:
    """A waiting line in this process."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.room = room
        self._waiting: dict[int, tuple[int, int, float]] = {}

    def put(self, ticket: int, owner: int, tokens: int, steps: float) -> None:
        self._waiting[ticket] = (owner, tokens, steps)

    def get(self, ticket: int) -> tuple[int, int, float] | None:
        return self._waiting.get(ticket)

    def drop(self, ticket: int) -> None:
        self._waiting.pop(ticket, None)


class StepClock:
    """The state of one replica, moved on by whoever looks at it.

    ``ends`` are the V at which running sequences end, ascending, NEVER where a prompt's last part
    has not begun; ``numbers`` say whose they are. From ``start`` on prompts are prefilled, until
    ``tail`` ``batch`` tokens a step: ``members`` of them, none with a lower ticket than ``group``.
    ``rest`` tokens of the one called ``partial`` are left then, and ``partial_steps`` are what it
    takes after its first token. ``start`` and ``tail`` are NEVER where there is nothing to
    prefill. Tickets from ``head`` to ``next`` wait, ``queued`` of them still. ``prefilled`` counts
    prompt tokens.
    """

    __slots__ = (
        "batch",
        "cost",
        "ends",
        "group",
        "head",
        "line",
        "members",
        "next",
        "numbers",
        "partial",
        "partial_steps",
        "prefilled",
        "queued",
        "rest",
        "start",
        "step",
        "steps",
        "tail",
        "time",
    )

    def __init__(self, cost: StepCost, line: WaitingLine) -> None:
        self.cost = cost
        self.line = line
        self.steps = self.time = 0.0
        self.step = max(cost.step(0, 0), INSTANT)
        self.start = self.tail = NEVER
        self.group = self.members = self.batch = 0
        self.partial = self.rest = 0
        self.partial_steps = 0.0
        self.head = self.next = 1
        self.queued = self.prefilled = 0
        self.ends: list[float] = []
        self.numbers: list[int] = []

    @property
    def running(self) -> int:
        """Sequences that are prefilled or decode."""
        return len(self.ends)

    @property
    def change(self) -> float:
        """The V of the next event; NEVER where the clock stands still."""
        return min(self.start, self.tail, self.ends[0] if self.ends else NEVER)

    def steps_at(self, now: float) -> float:
        """V at ``now``, as far as the line reaches."""
        change = self.change
        if change == NEVER:
            return self.steps
        return min(self.steps + max(now - self.time, 0.0) / self.step, change)

    def time_of(self, steps: float) -> float:
        """When V is ``steps``, if nothing happens before."""
        return self.time + (steps - self.steps) * self.step

    def first(self, ticket: int, steps: float) -> float | None:
        """The V at which that sequence, which takes ``steps``, has its first token; None while it
        waits. One that has ended had it in time: the V it would have if it ended now."""
        if ticket >= self.head:
            return None
        for end, number in zip(self.ends, self.numbers, strict=True):
            if number // SLOTS == ticket:
                return None if end == NEVER else float(round(end - steps))
        return float(math.floor(self.steps) - math.ceil(steps))

    def advance(self, now: float) -> bool:
        """Let everything happen that does so until ``now``: whether anything did."""
        moved = False
        while (change := self.change) != NEVER:
            at = self.time_of(change)
            if at > now:
                break
            self._happen(change, at)
            moved = True
        return moved

    def join(
        self, now: float, owner: int, tokens: int, steps: float, others: Sequence[float] = ()
    ) -> int | None:
        """A sequence arrives: the ticket it waits with, or None where no more may wait.

        ``tokens`` are to be prefilled; ``steps`` lie between its first and its last token, and
        ``others`` between those of sequences that continue the same prompt: nothing is left to
        prefill of that, and their tickets are the next ones.
        """
        self.advance(now)
        if self.next + len(others) - self.head >= self.line.room:
            return None
        if self.change == NEVER:
            self.steps, self.time = float(math.ceil(self.steps)), max(now, self.time)
        ticket = self.next
        self.line.put(ticket, owner, tokens, steps)
        for place, each in enumerate(others, ticket + 1):
            self.line.put(place, owner, 0, each)
        self.next = ticket + 1 + len(others)
        self.queued += 1 + len(others)
        self._plan_prefill(self.steps_at(now))
        return ticket

    def leave(self, now: float, ticket: int) -> None:
        """A sequence gives its place back, if it has not ended."""
        self.advance(now)
        if ticket >= self.head:
            if self.line.get(ticket) is not None:
                self.line.drop(ticket)
                self.queued -= 1
                if not self.queued:
                    self.start = NEVER
            return
        for place, number in enumerate(self.numbers):
            if number // SLOTS == ticket:
                self._cut(now)
                self._give_up(place)
                self._settle()
                return

    def leave_all(self, now: float, owner: int) -> None:
        """All sequences of an owner that has died leave."""
        self.advance(now)
        self._cut(now)
        for place in range(len(self.numbers) - 1, -1, -1):
            if self.numbers[place] % SLOTS == owner:
                self._give_up(place)
        self.queued = 0
        for ticket in range(self.head, self.next):
            waiting = self.line.get(ticket)
            if waiting is not None:
                if waiting[0] == owner:
                    self.line.drop(ticket)
                else:
                    self.queued += 1
        if not self.queued:
            self.start = NEVER
        self._settle()

    def adjust(self, now: float, cost: StepCost) -> None:
        """Steps cost something else from now on. Sequences that run go on running, however few
        may do so now."""
        self.advance(now)
        self._cut(now)
        self.cost = cost
        self._settle()

    def _happen(self, steps: float, at: float) -> None:
        """The events of V = ``steps``, at time ``at``."""
        self.steps, self.time = steps, at
        if self.tail <= steps:
            self.tail = NEVER
            self.members, self.group = int(self.partial > 0), self.partial // SLOTS
            self.batch = 0
        ended = bisect_right(self.ends, steps)
        del self.ends[:ended], self.numbers[:ended]
        if self.start <= steps:
            self.start = NEVER
            self._prefill()
        self._settle()

    def _prefill(self) -> None:
        """Begin to prefill: full steps of a prompt that is longer than one, or the next step."""
        budget = self.cost.prefill_tokens
        self.group = self.partial // SLOTS or self.head
        if self.rest > budget:
            lasts = math.ceil(self.rest / budget) - 1
            self.batch, self.tail = budget, self.steps + lasts
            self.rest -= lasts * budget
            self.prefilled += lasts * budget
            return
        tail, tokens = self.steps + 1, self.rest
        if self.partial:
            self._remove(self.numbers.index(self.partial))
            self._run(self.partial, tail + self.partial_steps)
            self.partial = self.rest = 0
        while (
            tokens < budget and self.head < self.next and len(self.ends) < self.cost.max_sequences
        ):
            ticket = self.head
            self.head = ticket + 1
            waiting = self.line.get(ticket)
            if waiting is None:
                continue
            owner, prompt, steps = waiting
            self.queued -= 1
            number, part = ticket * SLOTS + owner, min(prompt, budget - tokens)
            tokens += part
            if part == prompt:
                self._run(number, tail + steps)
            else:
                self._run(number, NEVER)
                self.partial, self.rest, self.partial_steps = number, prompt - part, steps
        self.prefilled += tokens
        if self.members:
            self.batch, self.tail = tokens, tail

    def _run(self, number: int, end: float) -> None:
        """A sequence runs, first among those that are prefilled, until ``end``."""
        place = bisect_right(self.ends, end)
        self.ends.insert(place, end)
        self.numbers.insert(place, number)
        self.members += 1

    def _remove(self, place: int) -> None:
        """A sequence runs no longer."""
        number = self.numbers[place]
        del self.ends[place], self.numbers[place]
        if self.members and number >= self.group * SLOTS:
            self.members -= 1

    def _give_up(self, place: int) -> None:
        """A running sequence leaves before its end."""
        if self.numbers[place] == self.partial:
            self.partial = self.rest = 0
        self._remove(place)
        if self.tail != NEVER and not self.members:  # nobody needs what is left of the prefill
            tail = float(math.ceil(self.steps))
            self.prefilled -= round((self.tail - tail) * self.batch)
            self.tail = tail

    def _cut(self, now: float) -> None:
        """The line goes on from ``now``."""
        steps = self.steps_at(now)
        self.steps, self.time = steps, max(now, self.time)

    def _settle(self) -> None:
        """What follows from the sequences there are now."""
        decoding = len(self.ends) - self.members
        self.step = max(self.cost.step(decoding, self.batch), INSTANT)
        self._plan_prefill(self.steps)

    def _plan_prefill(self, steps: float) -> None:
        """Prefill goes on at the next whole V, if there is a prompt that may."""
        if self.tail != NEVER or self.start != NEVER:
            return
        if self.partial or (self.queued and len(self.ends) < self.cost.max_sequences):
            self.start = float(math.ceil(steps))
