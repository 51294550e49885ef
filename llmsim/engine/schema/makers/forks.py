"""Makers that choose: between alternatives, suggested values, and values until one is valid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any

from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.seeded_random import SeededRandom
from llmsim.engine.schema.spot import Maker, Spot

_TRIES = 24
_RARITY = 4


class Fork:
    """One of several alternatives.

    ``last`` are those to take only if no other can be; ``rare``, one of ``spots``, is taken less
    often than the others.
    """

    __slots__ = ("_last", "_rare", "_spots")

    def __init__(
        self, spots: Sequence[Spot], last: Sequence[Spot] = (), rare: Spot | None = None
    ) -> None:
        self._spots = tuple(spots)
        self._last = tuple(last)
        self._rare = rare

    def needs(self) -> Iterable[Spot]:
        return (*self._spots, *self._last)

    def all_values(self) -> Sequence[Any]:
        return [value for spot in self.needs() for value in spot.all_values()]

    def height(self) -> int:
        return min(spot.known() for spot in self.needs())

    def make(self, rng: SeededRandom, room: int, name: str) -> Any:
        rng.spend()
        fault: ImpossibleSchema | None = None
        for spots in (self._spots, self._last):
            open_spots = [spot for spot in spots if spot.known() <= room]
            start = self._start(open_spots, rng)
            for spot in open_spots[start:] + open_spots[:start]:
                try:
                    return spot.make(rng, room, name)
                except ImpossibleSchema as error:
                    fault = fault or error
        raise fault or ImpossibleSchema((), "no alternative is possible")

    def _start(self, spots: list[Spot], rng: SeededRandom) -> int:
        """Which alternative to try first."""
        if len(spots) < 2:
            return 0
        start = rng.below(len(spots))
        if spots[start] is self._rare and rng.below(_RARITY):
            start = (start + 1) % len(spots)
        return start


class Suggested:
    """Values its schema gives as examples, mostly; sometimes one of its own making."""

    __slots__ = ("_maker", "_values")

    def __init__(self, values: Sequence[Any], maker: Maker) -> None:
        self._values = tuple(values)
        self._maker = maker

    def needs(self) -> Iterable[Spot]:
        return self._maker.needs()

    def all_values(self) -> Sequence[Any]:
        return self._maker.all_values()

    def height(self) -> int:
        return self._maker.height()

    def make(self, rng: SeededRandom, room: int, name: str) -> Any:
        rng.spend()
        if rng.below(3) and not rng.wild:
            return deepcopy(rng.pick(self._values))
        return self._maker.make(rng, room, name)


class Verified:
    """Values of ``maker`` until one is accepted, then those of ``strict``, which aims better."""

    __slots__ = ("_accepts", "_maker", "_path", "_strict")

    def __init__(
        self, maker: Maker, accepts: Callable[[Any], bool], strict: Spot, path: Path
    ) -> None:
        self._maker = maker
        self._accepts = accepts
        self._strict = strict
        self._path = path

    def needs(self) -> Iterable[Spot]:
        return self._maker.needs()

    def all_values(self) -> Sequence[Any]:
        return [value for value in self._maker.all_values() if self._accepts(value)]

    def height(self) -> int:
        return self._maker.height()

    def make(self, rng: SeededRandom, room: int, name: str) -> Any:
        makers: tuple[Maker | Spot, ...] = (self._maker, self._strict)
        fault: ImpossibleSchema | None = None
        for maker in makers:
            for attempt in range(_TRIES):
                rng.spend()
                try:
                    if attempt < _TRIES // 2:
                        value = maker.make(rng, room, name)
                    else:
                        with rng.wildly():
                            value = maker.make(rng, room, name)
                except ImpossibleSchema as error:
                    fault = error
                    break
                if self._accepts(value):
                    return value
        message = "no value was found that meets its not, oneOf, if or unevaluated keywords"
        raise fault or ImpossibleSchema(self._path, message)
