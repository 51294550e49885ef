"""``not``, turned into schemas that can be built for."""

from __future__ import annotations

from llmsim.engine.schema import kinds
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.normal import NOTHING

KEPT = "$comment"
"""Marks a made-up schema whose ``not`` has no positive form; no normalised one has this keyword."""

_OPPOSITES = {
    "minimum": "exclusiveMaximum",
    "maximum": "exclusiveMinimum",
    "exclusiveMinimum": "maximum",
    "exclusiveMaximum": "minimum",
}
_COUNTS = {
    "minLength": ("maxLength", -1),
    "maxLength": ("minLength", 1),
    "minItems": ("maxItems", -1),
    "maxItems": ("minItems", 1),
    "minProperties": ("maxProperties", -1),
    "maxProperties": ("minProperties", 1),
}
_SILENT = frozenset(
    ("default", "examples", "description", "then", "else", "minContains", "maxContains")
)
_NEIGHBOURS = {
    "if": ("if", "then", "else"),
    "contains": ("contains", "minContains", "maxContains"),
    "additionalProperties": ("additionalProperties", "properties", "patternProperties"),
}


def negated(facet: Facet) -> list[Facet]:
    """Schemas of which at least one holds exactly when ``facet`` does not.

    A keyword that has no positive opposite stays a ``not``, to be checked afterwards. An empty
    list means that nothing fails ``facet``.
    """
    found: list[Facet] = []
    for key, value in facet.items():
        found += _without(key, value, facet)
    return found


def _without(key: str, value: object, facet: Facet) -> list[Facet]:  # noqa: PLR0911
    """What breaks one keyword of ``facet``."""
    kind = kinds.spelled(kinds.KEYWORDS.get(key, 0))
    match key, value:
        case "type", str() | list():
            return _other_types(value)
        case "not", dict():
            return [value]
        case "allOf", list():
            return [{"not": each} for each in value]
        case "anyOf", list():
            return [{"allOf": [{"not": each} for each in value]}]
        case "required", list():
            return [{"type": kind, "properties": {name: NOTHING}} for name in value]
        case "properties", dict():
            return [
                {"type": kind, "required": [name], "properties": {name: {"not": schema}}}
                for name, schema in value.items()
            ]
        case "items", dict():
            start = len(facet.get("prefixItems", ()))
            anything: list[Facet] = [{} for _ in range(start)]
            return [
                {"type": kind, "minItems": start + 1, "prefixItems": [*anything, {"not": value}]}
            ]
        case _ if key in _OPPOSITES:
            return [{"type": kind, _OPPOSITES[key]: value}]
        case _, int() if key in _COUNTS:
            opposite, offset = _COUNTS[key]
            return [{"type": kind, opposite: value + offset}] if value + offset >= 0 else []
        case _ if key in _SILENT:
            return []
    kept: Facet = {"not": _only(key, facet), KEPT: "as it is"}
    return [{"type": kind, **kept} if kind else kept]


def _other_types(value: str | list[str]) -> list[Facet]:
    rest = kinds.EVERY & ~kinds.named(value)
    found: list[Facet] = []
    if named := kinds.spelled(rest):
        found.append({"type": named})
    if rest & kinds.NUMBER == kinds.FRACTION:
        found.append({"type": "number", "not": {"type": "integer"}, KEPT: "as it is"})
    return found


def _only(key: str, facet: Facet) -> Facet:
    """The keyword with those that change its meaning."""
    return {each: facet[each] for each in _NEIGHBOURS.get(key, (key,)) if each in facet}
