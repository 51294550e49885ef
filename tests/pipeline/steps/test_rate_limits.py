"""Who is counted against which limit, what is taken, and what is given back at the end."""

from __future__ import annotations

from collections.abc import Callable
from operator import add
from pathlib import Path
from typing import Any

import pytest

from llmsim.config import Config
from llmsim.core import Plan
from llmsim.core.errors import FailureKind
from llmsim.core.state import Attempt, RateLimiter
from llmsim.pipeline.context import Call
from llmsim.state.memory import MemoryRateLimiter
from llmsim.state.shared_state import new_segment
from llmsim.state.shm.rate_limit_buckets import RateLimitBuckets
from tests.pipeline.simulated import Simulated, failure, settle

INSTANT = "latency: {profile: instant}"


class Watched(MemoryRateLimiter):
    """Remembers what was taken, and what it was corrected by at the end of each request."""

    def __init__(self) -> None:
        super().__init__(lambda: 1.0)
        self.taken: list[tuple[int, ...]] = []
        self.corrected: list[tuple[int, ...] | None] = []

    def take(self, account: Any, amounts: tuple[int, ...]) -> Attempt:
        self.taken.append(amounts)
        return super().take(account, amounts)

    def settle(self, account: Any, difference: tuple[int, ...] | None) -> None:
        self.corrected.append(difference)
        super().settle(account, difference)

    def used(self) -> tuple[int, ...]:
        """What the latest request came to."""
        correction = self.corrected[-1] or (0,) * len(self.taken[-1])
        return tuple(map(add, self.taken[-1], correction))


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def shared_memory() -> RateLimitBuckets:
    """The limiter that the workers of a server share, at a time that stands still."""
    buckets = RateLimitBuckets(new_segment(Config()), lambda: 1_000_000)
    buckets.slot = 0
    return buckets


def limited(folder: Path, rules: str, more: str = "") -> Simulated:
    return Simulated(folder, f"{INSTANT}\nrate_limits: {rules}\n{more}")


def remaining(sim: Simulated, **fields: Any) -> dict[str, str]:
    """The limit headers of a request that is only asked for them, and ends at once."""
    call = sim.call(**fields)
    plan = sim.plan(call)
    assert call.held is not None
    found = dict(call.held.headers(0.0))
    settle(call, plan)
    return {
        name.removeprefix("x-ratelimit-remaining-"): value
        for name, value in found.items()
        if name.startswith("x-ratelimit-remaining-")
    }


def tokens_left(call: Call) -> int:
    assert call.held is not None
    return int(dict(call.held.headers(0.0))["x-ratelimit-remaining-tokens"])


def statuses(sim: Simulated, count: int, **fields: Any) -> list[int]:
    return [sim.ask(**fields).status for _ in range(count)]


def usage(plan: Plan) -> Any:
    assert plan.completion is not None
    return plan.completion.usage


def test_the_first_rate_limit_rule_that_matches_counts_and_no_other(tmp_path: Path) -> None:
    narrow, wide = "{key: vip, requests_per_day: 3}", "{key: 'v*', requests_per_day: 1}"
    sim = limited(tmp_path, f"[{narrow}, {wide}, {{requests_per_day: 2}}]")
    assert statuses(sim, 4, headers=bearer("vip")) == [200, 200, 200, 429]
    assert statuses(sim, 2, headers=bearer("very")) == [200, 429]
    assert statuses(sim, 3, headers=bearer("any")) == [200, 200, 429]


def test_a_rule_further_down_counts_for_what_none_before_matches(tmp_path: Path) -> None:
    rules = "[{model: 'claude-*', requests_per_day: 5}, {model: 'gpt-*', requests_per_day: 1}]"
    sim = limited(tmp_path, rules)
    assert statuses(sim, 2, model="gpt-4o") == [200, 429]
    assert statuses(sim, 3, model="o3") == [200] * 3


@pytest.mark.parametrize("limiter", [shared_memory, Watched])
def test_unused_tokens_are_given_back_when_a_request_ends(
    tmp_path: Path, limiter: Callable[[], RateLimiter]
) -> None:
    sim = limited(tmp_path, "[{tokens_per_minute: 10000}]")
    sim.with_state(limiter=limiter())
    call = sim.call(max_tokens=4000)
    plan = sim.plan(call)
    prompt, completion = usage(plan).prompt, usage(plan).completion
    assert completion < 1000
    assert tokens_left(call) == 10_000 - prompt - 4000
    settle(call, plan)
    after = sim.call(max_tokens=1)
    sim.plan(after)
    assert tokens_left(after) == 10_000 - (prompt + completion) - (prompt + 1)


def test_what_was_used_beyond_the_estimate_is_taken_at_the_end(tmp_path: Path) -> None:
    mock = "mocks: [{response: {content: Hi., usage: {completion_tokens: 1500}}}]"
    sim = limited(tmp_path, "[{tokens_per_minute: 1000}]", mock)
    assert statuses(sim, 2, max_tokens=10) == [200, 429]
    sim.now += 60  # the bucket was below zero, so a minute does not fill it
    left = int(remaining(sim, max_tokens=1)["tokens"])
    assert 400 < left < 500


