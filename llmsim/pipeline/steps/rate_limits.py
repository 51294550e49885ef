"""Requests are counted against the limits of their caller, and wait for their turn."""

from __future__ import annotations

from operator import sub

from msgspec import structs

from llmsim.core import Complete, Headers, LimitStatus, Request
from llmsim.core.api_keys import masked
from llmsim.core.errors import BadRequest, Exceeded, Failure, FailureKind, Measure
from llmsim.core.rate_limits import BURSTS, RateLimit
from llmsim.engine.compose import ModelSettings
from llmsim.engine.token_bucket import PERIODS, Bucket
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.queue import Queue
from llmsim.pipeline.settings import PipelineSettings
from llmsim.providers.provider import LimitHeaders
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.rate_limit_buckets import COUNTED, Account, RateLimitBuckets, Taken, hashed

REMEMBERED = 4096
KINDS = {
    Measure.REQUESTS: FailureKind.RATE_LIMIT,
    Measure.CONCURRENT: FailureKind.RATE_LIMIT,
    Measure.DAILY: FailureKind.QUOTA,
    Measure.TOKENS: FailureKind.TOKEN_LIMIT,
    Measure.INPUT: FailureKind.TOKEN_LIMIT,
    Measure.OUTPUT: FailureKind.TOKEN_LIMIT,
}


class LimitHold:
    """What one request holds of its caller's limits until it ends."""

    __slots__ = ("_account", "_buckets", "_estimate", "_held", "_queue", "_taken", "_told")

    def __init__(self, buckets: RateLimitBuckets) -> None:
        self._buckets = buckets
        self._account: Account | None = None
        self._held = False
        self._queue: Queue | None = None

    def asked(
        self, account: Account, estimate: tuple[int, ...], taken: Taken, told: LimitHeaders
    ) -> None:
        """Say what came of asking for so much, and how the caller is told."""
        self._account, self._estimate = account, estimate
        self._taken, self._told = taken, told
        self._held = taken.refused is None

    def entered(self, queue: Queue) -> None:
        """Say whose place it holds."""
        self._queue = queue

    def headers(self, now: float) -> Headers:
        """The limit headers of the response, at a Unix time."""
        account = self._account
        return [] if account is None else self._told(limit_statuses(account, self._taken), now)

    def settle(self, tokens: tuple[int, int, int, int]) -> None:
        """Give back what is held, at the one end of the request. ``tokens`` are what was really
        used: prompt, completion, reasoning and cached."""
        if self._held:
            self._held = False
            account = self._account
            assert account is not None
            more = None
            if account.tokens:
                real = _amounts(tokens[0], tokens[1], tokens[3])
                if real != self._estimate:
                    more = tuple(map(sub, real, self._estimate))
            self._buckets.settle(account, more)
        if self._queue is not None:
            queue, self._queue = self._queue, None
            queue.leave()


class RateLimitRule:
    """One rule, ready to be applied."""

    def __init__(self, rule: RateLimit) -> None:
        self.rule = rule
        self.name = rule_name(rule)
        self.hashed = hashed(self.name)
        self.buckets = buckets_of(rule)

    def account(self, key: str, model: str, names: dict[str, str]) -> Account:
        """The caller's account, by a name that follows from nothing but the rule's patterns, so
        that it stays what it is when the limits change."""
        own = model if self.rule.per_model else ""
        name = f"{self.name}\0{key}\0{own}"
        label = (masked(key, names), own or self.rule.model)
        return Account(name, self.hashed, label, self.buckets, self.rule.concurrent_requests)


