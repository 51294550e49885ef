"""Older and neighbouring spellings of JSON Schema, one level at a time, as Draft 2020-12.

Drafts 4 to 2019-09, OpenAPI 3.0 (``nullable``) and Gemini (``STRING``, ``propertyOrdering``,
counts as decimal strings) each differ from Draft 2020-12 in a few keywords.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Raw: TypeAlias = dict[str, Any]

_HINTS = frozenset(
    (
        "nullable",
        "propertyOrdering",
        "dependencies",
        "additionalItems",
        "$recursiveRef",
        "$dynamicRef",
        "example",
    )
)
_COUNTS = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
)
LONGEST_COUNT = 18
"""Digits of a count that is written as a string."""

_EXCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_TELLING = _HINTS.union(_COUNTS, _EXCLUSIVE, ("items",))


def modern(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same schema with this level's keywords in Draft 2020-12's spelling.

    Subschemas are left as they are. Returns ``schema`` itself where there is nothing to change;
    what makes no sense in any spelling is left for the reader to refuse.
    """
    if not _dated(schema):
        return schema
    new = dict(schema)
    _types(new)
    _bounds(new)
    _items(new)
    _dependencies(new)
    _references(new)
    _ordering(new)
    if "example" in new and "examples" not in new:
        new["examples"] = [new.pop("example")]
    return new


def _dated(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    if isinstance(kind, list) or (isinstance(kind, str) and kind.isupper()):
        return True
    if _TELLING.isdisjoint(schema):
        return False
    return (
        not _HINTS.isdisjoint(schema)
        or isinstance(schema.get("items"), list)
        or any(isinstance(schema.get(key), bool) for key in _EXCLUSIVE)
        or any(isinstance(schema.get(key), str) for key in _COUNTS)
    )


def _types(new: Raw) -> None:
    kind = new.get("type")
    kinds = [kind] if isinstance(kind, str) else kind
    if isinstance(kinds, list) and all(isinstance(each, str) for each in kinds):
        kinds = [each.lower() if each.isupper() else each for each in kinds]
        if new.get("nullable") is True and "null" not in kinds:
            kinds.append("null")
        if kinds == ["type_unspecified"]:
            del new["type"]
        else:
            new["type"] = kinds[0] if len(kinds) == 1 else kinds
    new.pop("nullable", None)


def _bounds(new: Raw) -> None:
    for exclusive, plain in _EXCLUSIVE.items():
        flag = new.get(exclusive)
        if isinstance(flag, bool):
            del new[exclusive]
            if flag and plain in new:
                new[exclusive] = new.pop(plain)
    for key in _COUNTS:
        count = new.get(key)
        if isinstance(count, str) and count.isdecimal() and len(count) <= LONGEST_COUNT:
            new[key] = int(count)


def _items(new: Raw) -> None:
    rest = new.pop("additionalItems", None)
    if isinstance(new.get("items"), list):
        new["prefixItems"] = new.pop("items")
        if rest is not None:
            new["items"] = rest
        if not new["prefixItems"]:
            del new["prefixItems"]


def _dependencies(new: Raw) -> None:
    old = new.pop("dependencies", None)
    if isinstance(old, Mapping):
        names = {key: need for key, need in old.items() if isinstance(need, list)}
        schemas = {key: need for key, need in old.items() if not isinstance(need, list)}
        read: Raw
        for key, read in (("dependentRequired", names), ("dependentSchemas", schemas)):
            beside = new.get(key, {})
            # What is no mapping is left for the reader to refuse.
            new[key] = read | beside if isinstance(beside, dict) else beside


def _references(new: Raw) -> None:
    for key in ("$recursiveRef", "$dynamicRef"):
        if key in new and "$ref" not in new:
            new["$ref"] = new.pop(key)


def _ordering(new: Raw) -> None:
    order = new.pop("propertyOrdering", None)
    properties = new.get("properties")
    if isinstance(order, list) and isinstance(properties, Mapping):
        first = {
            key: properties[key] for key in order if isinstance(key, str) and key in properties
        }
        new["properties"] = first | dict(properties)
