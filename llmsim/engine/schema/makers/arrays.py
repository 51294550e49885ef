"""Arrays: items by position, items that must be there, items that must differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.makers.scalars import frozen
from llmsim.engine.schema.seeded_random import SeededRandom
from llmsim.engine.schema.spot import ENDLESS, Spot, SpotCompiler
from llmsim.engine.schema.words import singular

MOST_ITEMS = 10_000
_USUAL = 3
_FEW = 3
_PLACINGS = 8
_MANY = 100

Wants: TypeAlias = tuple[int, ...]
"""Which of the ``contains`` schemas one item has to meet, by index."""


class ArrayMaker:
    """Arrays that meet all facets."""

    def __init__(self, facets: Sequence[Facet], places: SpotCompiler, path: Path) -> None:
        self._facets = facets
        self._places = places
        self._path = path
        self._unique = any(facet.get("uniqueItems") for facet in facets)
        self._prefix = max((len(facet.get("prefixItems", ())) for facet in facets), default=0)
        self._wanted: list[tuple[Facet, int]] = [
            (facet["contains"], facet.get("minContains", 1))
            for facet in facets
            if "contains" in facet and facet.get("minContains", 1)
        ]
        least = max((count for _, count in self._wanted), default=0)
        self._low: int = max([least, *(facet.get("minItems", 0) for facet in facets)])
        self._high: int = min([facet.get("maxItems", MOST_ITEMS) for facet in facets])
        if self._low > MOST_ITEMS:
            raise ImpossibleSchema(path, f"asks for more than {MOST_ITEMS} items")
        if self._low > self._high:
            message = f"at least {self._low} and at most {self._high} items are asked for"
            raise ImpossibleSchema(path, message)
        self._placings = _PLACINGS if self._wanted or (self._unique and self._prefix) else 1
        self._spots: dict[tuple[int, Wants], Spot] = {}

    def needs(self) -> Iterable[Spot]:
        return [
            *map(self._spot, self._first(self._high if self._wanted else self._low)),
            *(self._spot(index, want) for want in self._each_want() for index in self._first()),
        ]

    def all_values(self) -> Sequence[Any]:
        return ()

    def height(self) -> int:
        levels = [self._spot(index).known() for index in self._first(self._low)]
        for want in self._each_want():
            before, best = 0, ENDLESS
            for index in self._first():
                best = min(best, max(before, self._spot(index, want).known()))
                before = max(before, self._spot(index).known())
            levels.append(best)
        return min(1 + max(levels, default=0), ENDLESS)

    def make(self, rng: SeededRandom, room: int, name: str) -> list[Any]:
        rng.spend()
        room -= 1
        reach = self._reach(room)
        length = min(self._length(rng), reach)
        name = singular(name)
        fault: ImpossibleSchema | None = None
        for attempt in range(self._placings):
            try:
                wants = self._assigned(length, reach, room, rng, attempt)
                return self._filled(wants, rng, room, name)
            except ImpossibleSchema as error:  # perhaps one item took what another needs
                fault = fault or error
        raise fault or ImpossibleSchema(self._path, "no items were found")

    def _filled(self, wants: list[Wants], rng: SeededRandom, room: int, name: str) -> list[Any]:
        items: list[Any] = []
        seen: set[Any] = set()
        for index, want in enumerate(wants):
            spot = self._spot(index, want)
            try:
                item = self._item(spot, seen, rng, room, name)
                if item in items[-_USUAL:] and not self._unique:  # the same again looks odd
                    item = self._item(spot, seen, rng, room, name)
                items.append(item)
            except ImpossibleSchema:
                if index < self._low or any(wants[index:]):
                    raise
                break
        return items

    def _item(self, spot: Spot, seen: set[Any], rng: SeededRandom, room: int, name: str) -> Any:
        if not self._unique:
            return spot.make(rng, room, name)
        for value in self._candidates(spot, rng, room, name):
            key = frozen(value)
            if key not in seen:
                seen.add(key)
                return value
        raise ImpossibleSchema(self._path, "there are too few different values for its items")

    def _candidates(self, spot: Spot, rng: SeededRandom, room: int, name: str) -> Iterator[Any]:
        """Plausible values, then all if they can be listed, then any."""
        for _ in range(_FEW):
            yield spot.make(rng, room, name)
        yield from spot.all_values()
        for _ in range(_MANY):
            with rng.wildly():
                value = spot.make(rng, room, name)
            yield value

    def _length(self, rng: SeededRandom) -> int:
        """How many items to aim for."""
        needed = max(self._low, min(sum(count for _, count in self._wanted), self._high))
        if self._prefix > needed:
            return min(self._prefix, self._high)
        if rng.scarce or (needed >= self._prefix > 0):
            return needed
        most = min(self._high, max(needed + 1, _USUAL))
        return rng.between(max(needed, min(1, most)), most) if most > needed else needed

    def _first(self, below: int = MOST_ITEMS) -> range:
        """The positions at which items can differ in what they must be, the last for the rest."""
        return range(min(below, self._high, self._prefix + 1))

    def _each_want(self) -> list[Wants]:
        return [(want,) for want in range(len(self._wanted))]

    def _reach(self, room: int) -> int:
        """How many items there can be at most. Raises ImpossibleSchema if that is too few."""
        for index in self._first():
            spot = self._spot(index)
            if spot.height > room:
                if index < self._low:
                    raise spot.why()
                return index
        return self._high

    def _assigned(
        self, length: int, reach: int, room: int, rng: SeededRandom, attempt: int
    ) -> list[Wants]:
        """For each item, which ``contains`` it is there for.

        At the first attempt they get items of their own as far as possible, later any.
        """
        most = self._prefix + sum(count for _, count in self._wanted)
        wants: list[Wants] = [()] * min(max(length, most), reach)
        for want, (_, count) in enumerate(self._wanted):
            taken = [rng.below(100) if attempt else len(each) for each in wants]
            fitting = [
                index
                for index in sorted(range(len(wants)), key=taken.__getitem__)
                if self._spot(index, (*wants[index], want)).height <= room
            ]
            if len(fitting) < count:
                raise ImpossibleSchema(self._path, "no items can meet contains")
            for index in fitting[:count]:
                wants[index] = (*wants[index], want)
        while len(wants) > length and not wants[-1]:
            wants.pop()
        return wants

    def _spot(self, index: int, wants: Wants = ()) -> Spot:
        index = min(index, self._prefix)
        key = (index, wants)
        if key not in self._spots:
            schemas = [self._wanted[want][0] for want in wants]
            self._spots[key] = self._places.spot((*self._schemas(index), *schemas))
        return self._spots[key]

    def _schemas(self, index: int) -> Iterable[Facet]:
        for facet in self._facets:
            prefix = facet.get("prefixItems", ())
            if index < len(prefix):
                yield prefix[index]
            elif "items" in facet:
                yield facet["items"]
            elif index >= self._prefix and "unevaluatedItems" in facet:
                yield facet["unevaluatedItems"]
