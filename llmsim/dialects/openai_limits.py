"""Rate limits in OpenAI's words.

The headers are those of the guide "Rate limits"; the sentence is what the live service says, and
durations are written as Go prints them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmsim.errors import Exceeded, Measure
from llmsim.exchange import Headers, Standing

# The measure, and whether it counts as the headers' requests or tokens.
COUNTED = {
    Measure.REQUESTS: "requests",
    Measure.DAILY: "requests",
    Measure.TOKENS: "tokens",
}
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


def headers(standings: Sequence[Standing], now: float) -> Headers:
    """The limit headers of a response; of two limits on requests, the one with fewer left.

    ``now`` is the Unix time, which durations do not need.
    """
    told: dict[str, Standing] = {}
    for one in standings:
        name = COUNTED.get(one.measure)
        if name is not None and (name not in told or one.remaining < told[name].remaining):
            told[name] = one
    return [
        *[(f"x-ratelimit-limit-{name}", str(one.limit)) for name, one in told.items()],
        *[(f"x-ratelimit-remaining-{name}", str(one.remaining)) for name, one in told.items()],
        *[(f"x-ratelimit-reset-{name}", duration(one.reset)) for name, one in told.items()],
    ]


def kind(exceeded: Exceeded) -> tuple[str, str]:
    """Type and code of the error."""
    return TYPES.get(exceeded.measure, "tokens"), "rate_limit_exceeded"


def said(exceeded: Exceeded) -> str:
    """Why a request is refused."""
    where = f"for {exceeded.model} in organization llmsim on {NAMES[exceeded.measure]}"
    limit, used, asked = exceeded.limit, exceeded.used, exceeded.requested
    if exceeded.wait is None and exceeded.measure is not Measure.CONCURRENT:
        return (
            f"Request too large {where}: Limit {limit}, Requested {asked}. The input or output "
            f"tokens must be reduced in order to run successfully. {MORE}"
        )
    said = f"Rate limit reached {where}: Limit {limit}, Used {used}, Requested {asked}."
    if exceeded.wait is not None:
        said += f" Please try again in {duration(exceeded.wait)}."
    return f"{said} {MORE}"


def duration(seconds: float) -> str:
    """A duration to the millisecond, rounded up: ``12ms``, ``8.64s``, ``6m0s``, ``1h0m0s``."""
    ms = math.ceil(round(seconds * 1000, 3))
    if ms < 1000:
        return f"{ms}ms" if ms > 0 else "0s"
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