class RateLimitStep:
    """The step that admits requests."""

    def __init__(self, config: PipelineSettings, shared: SharedState, queue: Queue) -> None:
        self._shared = shared
        self._buckets = shared.buckets
        self._rulings = [RateLimitRule(rule) for rule in config.rate_limits]
        self._names = {one.key: one.name for one in config.keys if one.name}
        self._concurrency = config.concurrency
        self._queue = queue if config.concurrency.max_concurrency is not None else None
        self._accounts: dict[tuple[str, str], Account | None] = {}

    async def consider(self, context: RequestContext) -> None:
        """Admit one request. Raises BadRequest for one over a limit."""
        port = context.port
        if port is None:  # batches have limits of their own, which nobody set
            return
        context.lifecycle.allowance = allowance = LimitHold(self._buckets)
        if self._rulings:
            provider = context.lifecycle.endpoint.provider
            key = provider.auth.key(port.header, port.query)
            account = self._account(key, context.request.model)
            if account is not None:
                self._admit(context, account, allowance, provider.limit_headers)
        if self._queue is not None:
            waited = await self._queue.enter(self._concurrency, port)
            allowance.entered(self._queue)
            if waited:
                overrides = context.overrides
                context.overrides = structs.replace(overrides, waited=overrides.waited + waited)

    def _account(self, key: str, model: str) -> Account | None:
        try:
            return self._accounts[key, model]
        except KeyError:
            pass
        owner = self._names.get(key, key)
        account = None
        for ruling in self._rulings:
            if ruling.rule.matches(key, model) or ruling.rule.matches(owner, model):
                account = ruling.account(key, model, self._names)
                break
        if len(self._accounts) >= REMEMBERED:
            self._accounts.clear()
        self._accounts[key, model] = account
        return account

    def _admit(
        self, context: RequestContext, account: Account, allowance: LimitHold, told: LimitHeaders
    ) -> None:
        estimate = estimated(context.request, context.settings, context.prompt_tokens)
        taken = self._buckets.take(account, estimate)
        if taken.refused == -1 and self._shared.reap(self._buckets.busy(account)):
            taken = self._buckets.take(account, estimate)
        allowance.asked(account, estimate, taken, told)
        if taken.refused is not None:
            raise BadRequest(_failure(account, taken, estimate, context.request.model))


def rule_name(rule: RateLimit) -> str:
    """What tells a rule from the others."""
    return f"{rule.key}\0{rule.model}\0{int(rule.per_model)}"


def buckets_of(rule: RateLimit) -> tuple[tuple[int, Bucket], ...]:
    """The buckets that a rule gives each caller, by their places in an account."""
    made = []
    for column, measure in enumerate(COUNTED):
        limit = getattr(rule, measure.value)
        if limit is not None:
            burst = getattr(rule, BURSTS[measure.value]) if measure.value in BURSTS else None
            made.append((column, Bucket(limit, burst or limit, PERIODS[measure])))
    return tuple(made)


def estimated(request: Request, settings: ModelSettings, prompt: int) -> tuple[int, ...]:
    """What a request may come to, by the places in an account."""
    if request.task is not None and not isinstance(request.task, Complete):
        return _amounts(prompt, 0, 0)
    each = settings.target_tokens if request.max_tokens is None else request.max_tokens
    return _amounts(prompt, each * request.n, 0)


def limit_statuses(account: Account, taken: Taken) -> list[LimitStatus]:
    """How the account stands after an attempt."""
    return [
        LimitStatus(
            COUNTED[column], bucket.limit, bucket.remaining(count), bucket.reset(count) / 1e6
        )
        for (column, bucket), count in zip(account.buckets, taken.counts, strict=True)
    ]


def _amounts(prompt: int, completion: int, cached: int) -> tuple[int, ...]:
    """One request as the places in an account count it; what was cached is no input."""
    return (1, 1, prompt + completion, prompt - cached, completion)


def _failure(account: Account, taken: Taken, estimate: tuple[int, ...], model: str) -> Failure:
    place = taken.refused
    assert place is not None
    if place < 0:
        limit = account.concurrent or 0
        exceeded = Exceeded(Measure.CONCURRENT, limit, taken.open, 1, model, None)
    else:
        column, bucket = account.buckets[place]
        count, amount = taken.counts[place], estimate[column]
        wait = bucket.wait(count, amount)
        seconds = None if wait is None else wait / 1e6
        used = bucket.used(count)
        exceeded = Exceeded(COUNTED[column], bucket.burst, used, amount, model, seconds)
    message = f"{exceeded.measure.value}: the limit of {exceeded.limit} is reached"
    kind = KINDS[exceeded.measure]
    return Failure(kind, message, retry_after=exceeded.wait, exceeded=exceeded)
