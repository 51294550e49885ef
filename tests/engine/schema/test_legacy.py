"""Older spellings of keywords, one level at a time."""

from typing import Any

import pytest

from llmsim.engine.schema.legacy import modern

CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "STRING"}, {"type": "string"}),
    ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
    ({"type": "string", "nullable": False}, {"type": "string"}),
    ({"type": ["string", "null"], "nullable": True}, {"type": ["string", "null"]}),
    ({"nullable": True, "minLength": 1}, {"minLength": 1}),
    ({"type": "TYPE_UNSPECIFIED"}, {}),
    ({"maxItems": "3", "minLength": "0"}, {"maxItems": 3, "minLength": 0}),
    ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
    ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}),
    ({"exclusiveMaximum": True}, {}),
    ({"items": [{}, True]}, {"prefixItems": [{}, True]}),
    ({"items": [{}], "additionalItems": False}, {"prefixItems": [{}], "items": False}),
    ({"items": [], "additionalItems": False}, {"items": False}),
    ({"items": {}, "additionalItems": False}, {"items": {}}),
    (
        {"dependencies": {"a": ["b"], "c": {"minProperties": 2}}},
        {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"minProperties": 2}}},
    ),
    ({"$recursiveRef": "#"}, {"$ref": "#"}),
    ({"$dynamicRef": "#a"}, {"$ref": "#a"}),
    ({"example": 5}, {"examples": [5]}),
    ({"example": 5, "examples": [6]}, {"example": 5, "examples": [6]}),
]


@pytest.mark.parametrize(("old", "new"), CASES, ids=str)
def test_modern_spelling(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = str(old)
    assert modern(old) == new
    assert str(old) == before


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"items": {"type": "STRING"}},
        {"exclusiveMinimum": 3},
        {"minItems": 1},
    ],
    ids=str,
)
def test_nothing_to_change(schema: dict[str, Any]) -> None:
    assert modern(schema) is schema


def test_order_of_properties() -> None:
    old = {"properties": {"a": {}, "b": {}, "c": {}}, "propertyOrdering": ["c", "none", "a"]}
    assert list(modern(old)["properties"]) == ["c", "a", "b"]
