"""All that must hold at one place of a value, taken apart into facts and open choices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from llmsim.engine.schema import kinds
from llmsim.engine.schema.impossible import ImpossibleSchema
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.makers.scalars import listed
from llmsim.engine.schema.negation import KEPT, negated
from llmsim.engine.schema.normal import NOTHING, Document

Alternative: TypeAlias = tuple[Facet, ...]
"""Schemas that hold together if this alternative is taken."""
Group: TypeAlias = tuple[Alternative, ...]
"""Alternatives of which one must be taken."""

_HARD = frozenset(
    (
        "dependentSchemas",
        "if",
        "maxContains",
        "not",
        "oneOf",
        "unevaluatedItems",
        "unevaluatedProperties",
    )
)
_MOST_COMBINATIONS = 256


@dataclass(frozen=True, slots=True)
class Conjunction:
    """What must hold: every one of ``facets``, and one alternative out of each of ``groups``.

    ``facets`` are whole schemas, their applicators included, though those are already in
    ``groups``. ``strict`` says that ``not`` and what must fail in ``oneOf`` and ``if`` have
    become groups too, instead of being left to a check of the finished value.
    """

    facets: tuple[Facet, ...] = ()
    groups: tuple[Group, ...] = ()
    strict: bool = False

    @property
    def hard(self) -> bool:
        """Whether a value built from the facts may still be invalid."""
        return any(not _HARD.isdisjoint(facet) for facet in self.facets)


class Gathering:
    """Takes the schemas of one document apart."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._negations: dict[int, Group] = {}
        self._made: dict[tuple[int, ...], Facet] = {}

    def add(self, known: Conjunction, schemas: Iterable[Facet]) -> Conjunction:
        """``known`` and ``schemas`` as well. Raises ImpossibleSchema where they exclude each other.

        Follows $ref and allOf; anyOf, oneOf, if and dependentSchemas become groups.
        """
        facets = list(known.facets)
        groups = list(known.groups)
        seen = {id(facet) for facet in facets}
        waiting = list(schemas)[::-1]
        while waiting:
            facet = waiting.pop()
            if id(facet) in seen or not facet:
                continue
            seen.add(id(facet))
            if facet.get("not") == {}:
                raise ImpossibleSchema(self._document.path(facet), "nothing is allowed here")
            if len(facet) > 1 or "$ref" not in facet:
                facets.append(facet)
            waiting += reversed(facet.get("allOf", ()))
            if "$ref" in facet:
                waiting.append(self._document.targets[facet["$ref"]])
            groups += self._groups(facet, known.strict)
        found = Conjunction(tuple(facets), tuple(groups), known.strict)
        if len(facets) > 1 and not kinds.allowed(facets):
            raise ImpossibleSchema(self._document.path(facets[-1]), "no type is allowed here")
        return self._pruned(found) if groups else found

    def _groups(self, facet: Facet, strict: bool) -> list[Group]:
        groups: list[Group] = []
        if "anyOf" in facet:
            groups.append(tuple((each,) for each in facet["anyOf"]))
        if "oneOf" in facet:
            groups.append(self._one_of(facet["oneOf"], strict))
        if "if" in facet and ("then" in facet or "else" in facet):
            groups.append(self._conditional(facet, strict))
        if "not" in facet and (strict or facet["not"].keys() == {"type"}) and KEPT not in facet:
            groups.append(self._negated(facet["not"], self._document.path(facet)))
        for name, schema in facet.get("dependentSchemas", {}).items():
            groups.append(((schema,), (self._without(name, schema),)))
        return groups

    def _one_of(self, options: list[Facet], strict: bool) -> Group:
        if not strict:
            return tuple((each,) for each in options)
        return tuple(
            (each, *(self._not(other) for other in options if other is not each))
            for each in options
        )

    def _conditional(self, facet: Facet, strict: bool) -> Group:
        met = (facet["if"], *_listed(facet, "then"))
        unmet = _listed(facet, "else")
        return (met, (self._not(facet["if"]), *unmet) if strict else unmet)

    def _negated(self, facet: Facet, path: tuple[str, ...]) -> Group:
        if id(facet) not in self._negations:
            target = self._document.followed(facet)
            found = [self._document.place(each, path) for each in negated(target)]
            self._negations[id(facet)] = tuple((each,) for each in found)
        return self._negations[id(facet)]

    def _not(self, facet: Facet) -> Facet:
        key = (id(facet),)
        if key not in self._made:
            self._made[key] = {"not": facet}
            self._document.place(self._made[key], self._document.path(facet))
        return self._made[key]

    def _without(self, name: str, schema: Facet) -> Facet:
        """An object that lacks the property on which ``schema`` depends."""
        key = (id(schema), 0)
        if key not in self._made:
            self._made[key] = {"properties": {name: NOTHING}}
            self._document.place(self._made[key], self._document.path(schema))
        return self._made[key]

    def _pruned(self, found: Conjunction) -> Conjunction:
        """Without alternatives that are already ruled out, nor more of them than can be tried."""
        groups = []
        for group in found.groups:
            left = tuple(each for each in group if self._possible(found.facets, each))
            if not left:
                path = self._document.path(group[0][0]) if group and group[0] else ()
                raise ImpossibleSchema(path, "no alternative allows what is allowed here")
            groups.append(left)
        while len(groups) > 1 and prod(map(len, groups)) > _MOST_COMBINATIONS:
            widest = max(range(len(groups)), key=lambda index: len(groups[index]))
            groups[widest] = groups[widest][:-1]
        return Conjunction(found.facets, tuple(groups), found.strict)

    def _possible(self, facets: tuple[Facet, ...], taken: Alternative) -> bool:
        """Whether types and listed values leave anything, at a glance."""
        taken = tuple(self._document.followed(each) for each in taken)
        if not kinds.allowed(facets) & kinds.allowed(taken):
            return False
        return listed(taken) is None or listed((*facets, *taken)) != []


def _listed(facet: Facet, key: str) -> Alternative:
    return (facet[key],) if key in facet else ()
