"""From schemas to makers: what fills each place of a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from llmsim.engine.schema import kinds
from llmsim.engine.schema.arrays import Items
from llmsim.engine.schema.conjunction import Alternative, Conjunction, Gathering
from llmsim.engine.schema.forks import Fork, Suggested, Verified
from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.normal import Document
from llmsim.engine.schema.numbers import Decimals, Integers, bounds
from llmsim.engine.schema.objects import Properties
from llmsim.engine.schema.scalars import Constants
from llmsim.engine.schema.spot import Maker, Spot
from llmsim.engine.schema.strings import strings
from llmsim.engine.schema.verify import Verifier

_SIMPLE = {"type", "enum", "const", "default", "examples", "description"}
_STRING_KEYWORDS = ("minLength", "maxLength", "pattern", "format")
_EACH = (kinds.OBJECT, kinds.ARRAY, kinds.STRING, kinds.NUMBER, kinds.BOOLEAN, kinds.NULL)


class Compiler:
    """The spots of one document; each conjunction of schemas is worked out once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._gathering = Gathering(document)
        self._spots: dict[tuple[int, ...], Spot] = {}
        self._checks: dict[tuple[int, ...], Callable[[Any], bool]] = {}
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
        """A check of finished values against all of the schemas, compiled when first used."""
        key = tuple(map(id, schemas))
        if key not in self._checks:
            self._kept.append(schemas)
            self._checks[key] = Verifier(self._document.closed(schemas)).accepts
        return self._checks[key]

    def _place(self, schemas: tuple[Facet, ...]) -> Maker:
        return self._checked(self._gathering.add(Conjunction(), schemas))

    def _checked(self, known: Conjunction) -> Maker:
        """A maker whose values are checked if they need to be."""
        if not known.hard:
            return self._maker(known, checked=False)
        strict = Spot(partial(self._strictly, known.facets))
        try:
            maker = self._maker(known, checked=True)
        except ImpossibleSchema:
            if known.strict:
                raise
            maker = self._strictly(known.facets)
        return Verified(maker, self.accepts(known.facets), strict, self._path(known.facets))

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
            raise ImpossibleSchema(self._path(facets), "no type is allowed here")
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
        spots = {kind: self._kind_spot(facets, mask & kind) for kind in _EACH if mask & kind}
        first = [spot for kind, spot in spots.items() if kind & wanted]
        last = [spot for kind, spot in spots.items() if not kind & wanted]
        return Fork(first, last, rare=spots.get(kinds.NULL))

    def _kind_spot(self, facets: tuple[Facet, ...], kind: int) -> Spot:
        return Spot(partial(self._kind, facets, kind))

    def _kind(self, facets: tuple[Facet, ...], kind: int) -> Maker:
        """What makes values of one type."""
        path = self._path(facets)
        if kind == kinds.OBJECT:
            return Properties(facets or ({},), self, path)
        if kind == kinds.ARRAY:
            return Items(facets or ({},), self, path)
        if kind == kinds.STRING:
            return strings(facets, partial(self._accepts_text, facets), path)
        if kind & kinds.NUMBER:
            wanted = bounds(facets, path)
            return Decimals(wanted, path) if kind & kinds.FRACTION else Integers(wanted, path)
        return Constants((None,) if kind == kinds.NULL else (True, False))

    def _accepts_text(self, facets: tuple[Facet, ...], text: str) -> bool:
        key = (*map(id, facets), 0)
        if key not in self._checks:
            told = [
                {each: facet[each] for each in _STRING_KEYWORDS if each in facet}
                for facet in facets
            ]
            self._checks[key] = Verifier({"allOf": told}).accepts
        return self._checks[key](text)

    def _enumerated(self, facets: tuple[Facet, ...], mask: int) -> Sequence[Any] | None:
        """The listed values that meet every facet; None if none are listed."""
        listed = [
            facet["enum"] if "enum" in facet else [facet["const"]]
            for facet in facets
            if "enum" in facet or "const" in facet
        ]
        if not listed:
            return None
        options: Sequence[Any] = min(listed, key=len)
        if len(listed) == 1 and all(facet.keys() <= _SIMPLE for facet in facets):
            options = [value for value in options if kinds.of(value) & mask]
        else:
            options = list(filter(self.accepts(facets), options))
        if not options:
            raise ImpossibleSchema(self._path(facets), "no listed value is allowed here")
        return options

    def _suggested(self, facets: tuple[Facet, ...], maker: Maker) -> Maker:
        """``maker``, or the valid ones of the examples and defaults the schema gives."""
        given: list[Any] = []
        for facet in facets:
            examples = facet.get("examples")
            given += examples if isinstance(examples, list) else ()
            if facet.get("default") is not None:
                given.append(facet["default"])
        valid = list(filter(self.accepts(facets), given)) if given else []
        return Suggested(valid, maker) if valid else maker

    def _path(self, facets: Sequence[Facet]) -> Path:
        paths = [path for facet in facets if (path := self._document.path(facet))]
        return paths[0] if paths else ()
