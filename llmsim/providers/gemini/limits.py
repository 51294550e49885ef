"""Rate limits in Google's words: no headers, but details of the error (google/rpc/error_details)
as the live service sends them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llmsim.core import Headers, LimitStatus
from llmsim.core.errors import Exceeded, Measure

HELP = "https://ai.google.dev/gemini-api/docs/rate-limits"
# The metric and the quota that ran out.
QUOTAS = {
    Measure.REQUESTS: (
        "generate_content_requests",
        "GenerateRequestsPerMinutePerProjectPerModel",
    ),
    Measure.DAILY: ("generate_content_requests", "GenerateRequestsPerDayPerProjectPerModel"),
    Measure.TOKENS: (
        "generate_content_token_count",
        "GenerateContentTokensPerModelPerMinute",
    ),
    Measure.INPUT: (
        "generate_content_input_token_count",
        "GenerateContentInputTokensPerModelPerMinute",
    ),
    Measure.OUTPUT: (
        "generate_content_output_token_count",
        "GenerateContentOutputTokensPerModelPerMinute",
    ),
    Measure.CONCURRENT: (
        "generate_content_concurrent_requests",
        "GenerateContentConcurrentRequestsPerProjectPerModel",
    ),
}


def headers(standings: Sequence[LimitStatus], now: float) -> Headers:
    """None: Gemini tells of its limits only where they refuse."""
    return []


def message(exceeded: Exceeded, service: str) -> str:
    """Why a request is refused."""
    metric, _ = QUOTAS[exceeded.measure]
    again = "" if exceeded.wait is None else f"\nPlease retry in {exceeded.wait:.9f}s."
    return (
        "You exceeded your current quota, please check your plan and billing details. For more "
        f"information on this error, head over to: {HELP}. \n* Quota exceeded for metric: "
        f"{service}/{metric}, limit: {exceeded.limit}, model: {exceeded.model}{again}"
    )


def details(exceeded: Exceeded, service: str, rpc: str) -> list[dict[str, Any]]:
    """Which quota ran out, and when to try again."""
    metric, quota = QUOTAS[exceeded.measure]
    violation = {
        "quotaMetric": f"{service}/{metric}",
        "quotaId": quota,
        "quotaDimensions": {"location": "global", "model": exceeded.model},
        "quotaValue": str(exceeded.limit),
    }
    links = [{"description": "Learn more about Gemini API quotas", "url": HELP}]
    made: list[dict[str, Any]] = [
        {"@type": f"{rpc}QuotaFailure", "violations": [violation]},
        {"@type": f"{rpc}Help", "links": links},
    ]
    if exceeded.wait is not None:
        delay = f"{math.ceil(exceeded.wait)}s"
        made.append({"@type": f"{rpc}RetryInfo", "retryDelay": delay})
    return made
