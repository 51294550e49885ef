"""The sections ``errors`` and ``timetable``: what they take, and the message of each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from llmsim import config
from llmsim.config import Config, effective
from llmsim.core.errors import ConfigError
from llmsim.core.faults import (
    Cut,
    ErrorEvent,
    FaultPoint,
    FaultSet,
    Malformed,
    Reset,
    Stall,
    Trickle,
    Unterminated,
)
from llmsim.core.injection import ErrorInjection, ErrorRates, ErrorRule, RequestPattern
from llmsim.core.timetable import TimetableEntry

RATE = "must be a number from 0 to 1"
HOUR = "must be a number of milliseconds from 0 to 3600000"
TIME = "must be a time such as 90, 90s, 3m or 1.5h, up to 720h"


def read(text: str, folder: Path) -> Config:
    path = folder / "sim.yaml"
    path.write_text(text, encoding="utf-8")
    return config.load(str(path), {}, {})


EVERYTHING = """\
errors:
  rate_limit_rate: 0.01
  server_error_rate: 0.001
  timeout_rate: 0.002
  timeout_after_ms: 5000
  overloaded_rate: 0.03
  bad_gateway_rate: 0.004
  authentication_rate: 0.005
  retry_after_ms: 2500
  faults:
    cut: {rate: 0.01, after_tokens: 5}
    stall: {rate: 0.02, after_fraction: 0.25, lasts_ms: 700}
    trickle: {rate: 0.03, factor: 3, bytes: 16, every_ms: 20}
    malformed: {rate: 0.04}
    reset: {rate: 0.05, after_tokens: 0}
    unterminated: {rate: 0.06}
    error_event: {rate: 0.07, kind: server_error}
  rules:
    - {model: "gpt-*", endpoint: "/v1/*", dialect: openai_chat, first: 3, kind: rate_limit}
    - {every: 10, status: 503, overloaded_rate: 0.5}
    - {fault: {cut: {}}}
timetable:
  - {from: 3m, to: 5m, model: "claude-*", overloaded_rate: 0.3, itl_factor: 4}
  - {from: 90s, to: 0.5h, kind: overloaded, ttft_factor: 2, ramp: up}
  - {from: 1500ms, to: 7, status: 502}
  - {rate_limit_rate: 1}
