"""The JSON types a schema allows, as a bit mask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmsim.engine.schema.keywords import Facet

NULL, BOOLEAN, INTEGER, FRACTION, STRING, ARRAY, OBJECT = (1 << bit for bit in range(7))
NUMBER = INTEGER | FRACTION
EVERY = (1 << 7) - 1

MASKS = {
    "null": NULL,
    "boolean": BOOLEAN,
    "integer": INTEGER,
    "number": NUMBER,
    "string": STRING,
    "array": ARRAY,
    "object": OBJECT,
}

KEYWORDS = (
    dict.fromkeys(("minLength", "maxLength", "pattern", "format"), STRING)
    | dict.fromkeys(("minimum", "maximum", "multipleOf"), NUMBER)
    | dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), NUMBER)
    | dict.fromkeys(("items", "prefixItems", "contains", "unevaluatedItems"), ARRAY)
    | dict.fromkeys(("minItems", "maxItems", "uniqueItems"), ARRAY)
    | dict.fromkeys(("minContains", "maxContains"), ARRAY)
    | dict.fromkeys(("properties", "patternProperties", "additionalProperties"), OBJECT)
    | dict.fromkeys(("propertyNames", "required", "unevaluatedProperties"), OBJECT)
    | dict.fromkeys(("minProperties", "maxProperties"), OBJECT)
    | dict.fromkeys(("dependentRequired", "dependentSchemas"), OBJECT)
)
"""The type each keyword is about; it says nothing of values of other types."""


def named(types: str | list[str]) -> int:
    """The mask of a ``type`` keyword's value."""
    if isinstance(types, str):
        return MASKS[types]
    mask = 0
    for each in types:
        mask |= MASKS[each]
    return mask


def spelled(mask: int) -> list[str]:
    """The mask as a ``type`` keyword's value."""
    names = [name for name, bits in MASKS.items() if bits & ~mask == 0]
    return [name for name in names if name != "integer" or "number" not in names]


def allowed(facets: Iterable[Facet]) -> int:
    """The types every facet allows."""
    mask = EVERY
    for facet in facets:
        if "type" in facet:
            mask &= named(facet["type"])
    return mask


def described(facets: Iterable[Facet]) -> int:
    """The types the facets have something to say about."""
    mask = 0
    for facet in facets:
        for key in facet:
            mask |= KEYWORDS.get(key, 0)
    return mask


def of(value: Any) -> int:
    """The type of a value; 3.0 is an integer, as JSON Schema has it."""
    if isinstance(value, float):
        return INTEGER if value.is_integer() else FRACTION
    return _CLASSES[type(value)]


_CLASSES = {
    type(None): NULL,
    bool: BOOLEAN,
    int: INTEGER,
    str: STRING,
    list: ARRAY,
    dict: OBJECT,
}
