"""Which rule a request gets."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from llmsim.config import document
from llmsim.config.nodes import Faults
from llmsim.config.reader import read_key
from llmsim.core import Codec
from llmsim.engine.mocks.index import MockIndex
from llmsim.engine.mocks.view import View
from llmsim.providers.anthropic.messages.codec import Anthropic
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.responses.codec import OpenAIResponses

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
AGENT = [
    {"role": "system", "content": "Answer in JSON."},
    {"role": "user", "content": "What is the Weather in Paris?"},
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"},
]


def index_of(text: str) -> MockIndex:
    """The rules of YAML text: a list of mocks."""
    found = Faults()
    node = document.parsed(text, "mocks", found)
    found.settle()
    return MockIndex(read_key("mocks", node), ())


def seen(
    rules: MockIndex,
    *messages: dict[str, Any],
    header: Callable[[str], str | None] = lambda _: None,
    **fields: Any,
) -> View:
    body = orjson.dumps({"model": "gpt-4o", "messages": messages or AGENT, **fields})
    request = OpenAIChat().decode(body)
    return rules.view(request, "/v1/chat/completions", "openai_chat", body, header)


def labels(rules: MockIndex, view: View) -> list[str]:
    return [rule.label for rule in rules.matching(view)]


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        ("{}", True),
        ("{model: gpt-4o}", True),
        ("{model: gpt-*}", True),
        ("{model: gpt-4}", False),
        ("{model: GPT-4o}", False),
        ("{endpoint: '*/chat/completions'}", True),
        ("{endpoint: /v1/messages}", False),
        ("{dialect: openai_*}", True),
        ("{dialect: anthropic}", False),
        ("{content_contains: weather}", True),
        ("{content_contains: weather, case_sensitive: true}", False),
        ("{content_contains: degrees}", False),
        ("{content_regex: 'in (Paris|Rome)'}", True),
        ("{content_regex: 'in paris'}", False),
        ("{content_regex: 'in paris', case_sensitive: false}", True),
        ("{content_regex: '^What.*\\?$'}", True),
        ("{content_equals: 'What is the Weather in Paris?'}", True),
        ("{content_equals: 'what is the weather in paris?'}", False),
        ("{content_equals: 'what is the weather in paris?', case_sensitive: false}", True),
        ("{content_equals: 'What is the Weather'}", False),
        ("{system_contains: json}", True),
        ("{system_contains: xml}", False),
        ("{any_contains: 12 deg}", True),
        ("{any_contains: nowhere}", False),
        ("{tool_result_contains: DEGREES}", True),
        ("{tool_result_regex: '^\\d+'}", True),
        ("{tool_result_equals: '12'}", False),
        ("{tool_call_id: call_*}", True),
        ("{tool_call_id: call_2}", False),
        ("{tools: get_weather}", True),
        ("{tools: ['get_*', get_time]}", False),
        ("{turns: 2}", True),
        ("{turns: 1}", False),
        ("{turns: {min: 2}}", True),
        ("{turns: {max: 1}}", False),
        ("{headers: {X-Test: 'a*'}}", True),
        ("{headers: {x-test: b}}", False),
        ("{headers: {x-none: {exists: false}}}", True),
        ("{headers: {x-test: {contains: BC}}}", True),
        ("{body: {user: alice}}", True),
        ("{body: {user: Alice}}", False),
        ("{body: {user: {like: 'al*'}}}", True),
        ("{body: {n: 1}}", True),
        ("{body: {n: true}}", False),
        ("{body: {n: '1'}}", False),
        ("{body: {seed: {exists: false}}}", True),
        ("{body: {seed: {exists: true}}}", False),
        ("{body: {seed: null}}", False),
        ("{body: {'messages[-1].role': tool}}", True),
        ("{body: {'messages[9].role': tool}}", False),
        ("{body: {'messages[*].role': user}}", True),
        ("{body: {'tools[*].function.name': {regex: weather$}}}", True),
        ("{body: {'metadata[\"a.b\"]': c}}", True),
        ("{body: {metadata: {equals: {a.b: c}}}}", True),
        ("{all: [{model: gpt-4o}, {content_contains: weather}]}", True),
        ("{all: [{model: gpt-4o}, {content_contains: rain}]}", False),
        ("{any: [{model: x}, {content_contains: weather}]}", True),
        ("{any: [{model: x}, {content_contains: rain}]}", False),
        ("{not: {content_contains: rain}}", True),
        ("{not: {content_contains: weather}}", False),
        ("{content_contains: weather, system_contains: json, model: gpt-4o}", True),
        ("{content_contains: weather, system_contains: xml}", False),
    ],
)
def test_each_condition(match: str, holds: bool) -> None:
    rules = index_of(f"- {{match: {match}, response: a}}")
    view = seen(
        rules, header={"x-test": "abc"}.get, tools=[TOOL], user="alice", n=1, metadata={"a.b": "c"}
    )
    assert bool(labels(rules, view)) is holds


TEXTS: list[tuple[Codec, dict[str, Any]]] = [
    (
        OpenAIResponses(),
        {"model": "m", "instructions": "be brief", "input": [{"role": "user", "content": "hello"}]},
    ),
    (
        Anthropic(),
        {
            "model": "m",
            "max_tokens": 9,
            "system": [{"type": "text", "text": "be brief"}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        },
    ),
    (
        Gemini("m"),
        {
            "systemInstruction": {"parts": [{"text": "be brief"}]},
            "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        },
    ),
]


@pytest.mark.parametrize(("codec", "body"), TEXTS, ids=lambda one: getattr(one, "name", ""))
def test_every_format_has_the_same_places(codec: Codec, body: dict[str, Any]) -> None:
    rules = index_of(
        "- match: {content_equals: hello, system_contains: brief, model: m, turns: 1}\n"
        "  response: a"
    )
    raw = orjson.dumps(body)
    view = rules.view(codec.decode(raw), "/", codec.name, raw, lambda _: None)
    assert labels(rules, view) == ["mocks[0]"]


def test_priority_counts_before_the_order_of_the_file() -> None:
    rules = index_of(
        "- {response: a, priority: -1}\n- {match: {content_contains: weather}, response: b}\n"
        "- {response: c, priority: 5}\n- {match: {any_contains: paris}, response: d}\n- response: e"
    )
    assert labels(rules, seen(rules)) == [f"mocks[{place}]" for place in (2, 1, 3, 4, 0)]


def test_a_thousand_rules_are_found_as_if_each_were_asked() -> None:
    inputs = random.Random(4)
    words = ["".join(inputs.choices("abc", k=inputs.randint(1, 6))) for _ in range(400)]
    hows = ["content_contains", "content_regex", "any_contains", "system_equals"]
    listed = [
        {"match": {inputs.choice(hows): inputs.choice(words)}, "response": "x"} for _ in range(1000)
    ]
    rules = index_of(orjson.dumps(listed).decode())
    alone = [index_of(orjson.dumps([one]).decode()) for one in listed]
    for _ in range(10):
        said = " ".join(inputs.choices(words, k=6)).title()
        talk = (
            {"role": "user", "content": said},
            {"role": "system", "content": inputs.choice(words)},
        )
        wanted = [f"mocks[{i}]" for i, one in enumerate(alone) if labels(one, seen(one, *talk))]
        assert labels(rules, seen(rules, *talk)) == wanted


@pytest.mark.parametrize("regex", ["(a+)+$", "(a|aa)+b", "(.*)*x", "(a?){99}a{99}b"])
def test_no_expression_takes_long(regex: str) -> None:
    rules = index_of(f"- {{match: {{content_regex: '{regex}'}}, response: a}}")
    view = seen(rules, {"role": "user", "content": "a" * 20_000 + "!"})
    start = time.process_time()
    assert labels(rules, view) == []
    assert time.process_time() - start < 1.0


def test_a_body_that_is_no_json_has_nothing_in_it() -> None:
    rules = index_of(
        "- {match: {body: {a: {exists: true}}}, response: a}\n"
        "- {match: {body: {a: {exists: false}}}, response: b}"
    )
    view = seen(rules)
    view.body = b"--boundary"
    assert labels(rules, view) == ["mocks[1]"]
