"""What one request may say about itself."""

from __future__ import annotations

import pytest

from llmsim.config import overrides
from llmsim.core.catalog.distribution import Distribution
from llmsim.core.errors import ConfigError
from llmsim.core.faults import Cut, FaultPoint, Stall
from llmsim.core.generator import GeneratorChoice
from llmsim.core.latency import LatencyRule
from llmsim.core.overrides import (
    CountedRequests,
    ErrorOverride,
    FaultOverride,
    RequestOverrides,
    split,
    suffixed,
)

TIMES = LatencyRule(None, ttft_mean=0.005, itl_mean=0.001)
SKEWED = Distribution(kind="percentiles", p50=0.007, p95=0.03)
WORK = LatencyRule(None, ttft_overhead=Distribution(0.015), itl=SKEWED, prefill=2e-5)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("latency", "instant", RequestOverrides(latency=LatencyRule("instant"))),
        ("latency", "ttft_mean_ms=5, tbt_mean_ms=1", RequestOverrides(latency=TIMES)),
        ("latency", "ttft_mean_ms=5, itl_mean_ms=1", RequestOverrides(latency=TIMES)),
        (
            "latency",
            "ttft_overhead_ms=15, itl_ms.p50=7, itl_ms.p95=30, prefill_ms_per_token=0.02",
            RequestOverrides(latency=WORK),
        ),
        (
            "latency",
            "fast;tbt_mean_ms=3",
            RequestOverrides(latency=LatencyRule("fast", itl_mean=0.003)),
        ),
        ("error", "overloaded", RequestOverrides(error=ErrorOverride("overloaded"))),
        (
            "error",
            "429; first=1; key=abc",
            RequestOverrides(
                error=ErrorOverride(status=429, counted=CountedRequests(1, None, "abc"))
            ),
        ),
        (
            "error",
            "timeout,after_ms=200,retry_after_ms=1500,every=3",
            RequestOverrides(
                error=ErrorOverride("timeout", None, 0.2, 1.5, CountedRequests(None, 3))
            ),
        ),
        (
            "fault",
            "cut; after=5",
            RequestOverrides(fault=FaultOverride(Cut(after=FaultPoint(5)), CountedRequests())),
        ),
        (
            "fault",
            "stall, lasts_ms=100, first=2",
            RequestOverrides(fault=FaultOverride(Stall(lasts=0.1), CountedRequests(2))),
        ),
        ("seed", "7", RequestOverrides(seed=7)),
        ("target-tokens", "7", RequestOverrides(target_tokens=7)),
        (
            "target-tokens",
            "p50=100, p95=600",
            RequestOverrides(target_tokens=Distribution(kind="percentiles", p50=100, p95=600)),
        ),
        (
            "generator",
            "fixed:a; b",
            RequestOverrides(generator=GeneratorChoice("fixed", ("a; b",))),
        ),
        ("itl-factor", "2.5", RequestOverrides(itl_factor=2.5)),
    ],
)
def test_a_direction(name: str, value: str, expected: RequestOverrides) -> None:
    assert overrides.parse([(f"x-llmsim-{name}", value)]) == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("latency", "foo", "profile: must be auto or one of"),
        ("latency", "fast; slow", "must be name=value after the first part, not 'slow'"),
        ("error", "", "kind: must be invalid"),
        ("error", "first=1", "must begin with a status or one of"),
        ("error", "200", "status: must be a whole number from 400 to 599"),
        ("error", "rate_limt", "did you mean rate_limit?"),
        ("error", "429; first=0", "first: must be a whole number"),
        ("error", "429; first=1; every=2", "every: excludes first"),
        ("error", "429; key=a", "key: needs first or every"),
        ("error", "429; first=1; first=2", "first: set twice"),
        ("fault", "", "unknown key"),
        ("fault", "after=1", "must begin with the name of a fault"),
        ("fault", "cutt", "did you mean cut?"),
        ("seed", "-1", "must be a whole number"),
        ("target-tokens", "x", "must be a whole number"),
        ("generator", "loren", "did you mean lorem?"),
        ("itl-factor", "nan", "must be a number"),
        ("eror", "429", "unknown override (did you mean x-llmsim-error?)"),
    ],
)
def test_a_mistake_names_the_header(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overrides.parse([(f"x-llmsim-{name}", value)])
    assert caught.value.faults[0].where == f"x-llmsim-{name}"
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("model", "name", "given"),
    [
        ("gpt-5", "gpt-5", []),
        ("ft:gpt-4o:acme::x1", "ft:gpt-4o:acme::x1", []),
        (
            "anthropic.claude-v2:0@llmsim:seed=1;target_tokens=2",
            "anthropic.claude-v2:0",
            [("x-llmsim-seed", "1"), ("x-llmsim-target-tokens", "2")],
        ),
        ("m@llmsim:", "m", []),
        (
            "m@llmsim:error=429;first=1;key=a%3Bb;seed=2",
            "m",
            [("x-llmsim-error", "429;first=1;key=a;b"), ("x-llmsim-seed", "2")],
        ),
        (
            "m@llmsim:scenario=flaky-429;seed=7;speed=0.5",
            "m",
            [("x-llmsim-scenario", "flaky-429;seed=7;speed=0.5")],
        ),
        ("m@llmsim:colour=red;x=1", "m", [("x-llmsim-colour", "red;x=1")]),
        ("m@llmsim:seed=1;bare", "m", [("x-llmsim-seed", "1"), ("x-llmsim-bare", "")]),
        ("m@llmsim:generator=fixed:a%3Bb=c", "m", [("x-llmsim-generator", "fixed:a;b=c")]),
    ],
)
def test_a_suffix(model: str, name: str, given: list[tuple[str, str]]) -> None:
    plain, suffix = split(model)
    assert (plain, list(suffixed(suffix))) == (name, given)
