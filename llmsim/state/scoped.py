"""The state of a scope: that of the server, under names of the scope's own."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

from llmsim.core.state import Attempt, Counters, PipelineState, PromptPrefixes, RateLimiter
from llmsim.core.token_bucket import Bucket
from llmsim.state.scopes import ScopeRecord
from llmsim.state.shm.key_table import hashed

TURN: Final = "turn of sequence"
DRAW: Final = "draw of failures"


def scoped_state(state: PipelineState, record: ScopeRecord) -> PipelineState:
    """The state that requests of the scope share. Slots of the queue are the server's."""
    prefix = prefix_of(record)
    counters = ScopedCounters(state.counters, prefix)
    return replace(
        state,
        counters=counters,
        limiter=ScopedLimiter(state.limiter, limits_prefix_of(record)),
        order=ScopedOrder(counters),
        prefixes=ScopedPrefixes(state.prefixes, hashed(prefix)),
        elapsed=lambda: time.monotonic() - record.began,
        scopes=None,
    )


def prefix_of(record: ScopeRecord) -> str:
    """What the names of all that is counted in the scope begin with."""
    return f"scope {record.name} {record.epoch} "


def limits_prefix_of(record: ScopeRecord) -> str:
    """What the names of the scope's rate limits begin with."""
    return f"scope {record.name} {record.limits} "


class ScopedCounters:
    """Counters of a scope."""

    def __init__(self, counters: Counters, prefix: str) -> None:
        self._counters = counters
        self._prefix = prefix

    def advance(self, name: str) -> int:
        """See :class:`~llmsim.core.state.Counters`, as for the other two."""
        return self._counters.advance(self._prefix + name)

    def take(self, name: str, most: int) -> int | None:
        """Count unless ``most`` were."""
        return self._counters.take(self._prefix + name, most)

    def reached(self, name: str) -> int:
        """How often ``name`` was counted."""
        return self._counters.reached(self._prefix + name)


class ScopedLimiter:
    """Rate limits whose accounts are a scope's."""

    def __init__(self, limiter: RateLimiter, prefix: str) -> None:
        self._limiter = limiter
        self._prefix = prefix
        self.settle = limiter.settle

    def account(
        self,
        name: str,
        rule: str,
        label: tuple[str, str],
        buckets: tuple[tuple[int, Bucket], ...],
        concurrent: int | None,
    ) -> Any:
        """The account of that name within the scope."""
        prefix = self._prefix
        return self._limiter.account(prefix + name, prefix + rule, label, buckets, concurrent)

    def take(self, account: Any, amounts: tuple[int, ...]) -> Attempt:
        """Take from the account."""
        return self._limiter.take(account, amounts)


class ScopedOrder:
    """The orders of a scope's requests: counters of it."""

    def __init__(self, counters: ScopedCounters) -> None:
        self._counters = counters

    def turn(self) -> int:
        """The place among those that take a text of the generator ``sequence``."""
        return self._counters.advance(TURN)

    def draw(self) -> int:
        """The place among those whose failure is left to chance."""
        return self._counters.advance(DRAW)


class ScopedPrefixes:
    """A scope's own prompt cache: its keys are others."""

    def __init__(self, prefixes: PromptPrefixes, salt: int) -> None:
        self._prefixes = prefixes
        self._salt = salt

    def holds(self, key: int) -> bool:
        """Whether the prefix is in the cache."""
        return self._prefixes.holds(key ^ self._salt)

    def keep(self, key: int, ttl: int) -> None:
        """Keep the prefix for at least ``ttl`` seconds."""
        self._prefixes.keep(key ^ self._salt, ttl)
