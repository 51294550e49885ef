"""Schemas that nothing satisfies, or that are none: refused, and the place is named."""

from typing import Any

import pytest

from llmsim.engine.schema import ImpossibleSchema, check, text, value

ENDLESS = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
MUTUAL = {
    "$ref": "#/$defs/a",
    "$defs": {
        "a": {"type": "array", "items": {"$ref": "#/$defs/b"}, "minItems": 1},
        "b": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]},
    },
}
NESTED = {
    "type": "object",
    "properties": {
        "order": {
            "type": "object",
            "properties": {"lines": {"type": "array", "minItems": 1, "items": {"minimum": "1"}}},
        }
    },
}

MALFORMED: list[tuple[Any, str, str]] = [
    (7, "#", "7 is not a schema"),
    (None, "#", "null is not a schema"),
    ([], "#", "is not a schema"),
    ({"type": "strng"}, "#/type", '"strng" is not a type'),
    ({"type": []}, "#/type", "empty list of types"),
    ({"type": ["string", 5]}, "#/type", "5 is not a type"),
    ({"properties": []}, "#/properties", "not an object of schemas"),
    ({"properties": {"a/b": 5}}, "#/properties/a~1b", "5 is not a schema"),
    ({"required": "a"}, "#/required", "not an array of strings"),
    ({"properties": {"a": {"required": True}}}, "#/properties/a/required", "not an array"),
    ({"dependentRequired": {"a": "b"}}, "#/dependentRequired/a", "not an array"),
    ({"enum": []}, "#/enum", "empty enum"),
    ({"enum": "a"}, "#/enum", "not an array"),
    ({"minimum": "3"}, "#/minimum", "not a finite number"),
    ({"minLength": -1}, "#/minLength", "not a count"),
    ({"maxItems": 1.5}, "#/maxItems", "not a count"),
    ({"multipleOf": 0}, "#/multipleOf", "not above 0"),
    ({"uniqueItems": "yes"}, "#/uniqueItems", "not true or false"),
    ({"anyOf": []}, "#/anyOf", "non-empty array of schemas"),
    ({"allOf": {}}, "#/allOf", "non-empty array of schemas"),
    ({"items": 5}, "#/items", "5 is not a schema"),
    ({"format": 5}, "#/format", "not a string"),
    ({"pattern": 5}, "#/pattern", "not a string"),
    ({"pattern": "("}, "#/pattern", "not closed"),
    ({"pattern": "a)"}, "#/pattern", "not opened"),
    ({"pattern": "a**"}, "#/pattern", "nothing to repeat"),
    ({"pattern": "a{3,1}"}, "#/pattern", "out of order"),
    ({"pattern": "[z-a]"}, "#/pattern", "out of order"),
    ({"pattern": "a{100000}"}, "#/pattern", "repeats more than"),
    ({"pattern": "(" * 60 + ")" * 60}, "#/pattern", "nested more than"),
    ({"pattern": r"\p{Klingon}"}, "#/pattern", "not known"),
    ({"pattern": r"(a)\2"}, "#/pattern", "no group 2"),
    ({"patternProperties": {"[": {}}}, "#/patternProperties/[", "ends in the middle"),
    ({"$ref": 5}, "#/$ref", "not a string"),
    ({"$ref": "#/$defs/none"}, "#/$ref", "cannot be resolved"),
    ({"$ref": "#none"}, "#/$ref", "cannot be resolved"),
    ({"$ref": "https://example.com/schema"}, "#/$ref", "cannot be resolved"),
    (NESTED, "#/properties/order/properties/lines/items/minimum", "not a finite number"),
]

