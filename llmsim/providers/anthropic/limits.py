"""Rate limits in Anthropic's words: the headers and sentences of the page "Rate limits"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from llmsim.core import Headers, LimitStatus
from llmsim.core.errors import Exceeded, Measure

COUNTED = {
    Measure.REQUESTS: "requests",
    Measure.DAILY: "requests",
    Measure.TOKENS: "tokens",
    Measure.INPUT: "input-tokens",
    Measure.OUTPUT: "output-tokens",
}
HEADER_NAMES = {
    name: tuple(f"anthropic-ratelimit-{name}-{what}" for what in ("limit", "remaining", "reset"))
    for name in COUNTED.values()
}
NAMES = {
    Measure.REQUESTS: "requests per minute",
    Measure.DAILY: "requests per day",
    Measure.TOKENS: "tokens per minute",
    Measure.INPUT: "input tokens per minute",
    Measure.OUTPUT: "output tokens per minute",
}
SALES = "contact sales at https://www.anthropic.com/contact-sales to discuss your options"
CONCURRENT = (
    "Number of concurrent connections has exceeded your rate limit. Please try again later or "
    f"{SALES} for a rate limit increase."
)


def headers(standings: Sequence[LimitStatus], now: float) -> Headers:
    """The limit headers of a response at ``now`` (Unix time, seconds).

    Of two limits on requests it is the one with fewer left. Where nothing bounds all tokens
    together, ``tokens`` tells of the tighter of input and output, as Anthropic does.
    """
    by_name: dict[str, LimitStatus] = {}
    for one in standings:
        name = COUNTED.get(one.measure)
        if name is not None and (name not in by_name or one.remaining < by_name[name].remaining):
            by_name[name] = one
    halves = [by_name[name] for name in ("input-tokens", "output-tokens") if name in by_name]
    if halves and "tokens" not in by_name:
        by_name["tokens"] = min(halves, key=lambda one: one.remaining)
    made: Headers = []
    for name, one in by_name.items():
        limit, remaining, reset = HEADER_NAMES[name]
        made.append((limit, str(one.limit)))
        made.append((remaining, str(one.remaining)))
        made.append((reset, moment(math.ceil(now + one.reset))))
    return made


HOSTED = {
    "requests": 4_000,
    "tokens": 4_800_000,
    "input-tokens": 4_000_000,
    "output-tokens": 800_000,
}
"""Limits a minute in tier 4 of the page."""


@lru_cache(maxsize=16)
def hosted(now: int) -> Headers:
    """The limit headers of the hosted service at a Unix time."""
    made: Headers = []
    for name, most in HOSTED.items():
        limit, remaining, reset = HEADER_NAMES[name]
        left = most - 1 if name == "requests" else most
        made += [(limit, str(most)), (remaining, str(left)), (reset, moment(now))]
    return made


def message(exceeded: Exceeded, organization: str) -> str:
    """Why a request is refused."""
    if exceeded.measure is Measure.CONCURRENT:
        return CONCURRENT
    return (
        f"This request would exceed your organization's rate limit of {exceeded.limit:,} "
        f"{NAMES[exceeded.measure]} (org: {organization}, model: {exceeded.model}). For details, "
        "refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers "
        "for current usage. Please reduce the prompt length or the maximum tokens requested, or "
        f"try again later. You may also {SALES} for a rate limit increase."
    )


@lru_cache(maxsize=256)
def moment(unix: int) -> str:
    """A time in RFC 3339."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
