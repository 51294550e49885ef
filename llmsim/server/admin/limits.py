"""The current state of every rate limit, as ``/llmsim/limits`` and ``/llmsim/stats`` show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmsim.config import Config
from llmsim.core.api_keys import masked
from llmsim.core.rate_limits import RateLimit
from llmsim.core.token_bucket import COUNTED
from llmsim.pipeline.steps.rate_limits import buckets_of, rule_name
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.rate_limit_buckets import AccountEntry, rule_number

SERVER = "concurrency"


SHOWN = 100
"""Accounts that are described in one go: about a millisecond's work."""


def describe_limits(
    config: Config, shared: SharedState, first: int = 0, most: int = SHOWN, scope: str = ""
) -> list[dict[str, Any]]:
    """Each bucket that was used: its rule, key and model, what it counts, its limit and burst, what
    remains of the burst, seconds until it is full, and how many requests are open.

    Of ``most`` accounts, in the order in which they were made, from number ``first`` on; the whole
    server's limit comes before them. ``scope`` is what the names of a scope's rules begin with.
    """
    rules = {rule_number(scope + rule_name(rule)): rule for rule in config.rate_limits}
    names = {one.key: one.name for one in config.keys if one.name}
    described: list[dict[str, Any]] = []
    if config.concurrency.max_concurrency is not None and not first and not scope:
        described.append(_server(config.concurrency.max_concurrency, shared))
    for entry in shared.buckets.entries(first, most):
        rule = rules.get(entry.rule)
        if rule is not None:
            described += _account(rule, entry, shared.buckets.now, names)
    return described


def _account(
    rule: RateLimit, entry: AccountEntry, now: int, names: dict[str, str]
) -> Iterator[dict[str, Any]]:
    pattern = any(letter in rule.key for letter in "*?[")
    key = rule.key if pattern else masked(rule.key, names)
    common = {"rule": f"{key} {rule.model}", "key": entry.caller, "model": entry.model}
    for column, bucket in buckets_of(rule):
        count = bucket.refilled(entry.counts[column], now - entry.stamp)
        yield common | {
            "what": COUNTED[column].value,
            "limit": bucket.limit,
            "burst": bucket.burst,
            "remaining": bucket.remaining(count),
            "reset_s": round(bucket.reset(count) / 1e6, 3),
            "open": entry.open,
        }
    if rule.concurrent_requests is not None:
        yield common | {
            "what": "concurrent_requests",
            "limit": rule.concurrent_requests,
            "burst": rule.concurrent_requests,
            "remaining": max(rule.concurrent_requests - entry.open, 0),
            "reset_s": None,
            "open": entry.open,
        }


def _server(limit: int, shared: SharedState) -> dict[str, Any]:
    held = shared.concurrency.held
    return {
        "rule": SERVER,
        "key": "*",
        "model": "*",
        "what": "max_concurrency",
        "limit": limit,
        "burst": limit,
        "remaining": max(limit - held, 0),
        "reset_s": None,
        "open": held,
        "waiting": shared.concurrency.waiting,
    }