CONTRADICTORY: list[tuple[Any, str, str]] = [
    (False, "#", "nothing is allowed"),
    ({"not": {}}, "#", "nothing is allowed"),
    ({"type": "integer", "minimum": 5, "maximum": 3}, "#", "between 5 and 3"),
    ({"type": "number", "exclusiveMinimum": 1, "maximum": 1}, "#", "between 1 (exclusive) and 1"),
    ({"type": "integer", "minimum": 1.2, "maximum": 1.8}, "#", "no integer"),
    ({"type": "integer", "multipleOf": 10, "minimum": 1, "maximum": 9}, "#", "multiple of 10"),
    ({"type": "number", "multipleOf": 0.5, "minimum": 0.1, "maximum": 0.4}, "#", "multiple of"),
    ({"type": "string", "minLength": 5, "maxLength": 4}, "#", "above maxLength"),
    ({"type": "string", "pattern": "^a{3}$", "maxLength": 2}, "#", "of 0 to 2 characters"),
    ({"type": "string", "format": "uuid", "maxLength": 9}, "#", "no string was found"),
    ({"pattern": "^a$", "allOf": [{"pattern": "^b$"}], "type": "string"}, "#", "no string"),
    ({"type": "string", "pattern": "[]"}, "#", "no string"),
    ({"type": "array", "minItems": 3, "maxItems": 2}, "#", "at least 3 and at most 2 items"),
    ({"type": "array", "minItems": 1, "items": False}, "#/items", "nothing is allowed"),
    (
        {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 3},
        "#",
        "too few different values",
    ),
    (
        {"type": "array", "items": {"type": "string"}, "contains": {"type": "null"}},
        "#/contains",
        "no type is allowed",
    ),
    ({"type": "array", "contains": {}, "maxItems": 0}, "#", "at least 1 and at most 0"),
    (
        {"type": "array", "contains": {"const": 1}, "minContains": 3, "maxContains": 2},
        "#",
        "no value was found",
    ),
    (
        {"type": "object", "required": ["a"], "additionalProperties": False},
        "#",
        "required property 'a' is not allowed",
    ),
    ({"type": "object", "required": ["a", "b"], "maxProperties": 1}, "#", "at least 2"),
    ({"type": "object", "minProperties": 2, "maxProperties": 1}, "#", "at least 2"),
    (
        {"type": "object", "minProperties": 1, "additionalProperties": False},
        "#/additionalProperties",
        "nothing is allowed",
    ),
    (
        {"type": "object", "required": ["abc"], "propertyNames": {"maxLength": 2}},
        "#",
        "not a name propertyNames allows",
    ),
    (
        {"type": "object", "minProperties": 4, "propertyNames": {"enum": ["a", "b"]}},
        "#",
        "at least 4 properties",
    ),
    (
        {
            "type": "object",
            "properties": {"a": {"type": "integer", "minimum": 2, "maximum": 1}},
            "required": ["a"],
        },
        "#/properties/a",
        "between 2 and 1",
    ),
    ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "#/allOf/1", "no type is allowed"),
    ({"allOf": [{"const": 1}, {"const": 2}]}, "#", "no listed value"),
    ({"type": "string", "enum": [1, 2]}, "#", "no listed value"),
    ({"enum": [1, 2], "const": 3}, "#", "no listed value"),
    ({"anyOf": [False, {"type": "null", "const": 1}]}, "#/anyOf/0", "nothing is allowed"),
    ({"type": "null", "oneOf": [{"type": "string"}]}, "#/oneOf/0", "no alternative"),
    ({"oneOf": [{"type": "integer"}, {"type": "integer"}]}, "#", "no value was found"),
    ({"type": "string", "not": {"type": "string"}}, "#", "no alternative"),
    ({"type": "boolean", "not": {"enum": [True, False]}}, "#", "no value was found"),
    ({"if": True, "then": False}, "#/then", "nothing is allowed"),
]

ENDLESSLY_RECURSIVE: list[tuple[Any, str, str]] = [
    ({"$ref": "#"}, "#", "recursion without an exit"),
    ({"anyOf": [{"$ref": "#"}, {"type": "null"}]}, "#", "recursion without an exit"),
    (
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        "#/$defs/a",
        "recursion without an exit",
    ),
    (ENDLESS, "#", "recursion without an exit"),
    (MUTUAL, "#", "recursion without an exit"),
]


def doubling(levels: int) -> dict[str, Any]:
    """A schema of which every level needs the next one twice."""
    defs: dict[str, Any] = {
        f"n{level}": {
            "type": "object",
            "properties": {side: {"$ref": f"#/$defs/n{level + 1}"} for side in "ab"},
            "required": ["a", "b"],
        }
        for level in range(levels)
    }
    return {"$ref": "#/$defs/n0", "$defs": {**defs, f"n{levels}": {"type": "null"}}}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "null"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema, "minItems": 1}
    return schema


def chained(levels: int) -> dict[str, Any]:
    defs = {f"n{level}": {"$ref": f"#/$defs/n{level + 1}"} for level in range(levels)}
    return {"$ref": "#/$defs/n0", "$defs": {**defs, f"n{levels}": {"type": "null"}}}


TOO_MUCH: list[tuple[Any, str, str]] = [
    ({"type": "string", "minLength": 10**9}, "#", "more than 100000 characters"),
    ({"type": "string", "pattern": "^a+$", "minLength": 5000}, "#", "too much for a pattern"),
    ({"type": "array", "minItems": 10**6}, "#", "more than 10000 items"),
    ({"type": "object", "minProperties": 10**6}, "#", "at least 1000000 and at most"),
    (doubling(40), "#", "in 20000 steps"),
    (nested(250), "#/items/items/items/items/items/items/items/items", "nested more than"),
    (chained(5000), "#", "nested too deeply"),
]
"""What would hold a worker up is refused within the same bounds as everything else."""


@pytest.mark.parametrize(
    ("schema", "pointer", "message"),
    MALFORMED + CONTRADICTORY + ENDLESSLY_RECURSIVE + TOO_MUCH,
    ids=lambda part: str(part)[:60],
)
def test_refused(schema: Any, pointer: str, message: str) -> None:
    with pytest.raises(ImpossibleSchema) as raised:
        check(schema)
    assert raised.value.pointer == pointer
    assert message in raised.value.message
    assert str(raised.value) == f"{pointer}: {raised.value.message}"
    for seed in range(1, 4):
        with pytest.raises(ImpossibleSchema):
            value(schema, seed)
        with pytest.raises(ImpossibleSchema):
            text(schema, seed)


def test_path_is_a_tuple_of_steps() -> None:
    with pytest.raises(ImpossibleSchema) as raised:
        check({"properties": {"a/b": {"items": 5}}})
    assert raised.value.path == ("properties", "a/b", "items")


def test_malformed_parts_that_are_never_used_are_refused_too() -> None:
    with pytest.raises(ImpossibleSchema, match=r"#/properties/b/\$ref"):
        check({"type": "object", "properties": {"a": {}, "b": {"$ref": "#/none"}}})
