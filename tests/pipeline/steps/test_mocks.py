"""Which mock or script answers, how often, and what is left to chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from llmsim.core.errors import FailureKind
from llmsim.engine import timing
from llmsim.pipeline.steps import mocks as step
from tests.pipeline.simulated import Simulated, failure, said

INSTANT = "latency: {profile: instant}"


def mocked(folder: Path, mocks: str, more: str = "") -> Simulated:
    return Simulated(folder, f"{INSTANT}\nmocks: {mocks}\n{more}")


def answers(sim: Simulated, count: int, *args: Any, **fields: Any) -> list[str]:
    return [said(sim.ask(*args, **fields)) for _ in range(count)]


def test_the_highest_priority_counts_and_then_the_order_of_the_file(tmp_path: Path) -> None:
    rules = (
        "[{match: {content_contains: a}, response: one},"
        " {match: {content_contains: a}, response: two},"
        " {match: {content_contains: b}, priority: 5, response: urgent}]"
    )
    sim = mocked(tmp_path, rules)
    assert said(sim.ask("a")) == "one"
    assert said(sim.ask("a b")) == "urgent"


def test_a_mock_is_used_so_many_times_and_then_the_next_one(tmp_path: Path) -> None:
    sim = mocked(tmp_path, "[{times: 2, response: few}, {response: many}]")
    assert answers(sim, 4) == ["few", "few", "many", "many"]


def test_what_nothing_matches_is_answered_as_without_mocks(tmp_path: Path) -> None:
    text = "[{match: {model: other}, response: mocked}]"
    with_mocks = mocked(tmp_path, text, "seed: 4")
    call = with_mocks.call()
    answer = with_mocks.plan(call).frames[0]
    assert call.mock == ""
    without = Simulated(tmp_path, f"{INSTANT}\nseed: 4")
    assert without.ask().frames[0] == answer


@pytest.mark.parametrize(
    ("exhausted", "expected"),
    [("repeat_last", ["one", "two", "two", "two"]), ("loop", ["one", "two", "one", "two"])],
)
def test_responses_are_said_in_turn(tmp_path: Path, exhausted: str, expected: list[str]) -> None:
    sim = mocked(tmp_path, f"[{{responses: [one, two], on_exhausted: {exhausted}}}]")
    assert answers(sim, 4) == expected


def test_past_the_last_response_there_can_be_an_error_that_clients_do_not_retry(
    tmp_path: Path,
) -> None:
    sim = mocked(tmp_path, "[{name: once, responses: [one], on_exhausted: error}]")
    assert said(sim.ask()) == "one"
    call = sim.call()
    refused = failure(sim.plan(call))
    assert (refused.kind, refused.code) == (FailureKind.INVALID, "mock_exhausted")
    assert "'once' is exhausted: all of its 1 responses" in refused.message
    assert call.mock == "once"


def test_chance_is_the_seeds(tmp_path: Path) -> None:
    sim = mocked(tmp_path, "[{probability: 0.5, response: heads}, {response: tails}]")
    fates = {seed: said(sim.ask(seed=seed)) for seed in range(60)}
    assert {"heads", "tails"} == set(fates.values())
    assert 15 < list(fates.values()).count("heads") < 45
    assert all(said(sim.ask(seed=seed)) == fate for seed, fate in fates.items())


def test_without_a_seed_chance_is_drawn_for_each_request_and_the_answer_is_its_own(
    tmp_path: Path,
) -> None:
    sim = mocked(tmp_path, "[{probability: 0.5, response: '{{ seed }}'}, {response: '{{ seed }}'}]")
    seeds = answers(sim, 20)
    assert len(set(seeds)) == 20
    plan = sim.ask()
    assert said(plan) == str(plan.seed)


def test_a_mock_that_chance_left_out_is_not_used_up(tmp_path: Path) -> None:
    sim = mocked(tmp_path, "[{probability: 0.5, times: 3, response: heads}, {response: tails}]")
    assert answers(sim, 60).count("heads") == 3


def test_templates_count_uses_from_one(tmp_path: Path) -> None:
    sim = mocked(tmp_path, "[{response: 'no. {{ count }}: {{ last_user_message }}'}]")
    assert [said(sim.ask(word)) for word in ("a", "b")] == ["no. 1: a", "no. 2: b"]


def test_headers_of_the_caller_match_and_who_does_not_wait_has_none(tmp_path: Path) -> None:
    rules = "[{match: {headers: {x-tenant: 'a*'}}, response: tenant}, {response: other}]"
    sim = mocked(tmp_path, rules)
    assert said(sim.ask(headers={"x-tenant": "abc"})) == "tenant"
    assert said(sim.ask(headers={"x-tenant": "b"})) == "other"
    assert said(sim.ask(waiting=False)) == "other"


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        ("overloaded", 503, 0.2),
        ("{status: 418, message: I am a teapot.}", 418, 0.2),
        ("{kind: timeout, after_ms: 50}", 504, 0.05),
    ],
)
def test_an_error_comes_when_the_first_token_would(
    tmp_path: Path, error: str, status: int, after: float
) -> None:
    latency = "{ttft_mean_ms: 200, ttft_stddev_ms: 0, tbt_mean_ms: 1, tbt_stddev_ms: 0}"
    sim = mocked(tmp_path, f"[{{response: {{error: {error}, latency: {latency}}}}}]")
    plan = sim.ask()
    assert (plan.status, failure(plan).injected) == (status, True)
    assert failure(plan).after == pytest.approx(after)


def test_times_that_have_to_be_drawn_keep_nobody_waiting(tmp_path: Path) -> None:
    latency = "{ttft_mean_ms: 217, ttft_stddev_ms: 3, tbt_mean_ms: 1, tbt_stddev_ms: 0}"
    sim = mocked(tmp_path, f"[{{response: {{content: Hi, latency: {latency}}}}}]")
    called: list[str] = []

    async def offload(function: Any, /, *args: Any) -> Any:
        called.append(function.__name__)
        return function(*args)

    sim.ask()
    timing._made.clear()
    sim.with_state(offload=offload)
    assert said(sim.ask()) == said(sim.ask()) == "Hi"
    assert called.count("draws_of") == 1


def test_a_long_search_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "INLINE", 10)
    sim = mocked(tmp_path, "[{match: {content_regex: 'b(a+)c'}, response: found}]")
    called: list[str] = []

    async def offload(function: Any, /, *args: Any) -> Any:
        called.append(function.__name__)
        return function(*args)

    sim.with_state(offload=offload)
    assert said(sim.ask("x" * 100 + "baac")) == "found"
    assert "look" in called


SCRIPT = """
scripts:
  - name: booking
    on_exhausted: error
    turns:
      - Let me look.
      - {error: overloaded}
      - "Booked: {{ last_user_message }}"
