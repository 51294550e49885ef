"""The panel of rate limits."""

from __future__ import annotations

from typing import Any

from llmsim.tui.rate_limits import rate_limits
from tests.tui.drawing import drawn


def limit(key: str, remaining: float, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "model": "gpt-5",
        "what": "requests_per_minute",
        "limit": 100,
        "remaining": remaining,
    } | more


def test_the_tightest_come_first_as_many_as_fit() -> None:
    document = {
        "rate_limited": 5,
        "rate_limits": [
            limit("tier-2", 80),
            limit("tier-1", 5, reset_s=12.4),
            limit("tier-3", 50_000, what="tokens_per_minute", limit=200_000),
        ],
    }
    assert drawn(rate_limits, 26, 6, {"rate_limited": 2}, document) == [
        "5 refused            3.0/s",
        "tier-1 gpt-5 requests/min",
        "▊                5/100 12s",
        "tier-3 gpt-5 tokens/min",
        "██▊         50,000/200,000",
    ]


def test_no_limits() -> None:
    assert drawn(rate_limits, 26, 6, {}) == ["- refused              -/s", "no rate limits in use"]


def test_a_limit_for_everyone() -> None:
    document = {
        "rate_limits": [{"rule": "default", "limit": 10, "remaining": 10}, {"remaining": 1}]
    }
    assert drawn(rate_limits, 26, 9, document)[1] == "all requests"
    assert drawn(rate_limits, 26, 9, document)[3] == "default requests"
