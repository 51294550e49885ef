"""Reasoning that is asked for as OpenRouter's clients do is answered in OpenRouter's form."""

from typing import Any

import orjson
import pytest

from llmsim import plan

ASKED: dict[str, Any] = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}]}
MOCK = {"mocks": [{"response": {"reasoning": "Hm. Well.", "content": "Hello."}}]}


def message(**fields: Any) -> dict[str, Any]:
    made = plan(ASKED | fields, config=MOCK)
    said: dict[str, Any] = orjson.loads(bytes(made.frames[0]))["choices"][0]["message"]
    return said


@pytest.mark.parametrize(
    "fields", [{"reasoning": {"effort": "low"}}, {"reasoning": {}}, {"include_reasoning": True}]
)
def test_plain(fields: dict[str, Any]) -> None:
    said = message(**fields)
    assert said["reasoning"] == "Hm. Well."
    assert [one["text"] for one in said["reasoning_details"]] == ["Hm. Well."]
    assert "reasoning_content" not in said


@pytest.mark.parametrize(
    "fields", [{}, {"reasoning": {"exclude": True}}, {"reasoning_effort": "low"}]
)
def test_not_asked_for(fields: dict[str, Any]) -> None:
    assert "reasoning" not in message(**fields)


def test_streamed() -> None:
    made = plan(ASKED | {"reasoning": {"max_tokens": 50}, "stream": True}, config=MOCK)
    data = [bytes(made.frames[place])[6:] for place in range(len(made.frames))]
    deltas = [orjson.loads(one)["choices"][0]["delta"] for one in data[:-1]]
    assert "".join(one.get("reasoning", "") for one in deltas) == "Hm. Well."
    details = [one["reasoning_details"][0]["text"] for one in deltas if "reasoning" in one]
    assert "".join(details) == "Hm. Well."
    assert "".join(one.get("content") or "" for one in deltas) == "Hello."
