"""The state protocols in plain objects, for one process that starts from nothing.

``llmsim plan`` uses them, and unit tests: every counter, cache and bucket is at its beginning, and
time passes only as ``clock`` says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Any, ParamSpec, TypeVar

from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.load.step_clock import MemoryLine, StepClock
from llmsim.core.load.step_cost import StepCost
from llmsim.core.rate_limits import Concurrency
from llmsim.core.state import QUEUE_FULL, Attempt, Caller, PipelineState
from llmsim.core.token_bucket import COUNTED, TOKENS, Bucket

P = ParamSpec("P")
T = TypeVar("T")

IDLE = StepCost(0.0, 0.0, 0.0, 1, 1)
"""The cost of a step that nobody makes."""


class MemoryCounters:
    """Counters by name."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, int] = defaultdict(int)

    def advance(self, name: str) -> int:
        """How often ``name`` was counted before, counting it now."""
        before = self._counts[name]
        self._counts[name] = before + 1
        return before

    def take(self, name: str, most: int) -> int | None:
        """Like :meth:`advance`, but None, uncounted, once ``most`` were counted."""
        return None if self._counts[name] >= most else self.advance(name)

    def reached(self, name: str) -> int:
        """How often ``name`` was counted."""
        return self._counts[name]


class MemoryOrder:
    """Places in orders, from ``turn`` and from 0."""

    def __init__(self, turn: int = 0) -> None:
        self._turns = count(turn)
        self._draws = count()

    def turn(self) -> int:
        """The next place among requests that take a text of the generator ``sequence``."""
        return next(self._turns)

    def draw(self) -> int:
        """The next place among requests whose failure is left to chance."""
        return next(self._draws)


class MemoryAccount:
    """A caller's buckets under one rate limit, and what was taken of them."""

    def __init__(self, buckets: tuple[tuple[int, Bucket], ...], concurrent: int | None) -> None:
        self.buckets = buckets
        self.tokens = any(COUNTED[column] in TOKENS for column, _ in buckets)
        self.concurrent = concurrent
        self.taken = [0] * len(buckets)
        self.open = 0
        self.counted_at: float | None = None


class MemoryRateLimiter:
    """Rate limits by account name. ``clock`` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._accounts: dict[str, MemoryAccount] = {}

    def account(
        self,
        name: str,
        rule: str,
        label: tuple[str, str],
        buckets: tuple[tuple[int, Bucket], ...],
        concurrent: int | None,
    ) -> MemoryAccount:
        """The account of that name."""
        return self._accounts.setdefault(name, MemoryAccount(buckets, concurrent))

    def take(self, account: MemoryAccount, amounts: tuple[int, ...]) -> Attempt:
        """Take from each of the account's buckets, and open a request; all of it or nothing."""
        self._refill(account)
        taken = account.taken
        if account.concurrent is not None and account.open >= account.concurrent:
            return Attempt(tuple(taken), -1, account.open)
        for place, (column, bucket) in enumerate(account.buckets):
            if not bucket.fits(taken[place], amounts[column]):
                return Attempt(tuple(taken), place)
        self._add(account, amounts)
        account.open += 1
        return Attempt(tuple(account.taken), None)

    def settle(self, account: MemoryAccount, difference: tuple[int, ...] | None) -> None:
        """Close one of the account's open requests, and add what was used beyond what was
        taken."""
        account.open -= 1
        if difference is not None:
            self._refill(account)
            self._add(account, difference)

    def _add(self, account: MemoryAccount, amounts: tuple[int, ...]) -> None:
        for place, (column, bucket) in enumerate(account.buckets):
            account.taken[place] = max(account.taken[place] + amounts[column] * bucket.period, 0)

    def _refill(self, account: MemoryAccount) -> None:
        now = self._clock()
        if account.counted_at is not None:
            elapsed = round((now - account.counted_at) * 1e6)
            account.taken = [
                bucket.refilled(taken, elapsed)
                for taken, (_, bucket) in zip(account.taken, account.buckets, strict=True)
            ]
        account.counted_at = now


class MemoryQueue:
    """Concurrency slots without a line: whoever finds none free is refused."""

    def __init__(self) -> None:
        self._held = 0

    async def enter(self, concurrency: Concurrency, caller: Caller | None) -> float:
        """Take a slot. Raises BadRequest where there is none."""
        assert concurrency.max_concurrency is not None
        if self._held >= concurrency.max_concurrency:
            raise BadRequest(Failure(FailureKind.OVERLOADED, QUEUE_FULL))
        self._held += 1
        return 0.0

    def leave(self) -> None:
        """Give the slot back."""
        self._held -= 1


class MemoryPrefixes:
    """Prefixes of prompts by key. ``clock`` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[int, float] = {}

    def holds(self, key: int) -> bool:
        """Whether the prefix is in the cache."""
        return self._until.get(key, 0.0) > self._clock()

    def keep(self, key: int, ttl: int) -> None:
        """Keep the prefix for at least ``ttl`` seconds."""
        self._until[key] = max(self._until.get(key, 0.0), self._clock() + ttl)


class MemoryStepClocks:
    """Step clocks by model and replica."""

    def __init__(self, room: int = 1 << 30) -> None:
        self._room = room
        self._places: dict[tuple[str, int], int] = {}
        self._turns: defaultdict[str, int] = defaultdict(int)
        self._clocks: list[StepClock] = []

    def find(self, model: str, replicas: int) -> int:
        """The clock of the model's replica whose turn it is."""
        turn = self._turns[model]
        self._turns[model] = turn + 1
        place = self._places.setdefault((model, turn % replicas), len(self._clocks))
        if place == len(self._clocks):
            self._clocks.append(StepClock(IDLE, MemoryLine(self._room)))
        return place

    def read(self, clock: int, now: float) -> StepClock:
        """The clock as it is at ``now``."""
        state = self._clocks[clock]
        state.advance(now)
        return state

    def join(
        self,
        clock: int,
        cost: StepCost,
        now: float,
        tokens: int,
        steps: float,
        others: Sequence[float] = (),
    ) -> int | None:
        """A sequence arrives at the clock: its ticket, or None where no more may wait."""
        state = self._clocks[clock]
        if state.cost != cost:
            state.adjust(now, cost)
        return state.join(now, 0, tokens, steps, others)

    def leave(self, clock: int, now: float, tickets: range) -> None:
        """Sequences give their places back."""
        for ticket in tickets:
            self._clocks[clock].leave(now, ticket)


async def inline(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function here and now: nobody else waits."""
    return function(*args, **kwargs)


def memory_state(
    fresh: Callable[[], int],
    *,
    turn: int = 0,
    clock: Callable[[], float] = lambda: 1.0,
    offload: Callable[..., Awaitable[Any]] = inline,
) -> PipelineState:
    """State at its beginning. ``fresh`` gives the seeds of requests that come with none; ``clock``
    (seconds) stands still unless another one is passed, and the timetable began at its 0."""
    return PipelineState(
        counters=MemoryCounters(),
        limiter=MemoryRateLimiter(clock),
        queue=MemoryQueue(),
        order=MemoryOrder(turn),
        prefixes=MemoryPrefixes(clock),
        elapsed=clock,
        fresh=fresh,
        offload=offload,
    )
