"""How many tokens the tools on offer are."""

from typing import Any

import pytest

from llmsim.core import Message, Request, Tool, ToolChoice
from llmsim.core.catalog.models import MODELS, resolve
from llmsim.core.catalog.prompt_rules import FAMILIES, OTHERS, prompt_rules
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.engine.tokens.tool_tokens import tool_tokens

# OpenAI's cookbook, "How to count tokens with tiktoken", part 7: what the live service counted.
WEATHER = Tool(
    "get_current_weather",
    "Get the current weather in a given location",
    {
        "type": "object",
        "properties": {
            "location": {
                "type": "string",
                "description": "The city and state, e.g. San Francisco, CA",
            },
            "unit": {
                "type": "string",
                "description": "The unit of temperature to return",
                "enum": ["celsius", "fahrenheit"],
            },
        },
        "required": ["location"],
    },
)
MESSAGES = (
    Message(
        "system", "You are a helpful assistant that can answer to questions about the weather."
    ),
    Message("user", "What's the weather like in San Francisco?"),
)


def counted(model: str, *tools: Tool, mode: Any = "auto") -> int:
    request = Request(model, (), tools=tools, choice=ToolChoice(mode))
    return tool_tokens(request, tokenizer(resolve(model).encoding).count)


@pytest.mark.parametrize(
    ("model", "expected"),
    [("gpt-4o", 101), ("gpt-4o-mini", 101), ("gpt-4", 105), ("gpt-3.5-turbo", 105)],
)
def test_the_cookbooks_example(model: str, expected: int) -> None:
    request = Request(model, MESSAGES, tools=(WEATHER,))
    assert prompt.tokens(request, tokenizer(resolve(model).encoding)) == expected


def props(**properties: Any) -> Tool:
    return Tool("f", "g", {"type": "object", "properties": properties})


TEXT = {"type": "string"}
LIST, TOOL, PROPERTIES, PROPERTY, ENUM, VALUE = 12, 7, 3, 3, -3, 3


@pytest.mark.parametrize(
    ("tools", "lines", "others"),
    [
        ([Tool("f", "g")], ["f:g"], TOOL),
        ([Tool("f", "g.")], ["f:g"], TOOL),  # the full stop at the end is left out
        ([Tool("f")], ["f:"], TOOL),
        ([Tool("f", "g"), Tool("f", "g")], ["f:g", "f:g"], 2 * TOOL),
        ([props()], ["f:g"], TOOL),
        (
            [props(a={**TEXT, "description": "b."})],
            ["f:g", "a:string:b"],
            TOOL + PROPERTIES + PROPERTY,
        ),
        ([props(a=TEXT)], ["f:g", "a:string"], TOOL + PROPERTIES + PROPERTY),
        (
            [props(a=TEXT, b=TEXT)],
            ["f:g", "a:string", "b:string"],
            TOOL + PROPERTIES + 2 * PROPERTY,
        ),
        (
            [props(a={**TEXT, "enum": ["x", "y"]})],
            ["f:g", "a:string", "x", "y"],
            TOOL + PROPERTIES + PROPERTY + ENUM + 2 * VALUE,
        ),
        (
            [props(a={"enum": [1, None]})],
            ["f:g", "a", "1", "null"],
            TOOL + PROPERTIES + PROPERTY + ENUM + 2 * VALUE,
        ),
        ([props(a=True)], ["f:g", "a"], TOOL + PROPERTIES + PROPERTY),
        (
            [props(a={"type": "object", "properties": {"b": TEXT}})],
            ["f:g", "a:object", "b:string"],
            TOOL + 2 * PROPERTIES + 2 * PROPERTY,
        ),
        (
            [props(a={"type": "array", "items": {"type": "object", "properties": {"b": TEXT}}})],
            ["f:g", "a:array", "b:string"],
            TOOL + 2 * PROPERTIES + 2 * PROPERTY,
        ),
    ],
)
def test_signatures(tools: list[Tool], lines: list[str], others: int) -> None:
    said = sum(map(tokenizer("o200k_base").count, lines))
    assert counted("gpt-4o", *tools) == LIST + others + said


def test_what_the_formula_leaves_out_counts_as_json() -> None:
    alternatives = [{"type": "string"}, {"type": "null"}]
    plain, more = (
        counted("gpt-4o", props(a={})),
        counted("gpt-4o", props(a={"anyOf": alternatives})),
    )
    assert more == plain + tokenizer("o200k_base").count('[{"type":"string"},{"type":"null"}]')


@pytest.mark.parametrize(
    ("model", "mode", "expected"),
    [
        ("claude-sonnet-4-5", "auto", 346),
        ("claude-sonnet-4-5", "none", 346),
        ("claude-sonnet-4-5", "required", 313),
        ("claude-3-5-haiku-latest", "auto", 264),
        ("claude-3-5-haiku-latest", "required", 340),
        ("claude-3-opus-latest", "required", 281),
    ],
)
def test_claudes_tools_are_json_after_a_prompt(model: str, mode: str, expected: int) -> None:
    assert counted(model, Tool("f"), mode=mode) == expected + 1


def test_other_families_are_estimated() -> None:
    assert counted("gemini-2.5-pro", Tool("f"), Tool("f")) == 12 + 2 * (8 + 1)


def test_every_model_of_openai_and_anthropic_has_rules() -> None:
    for model in MODELS.values():
        published = model.provider in ("openai", "anthropic") and model.kind == "chat"
        assert (prompt_rules(model.id) is not OTHERS) == (published or model.id.startswith("gpt"))


def test_every_row_holds_for_some_model() -> None:
    used = {id(prompt_rules(model.id)) for model in MODELS.values()}
    assert [pattern for pattern, rules in FAMILIES if id(rules) not in used] == []