def test_a_refused_request_takes_nothing(tmp_path: Path) -> None:
    sim = limited(tmp_path, "[{requests_per_day: 9, tokens_per_minute: 100}]")
    assert failure(sim.ask(max_tokens=500)).kind is FailureKind.TOKEN_LIMIT
    assert remaining(sim, max_tokens=1)["requests"] == "8"


def test_a_failure_after_the_limits_counts_as_a_request_without_tokens(tmp_path: Path) -> None:
    rules = "[{requests_per_minute: 10, tokens_per_minute: 1000}]"
    sim = limited(tmp_path, rules, "errors: {rules: [{first: 1, kind: bad_gateway}]}")
    assert sim.ask(max_tokens=500).status == 502
    left = remaining(sim, max_tokens=1)
    assert left["requests"] == "8"
    assert int(left["tokens"]) > 950


def test_buckets_refill_evenly(tmp_path: Path) -> None:
    sim = limited(tmp_path, "[{requests_per_minute: 2}]")
    assert statuses(sim, 3) == [200, 200, 429]
    plan = sim.ask()
    assert failure(plan).retry_after == pytest.approx(30, abs=0.01)
    sim.now += 30
    assert statuses(sim, 2) == [200, 429]


def test_open_requests_are_bounded_until_they_end(tmp_path: Path) -> None:
    sim = limited(tmp_path, "[{concurrent_requests: 2}]")
    calls = [sim.call() for _ in range(2)]
    plans = [sim.plan(call) for call in calls]
    refused = failure(sim.ask())
    assert (refused.kind, refused.retry_after) == (FailureKind.RATE_LIMIT, None)
    settle(calls[0], plans[0])
    settle(calls[0], plans[0])  # it has only one end
    assert statuses(sim, 1) == [200]
    calls.append(sim.call())
    plans.append(sim.plan(calls[-1]))
    assert sim.ask().status == 429


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        ("{requests_per_day: 1}", {"headers": bearer("b")}),
        ("{requests_per_day: 1, per_model: true}", {"model": "gpt-4o-mini"}),
    ],
)
def test_callers_and_with_per_model_their_models_have_buckets_of_their_own(
    tmp_path: Path, rule: str, other: dict[str, Any]
) -> None:
    sim = limited(tmp_path, f"[{rule}]")
    mine = {"headers": bearer("a"), "model": "gpt-4o"}
    assert statuses(sim, 2, **mine) == [200, 429]
    assert statuses(sim, 2, **{**mine, **other}) == [200, 429]


def test_models_share_a_callers_bucket_and_those_without_a_key_share_theirs(
    tmp_path: Path,
) -> None:
    sim = limited(tmp_path, "[{requests_per_day: 1}]")
    assert statuses(sim, 1, model="gpt-4o") == [200]
    assert statuses(sim, 1, model="gpt-4o-mini") == [429]


def test_a_caller_is_matched_by_key_or_by_name(tmp_path: Path) -> None:
    keys = "keys: [{key: sk-long-and-secret, name: ci}]"
    sim = limited(tmp_path, "[{key: ci, requests_per_day: 1}]", keys)
    assert statuses(sim, 2, headers=bearer("sk-long-and-secret")) == [200, 429]
    assert statuses(sim, 2, headers=bearer("sk-other")) == [200, 200]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 100}, 100),
        ({"max_tokens": 100, "n": 3}, 300),
        ({}, 250),
        ({"n": 2}, 500),
    ],
)
def test_a_request_takes_what_its_answer_may_come_to(
    tmp_path: Path, fields: dict[str, Any], expected: int
) -> None:
    sim = limited(tmp_path, "[{output_tokens_per_minute: 1000}]", "response: {target_tokens: 250}")
    limiter = Watched()
    sim.with_state(limiter=limiter)
    prompt = usage(sim.ask(**fields)).prompt
    assert limiter.taken == [(1, 1, prompt + expected, prompt, expected)]


def test_cached_tokens_count_as_tokens_but_not_as_input(tmp_path: Path) -> None:
    long = "word " * 2_000
    sim = limited(tmp_path, "[{tokens_per_minute: 100000, input_tokens_per_minute: 100000}]")
    limiter = Watched()
    sim.with_state(limiter=limiter)
    for cached in (False, True):
        used = usage(sim.ask(long, max_tokens=1))
        assert (used.cached > 1000) is cached
        expected = (1, 1, used.prompt + used.completion, used.prompt - used.cached, used.completion)
        assert limiter.used() == expected


def test_without_a_rule_that_matches_no_headers_are_sent(tmp_path: Path) -> None:
    sim = limited(tmp_path, "[{key: vip, requests_per_day: 1}]")
    call = sim.call()
    sim.plan(call)
    assert call.held is not None
    assert call.held.headers(0.0) == []
