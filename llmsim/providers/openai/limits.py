"""Rate limits in OpenAI's words.

The headers are those of the guide "Rate limits"; the sentence is what the live service says, and
durations are written as Go prints them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from llmsim.core import Headers, LimitStatus
from llmsim.core.errors import Exceeded, Measure

_REQUESTS = (
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
)
_TOKENS = (
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
)
# The measure, and the headers that tell of it.
COUNTED = {Measure.REQUESTS: _REQUESTS, Measure.DAILY: _REQUESTS, Measure.TOKENS: _TOKENS}
NAMES = {
    Measure.REQUESTS: "requests per min (RPM)",
    Measure.DAILY: "requests per day (RPD)",
    Measure.TOKENS: "tokens per min (TPM)",
    Measure.INPUT: "input tokens per min (ITPM)",
    Measure.OUTPUT: "output tokens per min (OTPM)",
    Measure.CONCURRENT: "concurrent requests",
}
TYPES = {
    Measure.REQUESTS: "requests",
    Measure.DAILY: "requests",
    Measure.CONCURRENT: "requests",
}
MORE = "Visit https://platform.openai.com/account/rate-limits to learn more."


def headers(standings: Sequence[LimitStatus], now: float) -> Headers:
    """The limit headers of a response; of two limits on requests, the one with fewer left.

    ``now`` is the Unix time, which durations do not need.
    """
    requests = tokens = None
    for one in standings:
        if one.measure is Measure.TOKENS:
            tokens = one
        elif one.measure in COUNTED and (requests is None or one.remaining < requests.remaining):
            requests = one
    made = [] if requests is None else _three(_REQUESTS, requests)
    return made if tokens is None else made + _three(_TOKENS, tokens)


_HOSTED: Headers = [
    (_REQUESTS[0], "30000"),
    (_TOKENS[0], "150000000"),
    (_REQUESTS[1], "29999"),
    (_TOKENS[1], "149999984"),
    (_REQUESTS[2], "2ms"),
    (_TOKENS[2], "0s"),
]
"""Tier 5 of the guide."""


def hosted(now: int) -> Headers:
    """The limit headers of the hosted service."""
    return _HOSTED


def _three(names: tuple[str, str, str], one: LimitStatus) -> Headers:
    limit, remaining, reset = names
    return [
        (limit, str(one.limit)),
        (remaining, str(one.remaining)),
        (reset, duration(one.reset)),
    ]


def kind(exceeded: Exceeded) -> tuple[str, str]:
    """Type and code of the error."""
    return TYPES.get(exceeded.measure, "tokens"), "rate_limit_exceeded"


def message(exceeded: Exceeded) -> str:
    """Why a request is refused."""
    where = f"for {exceeded.model} in organization llmsim on {NAMES[exceeded.measure]}"
    limit, used, asked = exceeded.limit, exceeded.used, exceeded.requested
    if exceeded.wait is None and exceeded.measure is not Measure.CONCURRENT:
        return (
            f"Request too large {where}: Limit {limit}, Requested {asked}. The input or output "
            f"tokens must be reduced in order to run successfully. {MORE}"
        )
    sentence = f"Rate limit reached {where}: Limit {limit}, Used {used}, Requested {asked}."
    if exceeded.wait is not None:
        sentence += f" Please try again in {duration(exceeded.wait)}."
    return f"{sentence} {MORE}"


def duration(seconds: float) -> str:
    """A duration to the millisecond, rounded up: ``12ms``, ``8.64s``, ``6m0s``, ``1h0m0s``."""
    # Less than a thousandth of a millisecond is rounding.
    return _spelt(int(seconds * 1000 + 0.9995))


@lru_cache(maxsize=4096)
def _spelt(ms: int) -> str:
    if ms < 1000:
        return f"{ms}ms" if ms > 0 else "0s"
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
