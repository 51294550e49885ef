"""How many tokens the tools on offer are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from llmsim.core import Request, Schema, Tool
from llmsim.core.catalog.prompt_rules import JsonRule, prompt_rules
from llmsim.core.codec import dumps

PER_PROPERTIES = 3
PER_PROPERTY = 3
PER_ENUM = -3
PER_VALUE = 3
PER_LIST = 12
# Parts of a schema of which the cookbook says nothing count as the JSON they are.
OTHER_PARTS = ("anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions")

Counting: TypeAlias = Callable[[str], int]
"""Counts the tokens of a text."""


def tool_tokens(request: Request, count: Counting) -> int:
    """Tokens of the tools on offer, by the rule of the model's family."""
    rule = prompt_rules(request.model).tools
    if isinstance(rule, JsonRule):
        forced = request.choice.mode == "required"
        total = rule.forced if forced else rule.free
        return total + sum(rule.each + _as_json(tool, count) for tool in request.tools)
    return PER_LIST + sum(rule.start + _signature(tool, count) for tool in request.tools)


def _as_json(tool: Tool, count: Counting) -> int:
    schema = 0 if tool.schema is None else count(dumps(tool.schema).decode())
    return count(tool.name) + count(tool.description) + schema


def _signature(tool: Tool, count: Counting) -> int:
    """A line of name and description, and one for each property (OpenAI's cookbook, "How to count
    tokens with tiktoken", part 7)."""
    total = count(f"{tool.name}:{_unended(tool.description)}")
    return total if tool.schema is None else total + _properties(tool.schema, count)


def _properties(schema: Schema, count: Counting) -> int:
    """The properties of an object. The cookbook's have no properties of their own: those of
    nested objects, and of objects in arrays, count like the outer ones."""
    if not isinstance(schema, Mapping):
        return 0
    total = sum(count(_text(schema[part])) for part in OTHER_PARTS if part in schema)
    items = schema.get("items")
    if items is not None:
        total += _properties(items, count)
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return total
    total += PER_PROPERTIES
    for name, one in properties.items():
        total += PER_PROPERTY
        if not isinstance(one, Mapping):
            total += count(name)
            continue
        values = one.get("enum")
        if isinstance(values, list):
            total += PER_ENUM + sum(PER_VALUE + count(_text(value)) for value in values)
        described = [_text(one[key]) for key in ("type", "description") if key in one]
        total += count(":".join((name, *described[:-1], *map(_unended, described[-1:]))))
        total += _properties(one, count)
    return total


def _unended(text: str) -> str:
    return text.removesuffix(".")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value).decode()
