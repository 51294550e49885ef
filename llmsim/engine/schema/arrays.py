"""Arrays: items by position, items that must be there, items that must differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, TypeAlias

from llmsim.engine.schema.dice import Dice
from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.place import Places
from llmsim.engine.schema.spot import Spot
from llmsim.engine.schema.words import singular

MOST_ITEMS = 10_000
_USUAL = 3
_FEW = 8
_MANY = 100

Wants: TypeAlias = tuple[int, ...]
"""Which of the ``contains`` schemas one item has to meet, by index."""


class Items:
    """Arrays that meet all facets."""

    def __init__(self, facets: Sequence[Facet], places: Places, path: Path) -> None:
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
        self._spots: dict[tuple[int, Wants], Spot] = {}

    def needs(self) -> Iterable[Spot]:
        first = range(min(self._low, self._prefix + 1))
        spots = [self._spot(index) for index in first]
        for want in range(len(self._wanted)):
            spots += [self._spot(index, (want,)) for index in first]
        return spots

    def all_values(self) -> Sequence[Any]:
        return ()

    def height(self) -> int:
        first = range(min(self._low, self._prefix + 1))
        levels = [self._spot(index).known() for index in first]
        levels += [
            min(self._spot(index, (want,)).known() for index in first)
            for want in range(len(self._wanted))
        ]
        return 1 + max(levels, default=0)

    def make(self, dice: Dice, room: int, name: str) -> list[Any]:
        dice.spend()
        wants = self._assigned(self._length(dice), room)
        items: list[Any] = []
        seen: set[Any] = set()
        name = singular(name)
        for index, want in enumerate(wants):
            spot = self._spot(index, want)
            if index >= self._low and spot.height >= room:
                break
            try:
                item = self._item(spot, seen, dice, room - 1, name)
                if item in items[-_USUAL:] and not self._unique:  # the same again looks odd
                    item = self._item(spot, seen, dice, room - 1, name)
                items.append(item)
            except ImpossibleSchema:
                if index < self._low or want:
                    raise
                break
        return items

    def _item(self, spot: Spot, seen: set[Any], dice: Dice, room: int, name: str) -> Any:
        if not self._unique:
            return spot.make(dice, room, name)
        for value in chain(
            (spot.make(dice, room, name) for _ in range(_FEW)),
            spot.all_values(),
            (spot.make(dice, room, name) for _ in range(_MANY)),
        ):
            key = frozen(value)
            if key not in seen:
                seen.add(key)
                return value
        raise ImpossibleSchema(self._path, "there are too few different values for its items")

    def _length(self, dice: Dice) -> int:
        """How many items to aim for."""
        needed = max(self._low, min(sum(count for _, count in self._wanted), self._high))
        if self._prefix > needed:
            return min(self._prefix, self._high)
        if dice.scarce or (needed >= self._prefix > 0):
            return needed
        most = min(self._high, max(needed + 1, _USUAL))
        return dice.between(max(needed, min(1, most)), most) if most > needed else needed

    def _assigned(self, length: int, room: int) -> list[Wants]:
        """For each item, which ``contains`` it is there for: items of their own, if possible."""
        wants: list[Wants] = [()] * length
        for want, (_, count) in enumerate(self._wanted):
            order = sorted(range(length), key=lambda index: len(wants[index]))
            fitting = (
                index for index in order if self._spot(index, (*wants[index], want)).height < room
            )
            for _ in range(count):
                index = next(fitting, None)
                if index is None:
                    raise ImpossibleSchema(self._path, "no items can meet contains")
                wants[index] = (*wants[index], want)
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


def frozen(value: Any) -> Any:
    """Something hashable that is equal for values JSON holds to be equal: 1 and 1.0, not true."""
    match value:
        case bool() | None:
            return (value,)
        case list():
            return tuple(map(frozen, value))
        case dict():
            return frozenset((key, frozen(each)) for key, each in value.items())
    return value
