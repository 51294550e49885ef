"""What is taken at a glance has no field that the API does not have."""

from typing import Any

import orjson
import pytest

from llmsim.providers.wire.plain_bodies import PlainBodies
from llmsim.providers.wire.request_fields import request_fields
from tests.providers import strict_rules
from tests.providers.strict_rules import HI

CHAT, ANTHROPIC, RESPONSES = "openai_chat", "anthropic", "openai_responses"
TEXT = [{"type": "text", "text": "x"}]


def takes(name: str, body: dict[str, Any]) -> bool:
    fields = request_fields(name)
    return PlainBodies(fields.root, fields.types).takes(orjson.dumps(body))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (CHAT, {"model": "x", "messages": [HI], "temperature": 0.5, "stop": ["x"]}),
        (CHAT, {"model": "x", "messages": [{"role": "user", "content": TEXT}], "stop": None}),
        (CHAT, {"messages": [HI], "tools": [strict_rules.FUNCTION]}),
        (CHAT, strict_rules.chat_calls("a", "b")),
        (ANTHROPIC, {"model": "x", "messages": [HI], "system": TEXT}),
        (ANTHROPIC, strict_rules.anthropic_turns()),
        (RESPONSES, {"model": "x", "input": "Hi", "reasoning": {"effort": "low"}}),
    ],
)
def test_what_most_requests_are_is_taken(name: str, body: dict[str, Any]) -> None:
    assert takes(name, body)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (CHAT, {"x": 1}),
        (CHAT, {"messages": [{**HI, "x": 1}]}),
        (CHAT, {"messages": [{"role": "user", "content": [{**TEXT[0], "x": 1}]}]}),
        (CHAT, {"tools": [{**strict_rules.FUNCTION, "x": 1}]}),
        (ANTHROPIC, {"messages": [HI], "system": [{**TEXT[0], "x": 1}]}),
        (RESPONSES, {"input": "Hi", "reasoning": {"x": 1}}),
        (RESPONSES, {"input": [{**HI, "x": 1}]}),
    ],
)
def test_an_unknown_field_is_never_taken(name: str, body: dict[str, Any]) -> None:
    assert list(request_fields(name).misfits(body))
    assert not takes(name, body)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_not_taken(body: bytes) -> None:
    fields = request_fields(CHAT)
    assert not PlainBodies(fields.root, fields.types).takes(body)