"""


def conversation(*turns: str) -> list[dict[str, str]]:
    """The user and the assistant in turn."""
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": text} for place, text in enumerate(turns)]


def test_a_conversation_is_at_the_turn_that_follows_from_it(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT + SCRIPT)
    first = conversation("hi")
    second = conversation("hi", "Let me look.", "Rome")
    third = [*second, {"role": "assistant", "content": "Booked: Rome"}, first[0]]
    assert answers(sim, 2, messages=first) == ["Let me look."] * 2  # a retry gets the same
    assert sim.ask(messages=second).status == 503
    assert answers(sim, 2, messages=second) == ["Booked: Rome"] * 2  # the error was told
    assert failure(sim.ask(messages=third)).code == "mock_exhausted"


def test_the_error_of_a_turn_is_told_once_to_each_conversation(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT + SCRIPT)
    key = {"authorization": "Bearer one"}
    mine = conversation("hi", "Let me look.", "Rome")
    other = conversation("hello", "Let me look.", "Rome")
    for headers, messages in ((key, mine), ({}, mine), (key, other)):
        statuses = [sim.ask(headers=headers, messages=messages).status for _ in range(2)]
        assert statuses == [503, 200]


def test_a_global_script_gives_each_turn_once(tmp_path: Path) -> None:
    script = "scripts: [{key: global, turns: [one, two, three], on_exhausted: loop}]"
    sim = Simulated(tmp_path, f"{INSTANT}\n{script}")
    assert [said(sim.ask(word)) for word in "abcd"] == ["one", "two", "three", "one"]


def test_mocks_come_before_scripts(tmp_path: Path) -> None:
    sim = mocked(tmp_path, "[{times: 1, response: mock}]", "scripts: [{turns: [script]}]")
    assert answers(sim, 2) == ["mock", "script"]


def test_a_response_without_words_bends_the_answer_that_would_be_given(tmp_path: Path) -> None:
    sim = mocked(tmp_path, "[{response: {usage: {prompt_tokens: 7, cached_tokens: 3}}}]", "seed: 1")
    plain = Simulated(tmp_path, f"{INSTANT}\nseed: 1")
    bent, straight = sim.ask(), plain.ask()
    assert said(bent) == said(straight)
    assert orjson.loads(bent.frames[0])["usage"]["prompt_tokens"] == 7