"""


def test_every_key(tmp_path: Path) -> None:
    read_ = read(EVERYTHING, tmp_path)
    assert read_.errors == ErrorInjection(
        ErrorRates(
            0.01,
            0.001,
            0.002,
            5.0,
            0.03,
            0.004,
            0.005,
            2.5,
            FaultSet(
                Cut(0.01, FaultPoint(5)),
                Stall(0.02, FaultPoint(None, 0.25), 0.7),
                Trickle(0.03, 3.0, 16, 0.02),
                Malformed(0.04),
                Reset(0.05, FaultPoint(0)),
                Unterminated(0.06),
                ErrorEvent(0.07, kind="server_error"),
            ),
        ),
        (
            ErrorRule(RequestPattern("gpt-*", "/v1/*", "openai_chat"), first=3, kind="rate_limit"),
            ErrorRule(every=10, status=503, rates=ErrorRates(overloaded_rate=0.5)),
            ErrorRule(fault=FaultSet(cut=Cut())),
        ),
    )
    assert read_.timetable == (
        TimetableEntry(
            180.0,
            300.0,
            RequestPattern("claude-*"),
            rates=ErrorRates(overloaded_rate=0.3),
            itl_factor=4.0,
        ),
        TimetableEntry(90.0, 1800.0, kind="overloaded", ttft_factor=2.0, ramp="up"),
        TimetableEntry(1.5, 7.0, status=502),
        TimetableEntry(0.0, None, rates=ErrorRates(1.0)),
    )


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    given = read(EVERYTHING, tmp_path)
    assert read(yaml.safe_dump(effective(given)), tmp_path) == given


def test_rates_that_add_up_to_one_are_fine(tmp_path: Path) -> None:
    rates = "rate_limit_rate: 0.1, server_error_rate: 0.2, timeout_rate: 0.3, overloaded_rate: 0.3"
    text = f"errors: {{{rates}, faults: {{cut: {{rate: 0.1}}}}}}"
    assert read(text, tmp_path).errors.rates.total == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("place", "model", "endpoint", "dialect", "expected"),
    [
        (RequestPattern(), "", "/v1/x", "anthropic", True),
        (RequestPattern("claude-*"), "claude-3", "/v1/x", "anthropic", True),
        (RequestPattern("claude-*"), "gpt-4", "/v1/x", "anthropic", False),
        (
            RequestPattern(endpoint="/v1/chat/*"),
            "gpt-4",
            "/v1/chat/completions",
            "openai_chat",
            True,
        ),
        (RequestPattern(endpoint="/v1/chat/*"), "gpt-4", "/v1/messages", "openai_chat", False),
        (RequestPattern(dialect="openai_*"), "gpt-4", "/v1/x", "openai_chat", True),
        (RequestPattern("gpt-4", dialect="gemini"), "gpt-4", "/v1/x", "openai_chat", False),
    ],
)
def test_matches(
    place: RequestPattern, model: str, endpoint: str, dialect: str, expected: bool
) -> None:
    assert place.matches(model, endpoint, dialect) is expected


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("{timeout_rate: -0.1}", "timeout_rate", f"{RATE}, not -0.1"),
        ("{timeout_after_ms: -1}", "timeout_after_ms", f"{HOUR}, not -1"),
        ("{retry_after_ms: x}", "retry_after_ms", f"{HOUR}, not 'x'"),
        (
            "{rate_limit_rate: 0.6, overloaded_rate: 0.5}",
            "overloaded_rate",
            "the rates add up to 1.1, which is more than 1",
        ),
        (
            "{rate_limit_rate: 0.6, faults: {cut: {rate: 0.25}, stall: {rate: 0.25}}}",
            "faults",
            "the rates add up to 1.1, which is more than 1",
        ),
        ("{faults: {cut: {rate: 2}}}", "faults.cut.rate", f"{RATE}, not 2"),
        (
            "{faults: {cut: {after_tokens: 1, after_fraction: 0.5}}}",
            "faults.cut.after_fraction",
            "excludes after_tokens",
        ),
        (
            "{faults: {cutt: {}}}",
            "faults.cutt",
            "unknown key (did you mean cut?); valid are cut, stall, trickle, malformed, reset, "
            "unterminated, error_event, content_filter",
        ),
        (
            "{faults: {unterminated: {after_tokens: 1}}}",
            "faults.unterminated.after_tokens",
            "unknown key; valid are rate",
        ),
        (
            "{faults: {trickle: {factor: 0.5}}}",
            "faults.trickle.factor",
            "must be a number from 1 to 1000, not 0.5",
        ),
        (
            "{faults: {trickle: {bytes: 0}}}",
            "faults.trickle.bytes",
            "must be a whole number from 1 to 1048576, not 0",
        ),
        ("{rules: []}", "rules", "must be a list of at least one value, not an empty list"),
        (
            "{rules: [{first: 3}]}",
            "rules[0].first",
            "needs one of kind, status, fault: what happens to them",
        ),
        (
            "{rules: [{every: 3}]}",
            "rules[0].every",
            "needs one of kind, status, fault: what happens to them",
        ),
        ("{rules: [{first: 1, every: 2, status: 503}]}", "rules[0].every", "excludes first"),
        ("{rules: [{kind: timeout, status: 503}]}", "rules[0].status", "excludes kind"),
        ("{rules: [{kind: timeout, fault: {cut: {}}}]}", "rules[0].fault", "excludes kind"),
        ("{rules: [{fault: {}}]}", "rules[0].fault", "must name one fault, not 0"),
        (
            "{rules: [{fault: {cut: {}, reset: {}}}]}",
            "rules[0].fault",
            "must name one fault, not 2",
        ),
        (
            "{rules: [{fault: {cut: {rate: 0.1}}}]}",
            "rules[0].fault",
            "has no rate: it happens to every request that is counted",
        ),
        (
            "{rules: [{first: 0, status: 503}]}",
            "rules[0].first",
            "must be a whole number from 1 to 1000000000, not 0",
        ),
        (
            "{rules: [{status: 200}]}",
            "rules[0].status",
            "must be a whole number from 400 to 599, not 200",
        ),
        (
            "{rules: [{rate_limit_rate: 1, timeout_rate: 0.5}]}",
            "rules[0].timeout_rate",
            "the rates add up to 1.5, which is more than 1",
        ),
        ("{rules: [{model: ''}]}", "rules[0].model", "must not be empty"),
    ],
)
def test_a_mistake_in_errors(text: str, key: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"errors: {text}", tmp_path)
    assert [(fault.key, fault.message) for fault in caught.value.faults] == [
        (f"errors.{key}", message)
    ]


@pytest.mark.parametrize(
    "text", ["{rules: [{kind: rate_limt}]}", "{faults: {error_event: {kind: rate_limt}}}"]
)
def test_a_kind_that_is_none_is_told_the_nearest(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must be invalid, .* \(did you mean rate_limit\?\)"):
        read(f"errors: {text}", tmp_path)


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("from: 5m, to: 3m", "to", "must be later than from"),
        ("to: 0", "to", "must be later than from"),
        ("from: 3 minutes", "from", f"{TIME}, not '3 minutes'"),
        ("from: -1", "from", f"{TIME}, not -1"),
        ("to: 721h", "to", f"{TIME}, not '721h'"),
        ("from: [1]", "from", f"{TIME}, not a list"),
        ("ramp: up", "ramp", "needs an end: set to"),
        ("ramp: sideways", "ramp", "must be none, up or down, not 'sideways'"),
        ("kind: timeout, status: 503", "status", "excludes kind"),
        (
            "status: 503, timeout_rate: 0.1",
            "status",
            "happens to all requests and excludes rates",
        ),
        ("itl_factor: -1", "itl_factor", "must be a number from 0 to 1000, not -1"),
        (
            "rate_limit_rate: 1, timeout_rate: 1",
            "timeout_rate",
            "the rates add up to 2, which is more than 1",
        ),
    ],
)
def test_a_mistake_in_the_timetable(text: str, key: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"timetable: [{{{text}}}]", tmp_path)
    assert [(fault.key, fault.message) for fault in caught.value.faults] == [
        (f"timetable[0].{key}", message)
    ]
