"""Negations hold exactly where the schema does not."""

from typing import Any

import pytest

from llmsim.engine.schema.negation import negated
from tests.engine.schema.judge import faults

VALUES: list[Any] = [
    None, True, False, 0, 3, 5, 5.5, 10, "", "ab", "abcdef",
    [], [1], [1, 2, 3], ["x", 1], [None] * 5,
    {}, {"a": 1}, {"a": "x"}, {"a": 1, "b": 2}, {"b": None, "c": 1, "d": 2},
]  # fmt: skip

SCHEMAS: list[dict[str, Any]] = [
    {},
    {"description": "anything"},
    {"type": "string"},
    {"type": ["object", "array", "null"]},
    {"type": "integer"},
    {"type": "number"},
    {"minimum": 5},
    {"maximum": 5},
    {"exclusiveMinimum": 5},
    {"exclusiveMaximum": 5},
    {"multipleOf": 5},
    {"minLength": 3},
    {"maxLength": 3},
    {"maxLength": 0},
    {"minLength": 0},
    {"pattern": "^a"},
    {"minItems": 2},
    {"maxItems": 2},
    {"items": {"type": "integer"}},
    {"prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
    {"contains": {"const": 1}, "minContains": 1, "maxContains": 1},
    {"uniqueItems": True},
    {"required": ["a", "b"]},
    {"properties": {"a": {"type": "integer"}, "b": {"const": 2}}},
    {"properties": {"a": {"const": 1}}, "required": ["a"]},
    {"properties": {"a": {}}, "additionalProperties": False},
    {"minProperties": 2},
    {"maxProperties": 1},
    {"enum": [1, "ab", None]},
    {"const": {"a": 1}},
    {"not": {"type": "string"}},
    {"allOf": [{"type": "integer"}, {"minimum": 4}]},
    {"anyOf": [{"type": "string"}, {"minimum": 4}]},
    {"oneOf": [{"type": "number"}, {"minimum": 4}]},
    {"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "array"}},
    {"type": "object", "required": ["a"], "minProperties": 2},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_holds_exactly_where_the_schema_does_not(schema: dict[str, Any]) -> None:
    opposite = {"anyOf": found} if (found := negated(schema)) else False
    for value in VALUES:
        assert bool(faults(opposite, value)) is not bool(faults(schema, value)), value
