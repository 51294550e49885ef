"""Requests are counted against the limits of their caller, and wait for a concurrency slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import sub

from msgspec import structs

from llmsim.core import Complete, Headers, LimitStatus, Request
from llmsim.core.api_keys import masked
from llmsim.core.errors import BadRequest, Exceeded, Failure, FailureKind, Measure
from llmsim.core.rate_limits import BURSTS, Concurrency, RateLimit
from llmsim.core.state import Account, Attempt, ConcurrencyQueue, PipelineState, RateLimiter
from llmsim.core.token_bucket import COUNTED, PERIODS, Bucket
from llmsim.engine.compose import ModelSettings
from llmsim.pipeline.context import RequestContext
from llmsim.providers.provider import LimitHeaders

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

    __slots__ = ("_account", "_attempt", "_estimate", "_headers", "_limiter", "_open", "_queue")

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._account: Account | None = None
        self._open = False
        self._queue: ConcurrencyQueue | None = None

    def attempted(
        self, account: Account, estimate: tuple[int, ...], attempt: Attempt, headers: LimitHeaders
    ) -> None:
        """Remember what was asked of the account, what came of it, and how its provider tells
        callers of their limits."""
        self._account, self._estimate = account, estimate
        self._attempt, self._headers = attempt, headers
        self._open = attempt.refused is None

    def entered(self, queue: ConcurrencyQueue) -> None:
        """Remember whose slot the request has."""
        self._queue = queue

    def headers(self, now: float) -> Headers:
        """The limit headers of the response, at a Unix time."""
        account = self._account
        return [] if account is None else self._headers(limit_statuses(account, self._attempt), now)

    def effects(self, tokens: tuple[int, int, int, int]) -> list[tuple[str, int, int, int]]:
        """Of each bucket the key of its limit, the limit, and what was left in it before and after
        the request, which used ``tokens``."""
        account = self._account
        if account is None:
            return []
        taken = self._attempt.refused is None
        used = _amounts(tokens[0], tokens[1], tokens[3])
        found = []
        for (column, bucket), count in zip(account.buckets, self._attempt.counts, strict=True):
            left = bucket.remaining(count)
            before = min(left + self._estimate[column], bucket.burst) if taken else left
            after = max(before - used[column], 0) if taken else left
            found.append((COUNTED[column].value, bucket.limit, before, after))
        return found

    def settle(self, tokens: tuple[int, int, int, int]) -> None:
        """Give back what is held, at the one end of the request. ``tokens`` are what was really
        used: prompt, completion, reasoning and cached."""
        if self._open:
            self._open = False
            account = self._account
            assert account is not None
            difference = None
            if account.tokens:
                used = _amounts(tokens[0], tokens[1], tokens[3])
                if used != self._estimate:
                    difference = tuple(map(sub, used, self._estimate))
            self._limiter.settle(account, difference)
        if self._queue is not None:
            queue, self._queue = self._queue, None
            queue.leave()


class RateLimitStep:
    """The step that admits requests. The first rule that matches a caller and a model counts.

    ``names`` are the callers' names by their API keys.
    """

    def __init__(
        self,
        rules: Sequence[RateLimit],
        concurrency: Concurrency,
        names: Mapping[str, str],
        state: PipelineState,
    ) -> None:
        self._limiter = state.limiter
        self._rules = tuple(rules)
        self._names = names
        self._concurrency = concurrency
        self._queue = state.queue if concurrency.max_concurrency is not None else None
        self._accounts: dict[tuple[str, str], Account | None] = {}

    async def consider(self, context: RequestContext) -> None:
        """Admit one request. Raises BadRequest for one over a limit."""
        call = context.call
        caller = call.caller
        if caller is None:  # batches have limits of their own, which nobody set
            return
        call.held = hold = LimitHold(self._limiter)
        if self._rules:
            provider = call.endpoint.provider
            key = provider.auth.key(caller.header, caller.query)
            account = self._account(key, context.request.model)
            if account is not None:
                self._admit(context, account, hold, provider.limit_headers)
        if self._queue is not None:
            waited = await self._queue.enter(self._concurrency, caller)
            hold.entered(self._queue)
            if waited:
                overrides = context.overrides
                context.overrides = structs.replace(overrides, waited=overrides.waited + waited)

    def _account(self, key: str, model: str) -> Account | None:
        try:
            return self._accounts[key, model]
        except KeyError:
            pass
        account = None
        for rule in self._rules:
            if rule.matches(key, model) or rule.matches(self._names.get(key, key), model):
                account = self._opened(rule, key, model)
                break
        if len(self._accounts) >= REMEMBERED:
            self._accounts.clear()
        self._accounts[key, model] = account
        return account

    def _opened(self, rule: RateLimit, key: str, model: str) -> Account:
        """The caller's account, by a name that follows from nothing but the rule's patterns, so
        that it stays what it is when the limits change."""
        own = model if rule.per_model else ""
        name = rule_name(rule)
        label = (masked(key, self._names), own or rule.model)
        account: Account = self._limiter.account(
            f"{name}\0{key}\0{own}", name, label, buckets_of(rule), rule.concurrent_requests
        )
        return account

    def _admit(
        self, context: RequestContext, account: Account, hold: LimitHold, headers: LimitHeaders
    ) -> None:
        estimate = estimated(context.request, context.settings, context.prompt_tokens)
        attempt = self._limiter.take(account, estimate)
        hold.attempted(account, estimate, attempt, headers)
        if attempt.refused is not None:
            raise BadRequest(_failure(account, attempt, estimate, context.request.model))


def rule_name(rule: RateLimit) -> str:
    """What tells a rule from the others."""
    return f"{rule.key}\0{rule.model}\0{int(rule.per_model)}"


def buckets_of(rule: RateLimit) -> tuple[tuple[int, Bucket], ...]:
    """The buckets that a rule gives each caller, by their places in an account."""
    buckets = []
    for column, measure in enumerate(COUNTED):
        limit = getattr(rule, measure.value)
        if limit is not None:
            burst = getattr(rule, BURSTS[measure.value]) if measure.value in BURSTS else None
            buckets.append((column, Bucket(limit, burst or limit, PERIODS[measure])))
    return tuple(buckets)


def estimated(request: Request, settings: ModelSettings, prompt: int) -> tuple[int, ...]:
    """What a request may come to, by the places in an account."""
    if request.task is not None and not isinstance(request.task, Complete):
        return _amounts(prompt, 0, 0)
    each = settings.target_tokens if request.max_tokens is None else request.max_tokens
    return _amounts(prompt, each * request.n, 0)


def limit_statuses(account: Account, attempt: Attempt) -> list[LimitStatus]:
    """How the account stands after an attempt."""
    return [
        LimitStatus(
            COUNTED[column], bucket.limit, bucket.remaining(count), bucket.reset(count) / 1e6
        )
        for (column, bucket), count in zip(account.buckets, attempt.counts, strict=True)
    ]


def _amounts(prompt: int, completion: int, cached: int) -> tuple[int, ...]:
    """One request as the places in an account count it; what was cached is no input."""
    return (1, 1, prompt + completion, prompt - cached, completion)


def _failure(account: Account, attempt: Attempt, estimate: tuple[int, ...], model: str) -> Failure:
    place = attempt.refused
    assert place is not None
    if place < 0:
        limit = account.concurrent or 0
        exceeded = Exceeded(Measure.CONCURRENT, limit, attempt.open, 1, model, None)
    else:
        column, bucket = account.buckets[place]
        count, amount = attempt.counts[place], estimate[column]
        wait = bucket.wait(count, amount)
        seconds = None if wait is None else wait / 1e6
        exceeded = Exceeded(
            COUNTED[column], bucket.burst, bucket.used(count), amount, model, seconds
        )
    message = f"{exceeded.measure.value}: the limit of {exceeded.limit} is reached"
    kind = KINDS[exceeded.measure]
    return Failure(kind, message, retry_after=exceeded.wait, exceeded=exceeded)
