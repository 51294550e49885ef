"""What the value of each keyword must look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Protocol, TypeAlias

import msgspec

from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.regex.pattern import readable

Facet: TypeAlias = dict[str, Any]
"""One normalised schema object. The same object always means the same place in the schema."""

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


class KeywordReader(Protocol):
    """Reads the schemas within a schema."""

    def schema(self, raw: Any, path: Path) -> Facet: ...


def shown(value: Any) -> str:
    """A value as JSON, cut if long."""
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _one(reader: KeywordReader, value: Any, path: Path) -> Facet:
    return reader.schema(value, path)


def _many(reader: KeywordReader, value: Any, path: Path) -> list[Facet]:
    if not isinstance(value, list) or not value:
        raise ImpossibleSchema(path, f"{shown(value)} is not a non-empty array of schemas")
    return [reader.schema(each, (*path, str(index))) for index, each in enumerate(value)]


def _named(reader: KeywordReader, value: Any, path: Path) -> dict[str, Facet]:
    if not isinstance(value, Mapping):
        raise ImpossibleSchema(path, f"{shown(value)} is not an object of schemas")
    return {name: reader.schema(each, (*path, name)) for name, each in value.items()}


def _patterned(reader: KeywordReader, value: Any, path: Path) -> dict[str, Facet]:
    schemas = _named(reader, value, path)
    return {readable(key, (*path, key)).portable: each for key, each in schemas.items()}


def _names(_: KeywordReader, value: Any, path: Path) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ImpossibleSchema(path, f"{shown(value)} is not an array of strings")
    return list(dict.fromkeys(value))


def _dependent(reader: KeywordReader, value: Any, path: Path) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        raise ImpossibleSchema(path, f"{shown(value)} is not an object of arrays of strings")
    return {name: _names(reader, each, (*path, name)) for name, each in value.items()}


def _types(_: KeywordReader, value: Any, path: Path) -> str | list[str]:
    listed = value if isinstance(value, list) else [value]
    for each in listed:
        if each not in TYPES:
            raise ImpossibleSchema(path, f"{shown(each)} is not a type; known: {', '.join(TYPES)}")
    if not listed:
        raise ImpossibleSchema(path, "an empty list of types allows nothing")
    return value if isinstance(value, str) else list(dict.fromkeys(listed))


def _options(_: KeywordReader, value: Any, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise ImpossibleSchema(path, f"{shown(value)} is not an array")
    if not value:
        raise ImpossibleSchema(path, "an empty enum allows nothing")
    return value


def _number(_: KeywordReader, value: Any, path: Path) -> int | float:
    finite = isinstance(value, int) or (isinstance(value, float) and isfinite(value))
    if isinstance(value, bool) or not finite:
        raise ImpossibleSchema(path, f"{shown(value)} is not a finite number")
    number: int | float = value
    return number


def _step(reader: KeywordReader, value: Any, path: Path) -> int | float:
    step = _number(reader, value, path)
    if step <= 0:
        raise ImpossibleSchema(path, f"{shown(value)} is not above 0")
    return step


def _count(reader: KeywordReader, value: Any, path: Path) -> int:
    count = _number(reader, value, path)
    if count < 0 or count != int(count):
        raise ImpossibleSchema(path, f"{shown(value)} is not a count (0, 1, 2, …)")
    return int(count)


def _flag(_: KeywordReader, value: Any, path: Path) -> bool:
    if not isinstance(value, bool):
        raise ImpossibleSchema(path, f"{shown(value)} is not true or false")
    return value


def _string(_: KeywordReader, value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise ImpossibleSchema(path, f"{shown(value)} is not a string")
    return value


def _pattern(reader: KeywordReader, value: Any, path: Path) -> str:
    return readable(_string(reader, value, path), path).portable


def _anything(_: KeywordReader, value: Any, __: Path) -> Any:
    return value


READERS: dict[str, Callable[[KeywordReader, Any, Path], Any]] = (
    dict.fromkeys(("additionalProperties", "propertyNames", "items", "contains"), _one)
    | dict.fromkeys(("not", "if", "then", "else"), _one)
    | dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), _one)
    | dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _many)
    | dict.fromkeys(("properties", "dependentSchemas"), _named)
    | dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _count)
    | dict.fromkeys(("minProperties", "maxProperties", "minContains", "maxContains"), _count)
    | dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _number)
    | dict.fromkeys(("default", "examples", "description", "const"), _anything)
    | {
        "type": _types,
        "enum": _options,
        "multipleOf": _step,
        "required": _names,
        "dependentRequired": _dependent,
        "patternProperties": _patterned,
        "pattern": _pattern,
        "format": _string,
        "uniqueItems": _flag,
    }
)
"""Checks the value of a keyword and normalises what is in it; other keywords mean nothing."""
