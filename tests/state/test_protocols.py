"""The protocols of shared state: plain objects and shared memory behave alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from llmsim.config import Config, Server
from llmsim.core.errors import BadRequest, FailureKind
from llmsim.core.rate_limits import Concurrency
from llmsim.core.state import Attempt, Counters, PromptPrefixes, RateLimiter, RequestOrder
from llmsim.core.token_bucket import Bucket
from llmsim.state import memory
from llmsim.state.shared_state import new_segment
from llmsim.state.shm.named_counters import NamedCounters
from llmsim.state.shm.prompt_prefixes import ExpiringPrefixes, PrefixTable
from llmsim.state.shm.rate_limit_buckets import RateLimitBuckets
from llmsim.state.shm.request_order import SegmentOrder
from llmsim.state.shm.segment import Segment

REQUESTS, TOKENS = 0, 2  # places in COUNTED
MINUTE = 60_000_000


class Clock:
    """Seconds, which pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def micros(self) -> int:
        return round(self.now * 1e6)


def segment() -> Segment:
    return new_segment(Config(Server(workers=2, journal_mb=1)))


def shared_limiter(clock: Clock) -> RateLimiter:
    buckets = RateLimitBuckets(segment(), clock.micros)
    buckets.slot = 0
    return buckets


COUNTERS: list[Callable[[], Counters]] = [
    memory.MemoryCounters,
    lambda: NamedCounters(segment()),
]
ORDERS: list[Callable[[], RequestOrder]] = [memory.MemoryOrder, lambda: SegmentOrder(segment())]
LIMITERS: list[Callable[[Clock], RateLimiter]] = [memory.MemoryRateLimiter, shared_limiter]
PREFIXES: list[Callable[[Clock], PromptPrefixes]] = [
    memory.MemoryPrefixes,
    lambda clock: ExpiringPrefixes(PrefixTable(segment().prefixes()), clock),
]
KINDS = ["memory", "shared"]


@pytest.mark.parametrize("make", COUNTERS, ids=KINDS)
def test_counters(make: Callable[[], Counters]) -> None:
    counters = make()
    assert counters.reached("a") == 0
    assert [counters.advance("a") for _ in range(3)] == [0, 1, 2]
    assert [counters.take("b", 2) for _ in range(4)] == [0, 1, None, None]
    assert (counters.reached("a"), counters.reached("b")) == (3, 2)
    assert counters.take("b", 5) == 2  # a bound that was raised meanwhile


@pytest.mark.parametrize("make", ORDERS, ids=KINDS)
def test_orders(make: Callable[[], RequestOrder]) -> None:
    order = make()
    assert [order.turn(), order.turn(), order.draw(), order.turn(), order.draw()] == [0, 1, 0, 2, 1]


def test_an_order_can_begin_further_on() -> None:
    order = memory.MemoryOrder(7)
    assert [order.turn(), order.turn(), order.draw()] == [7, 8, 0]


@pytest.mark.parametrize("make", PREFIXES, ids=KINDS)
def test_prefixes_are_kept_for_a_time(make: Callable[[Clock], PromptPrefixes]) -> None:
    clock = Clock()
    prefixes = make(clock)
    key = 0x1234_5678_9ABC_DEF0
    assert not prefixes.holds(key)
    prefixes.keep(key, 10)
    prefixes.keep(key, 5)  # at least so long
    assert prefixes.holds(key)
    assert not prefixes.holds(key + 1)
    clock.now += 9
    assert prefixes.holds(key)
    clock.now += 1
    assert not prefixes.holds(key)


def buckets(
    requests: int | None = None, tokens: int | None = None
) -> tuple[tuple[int, Bucket], ...]:
    made = []
    if requests is not None:
        made.append((REQUESTS, Bucket(requests, requests)))
    if tokens is not None:
        made.append((TOKENS, Bucket(tokens, tokens)))
    return tuple(made)


def amounts(tokens: int) -> tuple[int, ...]:
    return (1, 1, tokens, tokens, 0)


@pytest.mark.parametrize("make", LIMITERS, ids=KINDS)
def test_all_buckets_or_none(make: Callable[[Clock], RateLimiter]) -> None:
    limiter = make(Clock())
    account = limiter.account("a", "rule", ("k", "m"), buckets(5, 100), None)
    assert account.tokens
    assert limiter.take(account, amounts(60)) == Attempt((MINUTE, 60 * MINUTE), None)
    assert limiter.take(account, amounts(60)) == Attempt((MINUTE, 60 * MINUTE), 1)
    assert limiter.take(account, amounts(40)) == Attempt((2 * MINUTE, 100 * MINUTE), None)


