"""Starter scenarios: by header, suffix, marker and configuration, in each provider's shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import orjson
import pytest

from llmsim.core import ConnectionEnd, Plan
from llmsim.core.overrides import ScenarioName, marked
from llmsim.pipeline.steps.scenarios import LOOPS, WAIT
from tests.pipeline.simulated import Simulated, failure, said

INSTANT = "latency: {profile: instant}"
STEADY = """
latency: {ttft_mean_ms: 100, ttft_stddev_ms: 0, itl_mean_ms: 10, itl_stddev_ms: 0}
response: {target_tokens: 21}
"""
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("look", "find", "read", "write")
]


@pytest.fixture
def sim(tmp_path: Path) -> Simulated:
    return Simulated(tmp_path, INSTANT)


def asks(name: str) -> dict[str, str]:
    return {"x-llmsim-scenario": name}


def choice(plan: Plan) -> Any:
    return orjson.loads(plan.frames[0])["choices"][0]


@pytest.mark.parametrize("name", get_args(ScenarioName))
def test_each_scenario_answers_plain_and_streamed(sim: Simulated, name: str) -> None:
    for stream in (False, True):
        sim.ask(headers=asks(name), stream=stream, tools=TOOLS)


def test_whoever_tries_again_after_a_429_is_served(sim: Simulated) -> None:
    plans = [sim.ask(headers=asks("flaky-429")) for _ in range(4)]
    assert [plan.status for plan in plans] == [429, 200, 429, 200]
    assert failure(plans[0]).retry_after == 1.0
    assert failure(plans[0]).injected
    assert sim.ask(headers=asks("flaky-429; seed=7")).status == 429, "each seed by itself"


@pytest.mark.parametrize(
    "asked",
    [
        {"headers": asks("flaky-429")},
        {"model": "gpt-4o@llmsim:scenario=flaky-429"},
        {"model": "gpt-4o@llmsim:scenario=flaky-429,seed=7,speed=0.5"},
        {"text": "Hello [[llmsim:flaky-429]] there"},
        {"text": "[[llmsim:flaky-429 seed=7 speed=0.5]]"},
        {"headers": asks("flaky-429"), "text": "[[llmsim:broken-stream]]"},
    ],
)
def test_all_ways_to_ask_for_one(sim: Simulated, asked: dict[str, Any]) -> None:
    assert sim.ask(**asked).status == 429


def test_the_configured_one_is_for_requests_that_ask_for_none(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT + "\nscenario: flaky-429")
    assert sim.ask().status == 429
    assert sim.ask("[[llmsim:content-filter]]").status == 200
    assert sim.ask(headers=asks("content-filter")).status == 200
    assert sim.ask().status == 200


def test_only_the_last_message_of_the_user_counts(sim: Simulated) -> None:
    messages = [
        {"role": "user", "content": "[[llmsim:flaky-429]]"},
        {"role": "assistant", "content": "[[llmsim:flaky-429]]"},
        {"role": "user", "content": "and now?"},
    ]
    assert sim.ask(messages=messages).status == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[llmsim:flaky-430]]", "did you mean flaky-429"),
        ("[[llmsim:flaky-429 sede=7]]", "did you mean seed"),
        ("[[llmsim:flaky-429 speed=0]]", "speed"),
    ],
)
def test_what_is_none_is_refused_by_name(sim: Simulated, text: str, said: str) -> None:
    plan = sim.ask(text)
    assert plan.status == 400
    assert said in failure(plan).message


def test_markers_with_an_id_are_none(sim: Simulated) -> None:
    assert marked("[[llmsim:id=7]]") is None
    assert marked("[[llmsim:id=7]] [[llmsim:flaky-429  seed=7]]") == "flaky-429; seed=7"
    assert sim.ask("[[llmsim:id=7]]").status == 200


def test_where_requests_may_say_nothing_markers_say_nothing(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT + "\ncontrol: {headers: false}")
    assert sim.ask("[[llmsim:flaky-429]]").status == 200


def test_speed_is_a_factor_on_all_times(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, STEADY)
    slow = sim.ask(headers=asks("slow-first-token; speed=0.5"), stream=True)
    assert slow.ttft == pytest.approx(2 * WAIT + 0.2)
    assert slow.total - slow.ttft == pytest.approx(20 * 0.02)
    stalled = sim.ask(headers=asks("stream-stall; speed=2"), stream=True)
    gaps = [b - a for a, b in zip(stalled.due[:], stalled.due[1:], strict=False)]
    assert max(gaps) == pytest.approx(WAIT / 2 + 0.005)


def test_a_broken_stream_breaks_in_the_middle(sim: Simulated) -> None:
    assert sim.ask(headers=asks("broken-stream"), stream=True).ending is ConnectionEnd.CUT


@pytest.mark.parametrize(("tools", "calls"), [(TOOLS, 3), (TOOLS[:1], 2), ([], 0)])
def test_tools_are_called_in_parallel(
    sim: Simulated, tools: list[dict[str, Any]], calls: int
) -> None:
    fields = {"tools": tools} if tools else {}
    made = choice(sim.ask(headers=asks("parallel-tools"), **fields))
    assert len(made["message"].get("tool_calls", [])) == calls
    assert made["finish_reason"] == ("tool_calls" if calls else "stop")


def test_tools_are_called_again_and_again_until_the_answer_comes(sim: Simulated) -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Go"}]
    called = []
    for _ in range(LOOPS + 1):
        made = choice(sim.ask(headers=asks("long-tool-loop"), messages=messages, tools=TOOLS))
        if made["finish_reason"] == "stop":
            break
        (call,) = made["message"]["tool_calls"]
        called.append(call["function"]["name"])
        messages.append(made["message"])
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": "ok"})
    assert called == ["look", "find", "read", "write"] * 2
    assert made["message"]["content"]


@pytest.mark.parametrize("model", ["gpt-4o", "o3"])
@pytest.mark.parametrize("allowed", [100, 5000])
def test_reasoning_takes_all_that_is_allowed(sim: Simulated, model: str, allowed: int) -> None:
    plan = sim.ask(headers=asks("reasoning-starved"), model=model, max_completion_tokens=allowed)
    made = orjson.loads(plan.frames[0])
    assert made["choices"][0]["finish_reason"] == "length"
    assert not made["choices"][0]["message"]["content"]
    usage = made["usage"]
    assert usage["completion_tokens"] == allowed
    assert usage["completion_tokens_details"]["reasoning_tokens"] == allowed


@pytest.mark.parametrize(
    ("codec", "fields", "path"),
    [
        ("openai_chat", {}, ("choices", 0, "finish_reason", "content_filter")),
        ("openai_responses", {"input": "hi"}, ("incomplete_details", "reason", "content_filter")),
        ("anthropic", {"max_tokens": 100}, ("stop_reason", "refusal")),
        ("gemini", {"contents": [{"parts": [{"text": "hi"}]}]},
         ("candidates", 0, "finishReason", "SAFETY")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rate", [False, True])
def test_a_content_filter_has_each_providers_shape(
    tmp_path: Path, codec: str, fields: dict[str, Any], path: tuple[Any, ...], rate: bool
) -> None:
    errors = "\nerrors: {faults: {content_filter: {rate: 1}}}" if rate else ""
    sim = Simulated(tmp_path, INSTANT + errors)
    headers = {} if rate else asks("content-filter")
    call = sim.call(headers=headers, codec=codec, **fields)
    found = orjson.loads(sim.plan(call).frames[0])
    for name in path[:-1]:
        found = found[name]
    assert found == path[-1]
    assert call.rule == ("errors" if rate else "scenario content-filter")


def test_no_mock_is_used_where_a_scenario_has_decided(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT + "\nmocks: [{response: {content: mocked}, times: 1}]")
    assert said(sim.ask(headers=asks("content-filter"))) == "I"
    assert said(sim.ask()) == "mocked"
