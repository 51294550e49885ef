"""Reasoning that takes every token there was, in the shape of each service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from llmsim.core import Plan
from tests.pipeline.simulated import Simulated

INSTANT = "latency: {profile: instant}\n"


def document(plan: Plan) -> Any:
    return orjson.loads(plan.frames[0])


def stream(plan: Plan) -> str:
    return plan.frames.join(0, len(plan.due)).decode()


def test_chat(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT)
    asked: dict[str, Any] = {"model": "o3", "max_completion_tokens": 50}
    said = document(sim.ask(**asked))
    assert said["choices"][0]["message"]["content"] == ""
    assert said["choices"][0]["finish_reason"] == "length"
    assert said["usage"]["completion_tokens"] == 50
    assert said["usage"]["completion_tokens_details"]["reasoning_tokens"] == 50
    streamed = stream(sim.ask(**asked, stream=True))
    assert '"finish_reason":"length"' in streamed
    contents = [part for part in streamed.split("\n\n") if '"content":"' in part]
    assert all('"content":""' in part for part in contents)


@pytest.mark.parametrize("summary", [None, "auto"])
def test_responses(summary: str | None, tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT)
    asked: dict[str, Any] = {
        "model": "gpt-5", "input": "hi", "max_output_tokens": 50, "reasoning": {"summary": summary}
    }  # fmt: skip
    said = document(sim.ask(codec="openai_responses", **asked))
    assert said["status"] == "incomplete"
    assert said["incomplete_details"] == {"reason": "max_output_tokens"}
    assert [item["type"] for item in said["output"]] == ["reasoning"]
    assert bool(said["output"][0]["summary"]) is (summary is not None)
    assert said["usage"]["output_tokens_details"]["reasoning_tokens"] == 50
    streamed = stream(sim.ask(codec="openai_responses", **asked, stream=True))
    assert "event: response.incomplete" in streamed
    assert "response.output_text" not in streamed


@pytest.mark.parametrize("thoughts", [False, True])
def test_gemini(thoughts: bool, tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT)
    config = {"maxOutputTokens": 50, "thinkingConfig": {"includeThoughts": thoughts}}
    body = {
        "model": "gemini-2.5-pro",
        "contents": [{"parts": [{"text": "hi"}]}],
        "generationConfig": config,
    }
    (said,) = document(sim.ask(codec="gemini", messages=[], **body))["candidates"]
    assert said["finishReason"] == "MAX_TOKENS"
    parts = said["content"].get("parts", [])
    assert [part.get("thought", False) for part in parts] == [True] * thoughts


def test_others_keep_half_for_the_answer(tmp_path: Path) -> None:
    thinks = {"type": "enabled", "budget_tokens": 1024}
    sim = Simulated(tmp_path, INSTANT)
    said = document(
        sim.ask(codec="anthropic", model="claude-opus-4-5", max_tokens=1025, thinking=thinks)
    )
    assert any(block["type"] == "text" and block["text"] for block in said["content"])


@pytest.mark.parametrize(
    ("model", "may_starve", "starves"),
    [("o3", "", True), ("o3", "false", False), ("deepseek-r1", "", False),
     ("deepseek-r1", "true", True), ("gpt-4o", "true", False)],
)  # fmt: skip
def test_the_configuration_decides(
    model: str, may_starve: str, starves: bool, tmp_path: Path
) -> None:
    text = f"{INSTANT}thinking: {{may_starve: {may_starve}}}" if may_starve else INSTANT
    plan = Simulated(tmp_path, text).ask(model=model, max_completion_tokens=20)
    assert plan.completion is not None
    assert plan.completion.choices[0].starved is starves
    content = document(plan)["choices"][0]["message"]["content"]
    assert (content == "") is starves


def test_tools_are_not_called_either(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    plan = Simulated(tmp_path, INSTANT).ask(model="o3", max_completion_tokens=20, tools=[tool])
    assert document(plan)["choices"][0]["message"].get("tool_calls") is None
