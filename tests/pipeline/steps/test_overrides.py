"""What requests say about themselves, in headers and after the model's name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from llmsim.core import ConnectionEnd
from llmsim.core.errors import FailureKind
from tests.pipeline.simulated import Simulated, failure, said

INSTANT = "latency: {profile: instant}"


def statuses(sim: Simulated, count: int, headers: dict[str, str], **fields: Any) -> list[int]:
    return [sim.ask(headers=headers, **fields).status for _ in range(count)]


@pytest.fixture
def sim(tmp_path: Path) -> Simulated:
    return Simulated(tmp_path, INSTANT)


def test_every_third_request_fails_and_the_first_two_do_not(sim: Simulated) -> None:
    headers = {"x-llmsim-error": "503; every=3"}
    assert statuses(sim, 7, headers) == [200, 200, 503, 200, 200, 503, 200]


def test_the_first_two_requests_fail_and_no_other(sim: Simulated) -> None:
    assert statuses(sim, 4, {"x-llmsim-error": "503; first=2"}) == [503, 503, 200, 200]


def test_without_first_or_every_all_of_them_fail(sim: Simulated) -> None:
    assert statuses(sim, 3, {"x-llmsim-error": "overloaded"}) == [503] * 3


def test_a_key_is_counted_for_itself_and_else_what_says_the_same_together(sim: Simulated) -> None:
    one = {"x-llmsim-error": "503; first=1; key=a"}
    other = {"x-llmsim-error": "500; first=1; key=a"}
    assert statuses(sim, 1, one) + statuses(sim, 1, other) == [503, 200]
    assert statuses(sim, 1, {"x-llmsim-error": "503; first=1; key=b"}) == [503]
    assert statuses(sim, 1, {"x-llmsim-error": "503; first=1"}) == [503]
    assert statuses(sim, 1, {"x-llmsim-error": "500; first=1"}) == [500]
    assert statuses(sim, 1, {"x-llmsim-error": "503; first=1"}) == [200]


def test_a_fault_is_counted_as_well(sim: Simulated) -> None:
    headers = {"x-llmsim-fault": "cut; after=1; every=2"}
    ends = [sim.ask(headers=headers, stream=True).ending for _ in range(4)]
    assert ends == [ConnectionEnd.WHOLE, ConnectionEnd.CUT] * 2


@pytest.mark.parametrize(
    ("part", "fails"),
    [
        ("model=gpt-4o", True),
        ("model=gpt-*", True),
        ("model=gpt-5", False),
        ("dialect=openai_chat", True),
        ("dialect=anthropic", False),
        ("caller=sk-one", True),
        ("caller=team-*", True),
        ("caller=sk-two", False),
        ("model=gpt-4o; dialect=openai_chat; caller=sk-*", True),
        ("model=gpt-4o; dialect=anthropic", False),
    ],
)
@pytest.mark.parametrize("counted", ["", "; first=1; key=a"])
def test_an_error_reaches_the_upstream_that_is_meant(
    tmp_path: Path, part: str, fails: bool, counted: str
) -> None:
    """And those that are not meant are not counted."""
    sim = Simulated(tmp_path, f"{INSTANT}\nkeys: [{{key: sk-one, name: team-a}}]")
    headers = {"authorization": "Bearer sk-one", "x-llmsim-error": f"503; {part}{counted}"}
    assert statuses(sim, 1, headers, model="gpt-4o") == [503 if fails else 200]
    if counted:
        other = headers | {"x-llmsim-error": "503; first=1; key=a"}
        assert statuses(sim, 1, other, model="gpt-4o") == [200 if fails else 503]


def test_a_fault_reaches_the_upstream_that_is_meant(sim: Simulated) -> None:
    headers = {"x-llmsim-fault": "cut; after=1; model=gpt-4o"}
    ends = [sim.ask(headers=headers, stream=True, model=m).ending for m in ("gpt-5", "gpt-4o")]
    assert ends == [ConnectionEnd.WHOLE, ConnectionEnd.CUT]


def test_a_suffix_needs_no_comma(sim: Simulated) -> None:
    model = "gpt-4o@llmsim:error=503;first=1;key=suffix;seed=4"
    assert statuses(sim, 2, {}, model=model) == [503, 200]


@pytest.mark.parametrize(
    ("error", "kind", "after", "retry"),
    [
        ("504", FailureKind.TIMEOUT, 0.0, 2.0),
        ("504; after_ms=50", FailureKind.TIMEOUT, 0.05, 2.0),
        ("timeout", FailureKind.TIMEOUT, 7.0, 2.0),
        ("timeout; after_ms=50", FailureKind.TIMEOUT, 0.05, 2.0),
        ("429", FailureKind.RATE_LIMIT, 0.0, 2.0),
        ("429; retry_after_ms=300", FailureKind.RATE_LIMIT, 0.0, 0.3),
        ("overloaded; after_ms=20", FailureKind.OVERLOADED, 0.02, 2.0),
    ],
)
def test_what_an_error_leaves_open_is_as_configured(
    tmp_path: Path, error: str, kind: FailureKind, after: float, retry: float
) -> None:
    sim = Simulated(tmp_path, "errors: {timeout_after_ms: 7000, retry_after_ms: 2000}")
    refused = failure(sim.ask(headers={"x-llmsim-error": error}))
    assert (refused.kind, refused.after) == (kind, after)
    assert refused.injected
    if kind is not FailureKind.TIMEOUT:
        assert refused.retry_after == retry


def test_headers_count_over_the_suffix_of_the_model(sim: Simulated) -> None:
    model = "gpt-4o@llmsim:target-tokens=3;generator=fixed:Suffix."
    assert said(sim.ask(model=model)) == "Suffix."
    assert said(sim.ask(model=model, headers={"x-llmsim-generator": "fixed:Header."})) == "Header."


def test_the_answer_knows_the_model_by_its_plain_name(sim: Simulated) -> None:
    call = sim.call(model="gpt-4o@llmsim:seed=4")
    plan = sim.plan(call)
    assert plan.seed == 4
    assert call.model == call.request.model == "gpt-4o"
    assert orjson.loads(plan.frames[0])["model"].startswith("gpt-4o")
    assert b"@llmsim" not in plan.frames[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-llmsim-latency", "quick"),
        ("x-llmsim-latency", "ttft_mean_ms=5"),
        ("x-llmsim-error", "200"),
        ("x-llmsim-error", "429; often=1"),
        ("x-llmsim-fault", "explode"),
        ("x-llmsim-seed", "-1"),
        ("x-llmsim-target-tokens", "many"),
        ("x-llmsim-generator", "sequence"),
        ("x-llmsim-itl-factor", "fast"),
        ("x-llmsim-colour", "red"),
    ],
)
def test_what_means_nothing_is_refused_by_name(sim: Simulated, name: str, value: str) -> None:
    plan = sim.ask(headers={name: value})
    assert failure(plan).kind is FailureKind.INVALID
    assert name == failure(plan).param


def test_the_configured_sequence_can_be_asked_for(tmp_path: Path) -> None:
    response = "response: {generator: sequence, sequence: [one, two]}"
    sim = Simulated(tmp_path, f"{INSTANT}\n{response}")
    assert said(sim.ask(headers={"x-llmsim-generator": "fixed:X"})) == "X"
    headers = {"x-llmsim-generator": "sequence"}
    assert [said(sim.ask(headers=headers)) for _ in range(3)] == ["one", "two", "one"]


def test_latency_is_that_of_the_request(sim: Simulated) -> None:
    steady = "ttft_mean_ms=200,ttft_stddev_ms=0,tbt_mean_ms=20,tbt_stddev_ms=0"
    headers = {"x-llmsim-latency": steady, "x-llmsim-generator": "fixed:one two three"}
    for _ in range(2):  # the second time the draws are there
        plan = sim.ask(headers=headers, stream=True)
        assert (plan.ttft, plan.total) == (pytest.approx(0.2), pytest.approx(0.24))
    slow = sim.ask(headers={**headers, "x-llmsim-itl-factor": "5"}, stream=True)
    assert (slow.ttft, slow.total) == (pytest.approx(0.2), pytest.approx(0.4))


def test_more_latency_profiles_than_are_kept_still_count(sim: Simulated) -> None:
    generator = {"x-llmsim-generator": "fixed:one"}
    for wait in range(1, 70):
        latency = f"ttft_mean_ms={wait},ttft_stddev_ms=0,tbt_mean_ms=1,tbt_stddev_ms=0"
        plan = sim.ask(headers={"x-llmsim-latency": latency, **generator})
        assert plan.ttft == pytest.approx(wait / 1000)


@pytest.mark.parametrize("name", ["x-llmsim-error", "x-llmsim-nothing"])
def test_headers_can_be_switched_off(tmp_path: Path, name: str) -> None:
    sim = Simulated(tmp_path, f"{INSTANT}\ncontrol: {{headers: false}}")
    assert sim.ask(headers={name: "503"}).status == 200


def test_a_request_sets_a_distribution(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, "latency: {profile: instant}")
    headers = {
        "x-llmsim-target-tokens": "p50=20, p95=200",
        "x-llmsim-latency": "ttft_overhead_ms=100, itl_ms.p50=10, itl_ms.p95=10, accept_ms=5",
    }
    plans = [sim.ask(headers=headers, seed=seed) for seed in range(30)]
    tokens = [plan.completion.choices[0].tokens for plan in plans if plan.completion]
    assert len(set(tokens)) > 10
    for plan, count in zip(plans, tokens, strict=True):
        assert plan.ttft == pytest.approx(0.115)
        assert plan.total == pytest.approx(0.115 + 0.01 * (count - 1))
    with_suffix = "gpt-4o@llmsim:target_tokens=p50%3D20,p95%3D200"
    named = sim.ask(model=with_suffix, seed=3)
    assert named.completion is not None
    assert named.completion.choices[0].tokens == tokens[3]
