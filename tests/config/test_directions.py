"""What one request may say about itself."""

from __future__ import annotations

import pytest

from llmsim.config import directions
from llmsim.config.directions import Counted, Directions, Failing, Faulty
from llmsim.config.faults import After, Cut, Stall
from llmsim.config.latency import Rule
from llmsim.config.response import Generator
from llmsim.core.errors import ConfigError

TIMES = Rule(None, 0.005, 0.0, 0.001, 0.0, "normal")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("latency", "instant", Directions(latency=Rule("instant"))),
        ("latency", "ttft_mean_ms=5, tbt_mean_ms=1", Directions(latency=TIMES)),
        ("latency", "fast;tbt_mean_ms=3", Directions(latency=Rule("fast", tbt_mean=0.003))),
        ("error", "overloaded", Directions(error=Failing("overloaded"))),
        (
            "error",
            "429; first=1; key=abc",
            Directions(error=Failing(status=429, counted=Counted(1, None, "abc"))),
        ),
        (
            "error",
            "timeout,after_ms=200,retry_after_ms=1500,every=3",
            Directions(error=Failing("timeout", None, 0.2, 1.5, Counted(None, 3))),
        ),
        ("fault", "cut; after=5", Directions(fault=Faulty(Cut(after=After(5)), Counted()))),
        (
            "fault",
            "stall, lasts_ms=100, first=2",
            Directions(fault=Faulty(Stall(lasts=0.1), Counted(2))),
        ),
        ("seed", "7", Directions(seed=7)),
        ("target-tokens", "7", Directions(target_tokens=7)),
        ("generator", "fixed:a; b", Directions(generator=Generator("fixed", ("a; b",)))),
        ("itl-factor", "2.5", Directions(itl_factor=2.5)),
    ],
)
def test_a_direction(name: str, value: str, expected: Directions) -> None:
    assert directions.read([(f"x-llmsim-{name}", value)]) == expected


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
        ("eror", "429", "unknown direction (did you mean x-llmsim-error?)"),
    ],
)
def test_a_mistake_names_the_header(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        directions.read([(f"x-llmsim-{name}", value)])
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
        ("m@llmsim:generator=fixed:a%3Bb=c", "m", [("x-llmsim-generator", "fixed:a;b=c")]),
    ],
)
def test_a_suffix(model: str, name: str, given: list[tuple[str, str]]) -> None:
    plain, suffix = directions.split(model)
    assert (plain, list(directions.suffixed(suffix))) == (name, given)
