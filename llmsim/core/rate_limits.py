"""How much is let in.

Rules are tried in their order, and the first whose patterns match the caller's API key and the
model counts. Its buckets are for each key by itself; callers without a key share theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from llmsim.core.errors import Measure
from llmsim.core.patterns import matches

# A limit, and the key of its burst.
BURSTS: Final = {
    "requests_per_minute": "burst",
    "tokens_per_minute": "tokens_burst",
    "input_tokens_per_minute": "input_tokens_burst",
    "output_tokens_per_minute": "output_tokens_burst",
}
LIMITS: Final = (*BURSTS, "requests_per_day", "concurrent_requests")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What one caller may do; None where there is no limit.

    A burst is what may be taken at once after a rest, the limit itself if it is None. The models
    a rule matches share its buckets unless it is ``per_model``.
    """

    key: str = "*"
    model: str = "*"
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    input_tokens_per_minute: int | None = None
    output_tokens_per_minute: int | None = None
    requests_per_day: int | None = None
    concurrent_requests: int | None = None
    burst: int | None = None
    tokens_burst: int | None = None
    input_tokens_burst: int | None = None
    output_tokens_burst: int | None = None
    per_model: bool = False

    def matches(self, key: str, model: str) -> bool:
        """Whether the rule is for that caller and model. ``key`` is empty for callers without."""
        return matches(self.key, key) and matches(self.model, model)


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many requests are answered at the same time, over all workers; None is any number.

    Further ones wait, at most ``queue_limit`` of them and ``queue_timeout`` seconds each.
    """

    max_concurrency: int | None = None
    queue_limit: int = 1000
    queue_timeout: float = 60.0


class LimitStatus(Struct, frozen=True, gc=False):
    """One limit as it stands once a request is admitted or refused.

    ``remaining`` is what may still be taken at once, ``reset`` the seconds until all of it may
    be if nobody takes any.
    """

    measure: Measure
    limit: int
    remaining: int
    reset: float
