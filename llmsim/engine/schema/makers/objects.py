"""Objects: required properties, some of the optional ones, and made-up names where asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.normal import NOTHING
from llmsim.engine.schema.plausible import PLAIN
from llmsim.engine.schema.regex.pattern import pattern
from llmsim.engine.schema.seeded_random import SeededRandom
from llmsim.engine.schema.spot import ENDLESS, Spot, SpotCompiler

MOST_PROPERTIES = 2_000
_MOST_OPTIONAL = 8
_TRIES = 50
_ABOUT_VALUES = frozenset(
    ("properties", "patternProperties", "additionalProperties", "unevaluatedProperties")
)


class Properties:
    """Objects that meet all facets."""

    def __init__(self, facets: Sequence[Facet], places: SpotCompiler, path: Path) -> None:
        self._facets = [facet for facet in facets if not _ABOUT_VALUES.isdisjoint(facet)]
        self._places = places
        self._path = path
        self._spots: dict[str, Spot] = {}
        sources = [source for facet in facets for source in facet.get("patternProperties", ())]
        self._patterns = {source: pattern(source) for source in sources}
        names = tuple(facet["propertyNames"] for facet in facets if "propertyNames" in facet)
        self._names = places.spot((*names, {"type": "string"})) if names else None
        self._named_well = places.accepts(names) if names else None
        self._dependents = _dependencies(facets)
        required = self._closed(name for facet in facets for name in facet.get("required", ()))
        declared = dict.fromkeys(name for facet in facets for name in facet.get("properties", ()))
        self._order = list(declared | dict.fromkeys(required))
        needed = set(required)
        self._required = [name for name in self._order if name in needed]
        self._optional = [name for name in self._order if name not in needed]
        self._low: int = max(facet.get("minProperties", 0) for facet in facets)
        self._high: int = min(facet.get("maxProperties", MOST_PROPERTIES) for facet in facets)
        self._open = not self._order and (
            not any("properties" in facet for facet in facets)
            or any(facet.get("additionalProperties") for facet in facets)
        )
        self._refuse_contradictions()
        if self._named_well is not None:
            self._optional = [name for name in self._optional if self._named_well(name)]

    def needs(self) -> Iterable[Spot]:
        spots = [self._spot(name) for name in self._required]
        if self._low > len(spots):
            spots += [self._spot(name) for name in self._optional]
            spots += self._other_spots()
        return spots

    def all_values(self) -> Sequence[Any]:
        return ()

    def height(self) -> int:
        levels = [self._spot(name).known() for name in self._required]
        if (missing := self._low - len(levels)) > 0:
            spare = [self._spot(name).known() for name in self._optional]
            spare += [spot.known() for spot in self._other_spots()] * missing
            levels += sorted(spare)[:missing] if len(spare) >= missing else [ENDLESS]
        return min(1 + max(levels, default=0), ENDLESS)

    def make(self, rng: SeededRandom, room: int, name: str) -> dict[str, Any]:
        rng.spend()
        room -= 1
        made = {key: self._spot(key).make(rng, room, key) for key in self._required}
        if self._optional:
            self._add_optional(made, rng, room)
        wanted = max(self._low, self._usual(rng, room))
        if len(made) < wanted:
            self._add_invented(made, wanted, rng, room)
        if len(made) < self._low:
            message = f"no object of at least {self._low} properties was found"
            raise ImpossibleSchema(self._path, message)
        return made

    def _add_optional(self, made: dict[str, Any], rng: SeededRandom, room: int) -> None:
        """Some declared properties, each with those it depends on, then all in declared order."""
        most = 0 if rng.scarce else min(self._high, len(made) + _MOST_OPTIONAL)
        taken = [name for name in self._optional if len(made) < most and rng.below(2)]
        for need, names in ((most, taken), (self._low, self._optional)):
            for name in names:
                if len(made) >= need:
                    break
                fresh = [key for key in self._closed([name]) if key not in made]
                if len(made) + len(fresh) <= self._high:
                    made |= self._made(fresh, rng, room)
        for name in self._order:
            if name in made:
                made[name] = made.pop(name)

    def _made(self, names: Sequence[str], rng: SeededRandom, room: int) -> dict[str, Any]:
        """Values for all of the names, or for none."""
        spots = {name: self._spot(name) for name in names}
        if any(spot.height > room for spot in spots.values()):
            return {}
        try:
            return {name: spot.make(rng, room, name) for name, spot in spots.items()}
        except ImpossibleSchema:
            return {}

    def _usual(self, rng: SeededRandom, room: int) -> int:
        """How many properties an object without declared ones has, within reason."""
        if not self._open or rng.scarce or room < 0:
            return 0
        return min(rng.between(1, 3), self._high)

    def _add_invented(
        self, made: dict[str, Any], wanted: int, rng: SeededRandom, room: int
    ) -> None:
        for name in self._names_to_try(rng, wanted):
            if name in made or name in self._dependents or name in self._order:
                continue
            if self._named_well is not None and not self._named_well(name):
                continue
            spot = self._places.spot(tuple(self._schemas(name)))
            if spot.height > room:
                continue
            try:
                made[name] = spot.make(rng, room, name)
            except ImpossibleSchema:
                continue
            if len(made) >= wanted:
                break

    def _names_to_try(self, rng: SeededRandom, wanted: int) -> Iterator[str]:
        for attempt in range(_TRIES + 4 * wanted):
            rng.spend()
            if self._names is not None:
                try:
                    yield self._names.make(rng, self._names.height, "key")
                except ImpossibleSchema:
                    return
            for each in self._patterns.values():
                yield each.draw(1, 40, rng, wild=attempt > 0) or ""
            word = rng.pick(PLAIN)
            yield f"{word}_{rng.below(1000)}" if attempt > len(PLAIN) else word

    def _spot(self, name: str) -> Spot:
        if name not in self._spots:
            self._spots[name] = self._places.spot(tuple(self._schemas(name)))
        return self._spots[name]

    def _schemas(self, name: str) -> Iterator[Facet]:
        matched = {source for source, each in self._patterns.items() if each.matches(name)}
        return self._applying(name, matched)

    def _applying(self, name: str, matched: set[str]) -> Iterator[Facet]:
        """The schemas for a property of this name, which matches these patterns."""
        for facet in self._facets:
            found = [facet["properties"][name]] if name in facet.get("properties", ()) else []
            patterned = facet.get("patternProperties", {})
            found += [schema for source, schema in patterned.items() if source in matched]
            if not found and "additionalProperties" in facet:
                found = [facet["additionalProperties"]]
            yield from found
            if "unevaluatedProperties" in facet and name not in self._order and not matched:
                yield facet["unevaluatedProperties"]

    def _other_spots(self) -> list[Spot]:
        """What made-up names would hold: one spot a pattern, and one for any other name."""
        matches: list[set[str]] = [set(), *({source} for source in self._patterns)]
        return [self._places.spot(tuple(self._applying("", each))) for each in matches]

    def _closed(self, names: Iterable[str]) -> list[str]:
        """The names and all they depend on."""
        closed = list(dict.fromkeys(names))
        for name in closed:  # grows while it is read
            closed += [each for each in self._dependents.get(name, ()) if each not in closed]
        return closed

    def _refuse_contradictions(self) -> None:
        needed = max(self._low, len(self._required))
        if needed > self._high:
            message = f"at least {needed} and at most {self._high} properties are asked for"
            raise ImpossibleSchema(self._path, message)
        for name in self._required:
            if self._named_well is not None and not self._named_well(name):
                message = f"required property '{name[:60]}' is not a name propertyNames allows"
                raise ImpossibleSchema(self._path, message)
            if any(schema == NOTHING for schema in self._schemas(name)):
                raise ImpossibleSchema(
                    self._path, f"required property '{name[:60]}' is not allowed"
                )


def _dependencies(facets: Iterable[Facet]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for facet in facets:
        for name, needed in facet.get("dependentRequired", {}).items():
            found.setdefault(name, []).extend(needed)
    return found