@pytest.mark.parametrize("make", LIMITERS, ids=KINDS)
def test_what_was_used_less_is_given_back_and_what_more_is_taken(
    make: Callable[[Clock], RateLimiter],
) -> None:
    limiter = make(Clock())
    account = limiter.account("a", "rule", ("k", "m"), buckets(tokens=100), None)
    limiter.take(account, amounts(60))
    limiter.settle(account, (0, 0, -50, -50, 0))
    assert limiter.take(account, amounts(20)).counts == (30 * MINUTE,)
    limiter.settle(account, (0, 0, 200, 0, 0))
    assert limiter.take(account, amounts(0)).counts == (230 * MINUTE,)
    limiter.settle(account, None)
    assert limiter.take(account, amounts(1)) == Attempt((230 * MINUTE,), 0)


@pytest.mark.parametrize("make", LIMITERS, ids=KINDS)
def test_no_bucket_is_given_back_more_than_was_taken(make: Callable[[Clock], RateLimiter]) -> None:
    clock = Clock()
    limiter = make(clock)
    account = limiter.account("a", "rule", ("k", "m"), buckets(tokens=60), None)
    limiter.take(account, amounts(60))
    clock.now += 45  # 45 of 60 came back by themselves
    limiter.settle(account, (0, 0, -60, 0, 0))
    assert limiter.take(account, amounts(0)).counts == (0,)


@pytest.mark.parametrize("make", LIMITERS, ids=KINDS)
def test_buckets_refill_as_time_passes(make: Callable[[Clock], RateLimiter]) -> None:
    clock = Clock()
    limiter = make(clock)
    account = limiter.account("a", "rule", ("k", "m"), buckets(requests=2), None)
    assert [limiter.take(account, amounts(0)).refused for _ in range(3)] == [None, None, 0]
    clock.now += 29.9
    assert limiter.take(account, amounts(0)).refused == 0
    clock.now += 0.1
    assert [limiter.take(account, amounts(0)).refused for _ in range(2)] == [None, 0]


@pytest.mark.parametrize("make", LIMITERS, ids=KINDS)
def test_open_requests_are_bounded(make: Callable[[Clock], RateLimiter]) -> None:
    limiter = make(Clock())
    account = limiter.account("a", "rule", ("k", "m"), (), 2)
    assert not account.tokens
    assert [limiter.take(account, amounts(1)).refused for _ in range(2)] == [None, None]
    attempt = limiter.take(account, amounts(1))
    assert (attempt.refused, attempt.open) == (-1, 2)
    limiter.settle(account, None)
    assert limiter.take(account, amounts(1)).refused is None


@pytest.mark.parametrize("make", LIMITERS, ids=KINDS)
def test_accounts_are_told_apart_by_name(make: Callable[[Clock], RateLimiter]) -> None:
    limiter = make(Clock())
    one, other = (
        limiter.account(name, "rule", ("k", "m"), buckets(requests=1), None) for name in "ab"
    )
    same = limiter.account("a", "rule", ("k", "m"), buckets(requests=1), None)
    assert [limiter.take(it, amounts(0)).refused for it in (one, other, same)] == [None, None, 0]


def test_without_a_line_whoever_finds_no_slot_is_refused() -> None:
    """``llmsim plan``'s queue: nobody else is there to wait for."""

    async def scene() -> None:
        queue, concurrency = memory.MemoryQueue(), Concurrency(max_concurrency=1)
        assert await queue.enter(concurrency, None) == 0.0
        with pytest.raises(BadRequest) as refused:
            await queue.enter(concurrency, None)
        assert refused.value.failure.kind is FailureKind.OVERLOADED
        queue.leave()
        assert await queue.enter(concurrency, None) == 0.0

    asyncio.run(scene())


def test_state_at_its_beginning() -> None:
    state = memory.memory_state(lambda: 5, turn=3)
    assert (state.fresh(), state.order.turn(), state.elapsed()) == (5, 3, 1.0)
    assert asyncio.run(_offloaded(state.offload)) == 7


async def _offloaded(offload: Callable[..., object]) -> object:
    return await offload(lambda one, two: one + two, 3, two=4)  # type: ignore[misc]
