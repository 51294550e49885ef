"""How each provider tells of its rate limits: in headers, and in the words of a refusal."""

from __future__ import annotations

import re

import pytest

from llmsim.core import LimitStatus
from llmsim.core.errors import Exceeded, Measure
from llmsim.providers.anthropic import limits as anthropic
from llmsim.providers.gemini import limits as gemini
from llmsim.providers.openai import limits as openai

NOW = 1_700_000_000.5  # 2023-11-14T22:13:20.5Z
MINUTELY = LimitStatus(Measure.REQUESTS, 60, 59, 1.0)
DAILY = LimitStatus(Measure.DAILY, 1000, 7, 86.4)
TOKENS = LimitStatus(Measure.TOKENS, 9000, 8000, 6.5)
INPUT = LimitStatus(Measure.INPUT, 500, 100, 48.0)
OUTPUT = LimitStatus(Measure.OUTPUT, 200, 150, 15.0)


def exceeded(measure: Measure, wait: float | None = 1.5) -> Exceeded:
    return Exceeded(measure, 2000, 1990, 40, "model-x", wait)


def test_openai_tells_of_requests_and_tokens_and_of_the_fewer_left_of_two() -> None:
    headers = dict(openai.headers([MINUTELY, DAILY, TOKENS, INPUT], NOW))
    assert headers == {
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": "7",
        "x-ratelimit-reset-requests": "1m26.4s",
        "x-ratelimit-limit-tokens": "9000",
        "x-ratelimit-remaining-tokens": "8000",
        "x-ratelimit-reset-tokens": "6.5s",
    }
    assert dict(openai.headers([DAILY, MINUTELY], NOW))["x-ratelimit-limit-requests"] == "1000"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0s"),
        (0.0001, "1ms"),
        (0.012, "12ms"),
        (8.64, "8.64s"),
        (60.0, "1m0s"),
        (360.0, "6m0s"),
        (3600.0, "1h0m0s"),
        (90061.5, "25h1m1.5s"),
    ],
)
def test_openais_durations(seconds: float, expected: str) -> None:
    assert openai.duration(seconds) == expected


@pytest.mark.parametrize(
    ("measure", "wait", "expected", "kind"),
    [
        (
            Measure.REQUESTS,
            1.5,
            "Rate limit reached for model-x in organization llmsim on requests per min (RPM): "
            "Limit 2000, Used 1990, Requested 40. Please try again in 1.5s.",
            "requests",
        ),
        (
            Measure.TOKENS,
            None,
            "Request too large for model-x in organization llmsim on tokens per min (TPM): "
            "Limit 2000, Requested 40. The input or output tokens must be reduced",
            "tokens",
        ),
        (Measure.CONCURRENT, None, "on concurrent requests: Limit 2000, Used 1990", "requests"),
    ],
)
def test_openais_words(measure: Measure, wait: float | None, expected: str, kind: str) -> None:
    assert expected in openai.message(exceeded(measure, wait))
    assert openai.kind(exceeded(measure, wait)) == (kind, "rate_limit_exceeded")


def test_anthropic_tells_of_all_and_when_they_are_full_again() -> None:
    headers = dict(anthropic.headers([MINUTELY, INPUT, OUTPUT], NOW))
    assert headers == {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "59",
        "anthropic-ratelimit-requests-reset": "2023-11-14T22:13:22Z",
        "anthropic-ratelimit-input-tokens-limit": "500",
        "anthropic-ratelimit-input-tokens-remaining": "100",
        "anthropic-ratelimit-input-tokens-reset": "2023-11-14T22:14:09Z",
        "anthropic-ratelimit-output-tokens-limit": "200",
        "anthropic-ratelimit-output-tokens-remaining": "150",
        "anthropic-ratelimit-output-tokens-reset": "2023-11-14T22:13:36Z",
        "anthropic-ratelimit-tokens-limit": "500",
        "anthropic-ratelimit-tokens-remaining": "100",
        "anthropic-ratelimit-tokens-reset": "2023-11-14T22:14:09Z",
    }


def test_anthropics_tokens_are_the_bound_on_all_of_them_where_there_is_one() -> None:
    headers = dict(anthropic.headers([TOKENS, INPUT, DAILY, MINUTELY], NOW))
    assert headers["anthropic-ratelimit-tokens-limit"] == "9000"
    assert headers["anthropic-ratelimit-requests-limit"] == "1000"
    other = LimitStatus(Measure.CONCURRENT, 5, 1, 0.0)
    assert anthropic.headers([other], NOW) == []


@pytest.mark.parametrize("measure", [one for one in Measure if one is not Measure.CONCURRENT])
def test_anthropics_words(measure: Measure) -> None:
    words = anthropic.message(exceeded(measure), "org-1")
    assert f"your organization's rate limit of 2,000 {anthropic.NAMES[measure]}" in words
    assert "(org: org-1, model: model-x)" in words


def test_anthropics_words_for_too_many_connections() -> None:
    words = anthropic.message(exceeded(Measure.CONCURRENT, None), "org-1")
    assert words.startswith("Number of concurrent connections has exceeded your rate limit.")


def test_gemini_tells_only_where_it_refuses() -> None:
    assert gemini.headers([MINUTELY, TOKENS], NOW) == []


@pytest.mark.parametrize("measure", Measure)
def test_geminis_words(measure: Measure) -> None:
    metric, quota = gemini.QUOTAS[measure]
    words = gemini.message(exceeded(measure), "service")
    assert f"Quota exceeded for metric: service/{metric}, limit: 2000, model: model-x" in words
    assert words.endswith("Please retry in 1.500000000s.")
    assert "retry" not in gemini.message(exceeded(measure, None), "service")
    failure, help_, retry = gemini.details(exceeded(measure), "service", "rpc.")
    (violation,) = failure["violations"]
    assert (violation["quotaId"], violation["quotaValue"]) == (quota, "2000")
    assert re.match(r"https://ai\.google\.dev/", help_["links"][0]["url"])
    assert retry == {"@type": "rpc.RetryInfo", "retryDelay": "2s"}
    assert len(gemini.details(exceeded(measure, None), "service", "rpc.")) == 2
