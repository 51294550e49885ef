"""What leaves when a request is accepted, before any token, as each service has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmsim.core import Plan
from tests.pipeline.simulated import Simulated
from tests.pipeline.test_order import WaitingQueue

LATENCY = """\
latency:
  accept_ms: 20
  ttft_ms: 300
  itl_ms: 10
  models:
    slow: {ttft_ms: 40000, itl_ms: 10, accept_ms: 20}
response: {target_tokens: 5}
"""
EARLY: list[tuple[str, dict[str, Any], list[bytes]]] = [
    ("openai_chat", {}, []),
    ("openai_completions", {"prompt": "hi"}, []),
    ("openai_responses", {"input": "hi"}, [b"response.created", b"response.in_progress"]),
    (
        "openai_responses",
        {"input": "hi", "background": True},
        [b"response.created", b"response.queued"],
    ),
    ("anthropic", {"max_tokens": 99}, [b"message_start", b"ping"]),
]


def names(plan: Plan, due: float) -> list[bytes]:
    """The names of the events that are due then."""
    frames = [
        plan.frames[place]
        for place, time in enumerate(plan.due[:].tolist())
        if time == pytest.approx(due)
    ]
    return [frame.partition(b"event: ")[2].partition(b"\n")[0] for frame in frames]


@pytest.mark.parametrize(("codec", "fields", "early"), EARLY)
def test_frames_that_need_no_token(
    codec: str, fields: dict[str, Any], early: list[bytes], tmp_path: Path
) -> None:
    sim = Simulated(tmp_path, LATENCY)
    plan = sim.ask(codec=codec, stream=True, **fields)
    assert plan.ttft == pytest.approx(0.32)
    assert plan.total == pytest.approx(0.36)
    assert names(plan, 0.02) == early
    assert len([time for time in plan.due[:] if time < plan.ttft]) == len(early)


def test_a_request_is_accepted_once_it_was_queued(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, f"{LATENCY}concurrency: {{max_concurrency: 1}}\n")
    sim.with_state(queue=WaitingQueue(2.0))
    plan = sim.ask(codec="anthropic", stream=True, max_tokens=99)
    assert names(plan, 2.02) == [b"message_start", b"ping"]
    assert plan.ttft == pytest.approx(2.32)


def test_a_plain_answer_takes_as_long_as_a_stream(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, LATENCY)
    plan = sim.ask()
    assert (plan.ttft, plan.total) == pytest.approx((0.32, 0.36))


def test_a_message_that_is_silent_has_pings(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, LATENCY)
    plan = sim.ask(codec="anthropic", model="slow", stream=True, max_tokens=99)
    assert plan.ttft == pytest.approx(40.02)
    assert names(plan, 15.02) == names(plan, 30.02) == [b"ping"]
    chat = sim.ask(model="slow", stream=True)
    assert chat.due[0] == pytest.approx(40.02)


def test_a_message_that_stalls_has_pings(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, LATENCY)
    fault = {"x-llmsim-fault": "stall; after=2; lasts_ms=40000"}
    plan = sim.ask(codec="anthropic", headers=fault, stream=True, max_tokens=99)
    assert plan.total == pytest.approx(40.36)
    pings = [
        time
        for place, time in enumerate(plan.due[:].tolist())
        if b"event: ping" in plan.frames[place]
    ]
    assert pings == pytest.approx([0.02, 15.33, 30.33])
