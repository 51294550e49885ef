"""From schemas to makers: what fills each place of a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from llmsim.engine.schema import kinds
from llmsim.engine.schema.conjunction import Alternative, Conjunction, Gathering
from llmsim.engine.schema.impossible import ImpossibleSchema
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.makers.arrays import ArrayMaker
from llmsim.engine.schema.makers.forks import Fork, Suggested, Verified
from llmsim.engine.schema.makers.numbers import Decimals, Integers, number_bounds
from llmsim.engine.schema.makers.objects import Properties
from llmsim.engine.schema.makers.scalars import Constants, listed
from llmsim.engine.schema.makers.strings import strings
from llmsim.engine.schema.normal import Document
from llmsim.engine.schema.spot import Maker, Spot
from llmsim.engine.schema.verify import Check

_TEXTUAL = frozenset(("minLength", "maxLength", "pattern", "format"))
_FLAT = frozenset(("type", "not")).union(
    key for key, kind in kinds.KEYWORDS.items() if kind & (kinds.STRING | kinds.NUMBER)
)
"""Keywords about values without parts, those that only lead elsewhere aside."""
_LISTING = {"type", "enum", "const", "default", "examples", "description"}
_EACH = (kinds.OBJECT, kinds.ARRAY, kinds.STRING, kinds.NUMBER, kinds.BOOLEAN, kinds.NULL)


class Compiler:
    """The spots of one document; each conjunction of schemas is worked out once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._gathering = Gathering(document)
        self._spots: dict[tuple[int, ...], Spot] = {}
        self._checks: dict[tuple[int, ...], Check] = {}
        self._kept: list[tuple[Facet, ...]] = []

    def spot(self, schemas: tuple[Facet, ...]) -> Spot:
        """The place at which all of the schemas hold."""
        key = tuple(map(id, schemas))
        found = self._spots.get(key)
        if found is None:
            self._kept.append(schemas)  # an id is only worth something while its object lives
            found = self._spots[key] = Spot(partial(self._place, schemas))
        return found

    def accepts(self, schemas: tuple[Facet, ...]) -> Callable[[Any], bool]:
        """A check of finished values against all of the schemas."""
        key = tuple(map(id, schemas))
        if key not in self._checks:
            self._kept.append(schemas)
            self._checks[key] = Check(partial(self._document.closed, schemas))
        return self._checks[key]

    def _place(self, schemas: tuple[Facet, ...]) -> Maker:
        return self._checked(self._gathering.add(Conjunction(), schemas))

    def _checked(self, known: Conjunction) -> Maker:
        """A maker whose values are checked if they need to be."""
        if not known.hard:
            return self._maker(known, checked=False)
        maker = self._maker(known, checked=True)
        strict = Spot(partial(self._strictly, known.facets))
        path = self._document.path(*known.facets)
        return Verified(maker, self.accepts(known.facets), strict, path)

    def _strictly(self, facets: tuple[Facet, ...]) -> Maker:
        return self._maker(self._gathering.add(Conjunction(strict=True), facets), checked=True)

    def _maker(self, known: Conjunction, checked: bool) -> Maker:
        if not known.groups:
            return self._leaf(known.facets)
        group = known.groups[0]
        rest = Conjunction(known.facets, known.groups[1:], known.strict)
        spots = [Spot(partial(self._alternative, rest, each, checked)) for each in group]
        rare = [kinds.allowed(each) == kinds.NULL for each in group]
        return Fork(spots, rare=spots[rare.index(True)] if True in rare else None)

    def _alternative(self, rest: Conjunction, taken: Alternative, checked: bool) -> Maker:
        known = self._gathering.add(rest, taken)
        return self._maker(known, checked) if checked else self._checked(known)

    def _leaf(self, facets: tuple[Facet, ...]) -> Maker:
        """What fills a place at which nothing is left to choose but the type."""
        mask = kinds.allowed(facets)
        if not mask:
            raise ImpossibleSchema(self._document.path(*facets), "no type is allowed here")
        options = self._enumerated(facets, mask)
        if options is not None:
            return Constants(options)
        return self._suggested(facets, self._typed(facets, mask))

    def _typed(self, facets: tuple[Facet, ...], mask: int) -> Maker:
        wanted = mask
        if not any("type" in facet for facet in facets):
            wanted = mask & kinds.described(facets) or mask & kinds.STRING or mask
        if wanted == mask and sum(bool(mask & kind) for kind in _EACH) == 1:
            return self._kind(facets, mask)
        spots = {
            kind: Spot(partial(self._kind, facets, mask & kind)) for kind in _EACH if mask & kind
        }
        first = [spot for kind, spot in spots.items() if kind & wanted]
        last = [spot for kind, spot in spots.items() if not kind & wanted]
        return Fork(first, last, rare=spots.get(kinds.NULL))

    def _kind(self, facets: tuple[Facet, ...], kind: int) -> Maker:
        """What makes values of one type."""
        path = self._document.path(*facets)
        if kind == kinds.OBJECT:
            return Properties(facets or ({},), self, path)
        if kind == kinds.ARRAY:
            return ArrayMaker(facets or ({},), self, path)
        if kind == kinds.STRING:
            return strings(facets, self._about(facets, _TEXTUAL), path)
        if kind & kinds.NUMBER:
            wanted = number_bounds(facets, path)
            return Decimals(wanted, path) if kind & kinds.FRACTION else Integers(wanted, path)
        return Constants((None,) if kind == kinds.NULL else (True, False))

    def _about(self, facets: tuple[Facet, ...], keywords: frozenset[str]) -> Check:
        """A check of these keywords only."""
        narrowed = tuple(
            {key: value for key, value in facet.items() if key in keywords} for facet in facets
        )
        return Check(partial(self._document.closed, tuple(filter(None, narrowed)) or ({},)))

    def _enumerated(self, facets: tuple[Facet, ...], mask: int) -> Sequence[Any] | None:
        """The listed values that meet every facet; None if none are listed."""
        values = listed(facets)
        if values is None:
            return None
        options = [value for value in values if kinds.of(value) & mask]
        if not all(facet.keys() <= _LISTING for facet in facets):
            options = list(filter(self._valid(facets, options), options))
        if not options:
            raise ImpossibleSchema(self._document.path(*facets), "no listed value is allowed here")
        return options

    def _suggested(self, facets: tuple[Facet, ...], maker: Maker) -> Maker:
        """``maker``, or the valid ones of the examples and simple defaults the schema gives."""
        suggestions: list[Any] = []
        for facet in facets:
            examples = facet.get("examples")
            suggestions += examples if isinstance(examples, list) else ()
            if not isinstance(facet.get("default"), dict | list | None):
                suggestions.append(facet["default"])
        valid = list(filter(self._valid(facets, suggestions), suggestions)) if suggestions else []
        return Suggested(valid, maker) if valid else maker

    def _valid(self, facets: tuple[Facet, ...], values: Sequence[Any]) -> Callable[[Any], bool]:
        """A check of these values, no dearer than they need."""
        simple = not any(isinstance(value, dict | list) for value in values)
        return self._about(facets, _FLAT) if simple else self.accepts(facets)
