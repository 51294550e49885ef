"""Values from a list: enum, const, true and false, null."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.seeded_random import SeededRandom
from llmsim.engine.schema.spot import Spot


class Constants:
    """One of the given values."""

    __slots__ = ("_flat", "values")

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = tuple(values)
        self._flat = not any(isinstance(value, dict | list) for value in values)

    def needs(self) -> Iterable[Spot]:
        return ()

    def all_values(self) -> Sequence[Any]:
        return self.values

    def height(self) -> int:
        return 0

    def make(self, rng: SeededRandom, room: int, name: str) -> Any:
        rng.spend()
        value = rng.pick(self.values)
        return value if self._flat else deepcopy(value)


def listed(facets: Iterable[Facet]) -> list[Any] | None:
    """The values that every enum and const of the facets lists; None if there are none of these."""
    lists: list[list[Any]] = []
    for facet in facets:
        if "enum" in facet:
            lists.append(facet["enum"])
        if "const" in facet:
            lists.append([facet["const"]])
    if not lists:
        return None
    values = lists[0]
    for others in lists[1:]:
        known = set(map(frozen, others))
        values = [value for value in values if frozen(value) in known]
    return values


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
