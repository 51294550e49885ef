"""Numbers between bounds, on a grid of ``multipleOf``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, inf, nextafter
from typing import Any, TypeAlias

from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.seeded_random import SeededRandom
from llmsim.engine.schema.spot import Spot
from llmsim.engine.schema.words import range_of

Number: TypeAlias = int | float

_LOWS = ("minimum", "exclusiveMinimum")
_HIGHS = ("maximum", "exclusiveMaximum")
_MOST_DECIMALS = 6
_TRIES = 64
_WILD = (-1_000_000, 1_000_000, 3)
_MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class NumberBounds:
    """What the facets say about a number. ``step`` is the grid it must lie on."""

    low: Number | None
    high: Number | None
    above: bool
    """``low`` itself is excluded."""
    below: bool
    step: Fraction | None

    def holds(self, number: Number) -> bool:
        if self.low is not None and (number < self.low or (self.above and number == self.low)):
            return False
        return self.high is None or not (number > self.high or (self.below and number == self.high))


def number_bounds(facets: Iterable[Facet], path: Path) -> NumberBounds:
    """All bounds together. Raises ImpossibleSchema where they leave nothing."""
    low: Number | None = None
    high: Number | None = None
    above = below = False
    step = None
    for facet in facets:
        for key in filter(facet.__contains__, _LOWS):
            value, excluded = facet[key], key != "minimum"
            if low is None or (value, excluded) > (low, above):
                low, above = value, excluded
        for key in filter(facet.__contains__, _HIGHS):
            value, excluded = facet[key], key != "maximum"
            if high is None or (-value, excluded) > (-high, below):
                high, below = value, excluded
        if "multipleOf" in facet:
            step = _common(step, Fraction(str(facet["multipleOf"])))
    if low is not None and high is not None and (low > high or (low == high and (above or below))):
        edges = f"{_edge(low, above)} and {_edge(high, below)}"
        raise ImpossibleSchema(path, f"no number is between {edges}")
    return NumberBounds(low, high, above, below, step)


def _edge(number: Number, excluded: bool) -> str:
    return f"{number} (exclusive)" if excluded else str(number)


def _common(one: Fraction | None, other: Fraction) -> Fraction:
    """The smallest number both divide."""
    if one is None:
        return other
    top = one.numerator * other.denominator, other.numerator * one.denominator
    return Fraction(top[0] * top[1] // gcd(*top), one.denominator * other.denominator)


def _within(
    low: Number | None, high: Number | None, usual: tuple[Number, Number]
) -> tuple[Number, Number]:
    """The part of the usual range within the bounds, or what lies next to it."""
    start = usual[0] if low is None else max(low, usual[0])
    end = usual[1] if high is None else min(high, usual[1])
    if start < end:
        return start, end
    span = usual[1] - usual[0]
    if low is not None and low == high:
        return low, low
    if high is None or (low is not None and low >= usual[1]):
        assert low is not None
        return low, low + span if high is None else min(high, low + span)
    return (high - span if low is None else max(low, high - span)), high


class Integers:
    """Whole numbers."""

    __slots__ = ("high", "low", "step")

    def __init__(self, bounds: NumberBounds, path: Path) -> None:
        self.step = step = int(_common(Fraction(1), bounds.step)) if bounds.step else 1
        self.low: int | None = None
        self.high: int | None = None
        if bounds.low is not None:
            self.low = ceil(Fraction(_whole(Fraction(bounds.low), bounds.above), step))
        if bounds.high is not None:
            self.high = -_whole(-Fraction(bounds.high), bounds.below) // step
        if self.low is not None and self.high is not None and self.low > self.high:
            grid = f" that is a multiple of {step}" if step > 1 else ""
            message = f"no integer{grid} is between {bounds.low} and {bounds.high}"
            raise ImpossibleSchema(path, message)

    @property
    def count(self) -> int | None:
        """How many there are; None if without end."""
        return None if self.low is None or self.high is None else self.high - self.low + 1

    def needs(self) -> Iterable[Spot]:
        return ()

    def all_values(self) -> Sequence[Any]:
        if self.count is None or self.count > _MOST_LISTED:
            return ()
        assert self.low is not None
        return range(self.low * self.step, (self.low + self.count) * self.step, self.step)

    def height(self) -> int:
        return 0

    def make(self, rng: SeededRandom, room: int, name: str) -> int:
        rng.spend()
        first, last, _ = _WILD if rng.wild else range_of(name)
        if self.step > 1:
            first, last = -(-first // self.step), max(last // self.step, -(-first // self.step) + 9)
        if self.low is not None or self.high is not None:
            low, high = _within(self.low, self.high, (first, last))
            first, last = int(low), int(high)
        return rng.between(first, last) * self.step


class Decimals:
    """Numbers that need not be whole."""

    __slots__ = ("_bounds", "_float", "_path")

    def __init__(self, bounds: NumberBounds, path: Path) -> None:
        self._bounds = bounds
        self._path = path
        self._float = float(bounds.step) if bounds.step is not None else 0.0

    def needs(self) -> Iterable[Spot]:
        return ()

    def all_values(self) -> Sequence[Any]:
        return ()

    def height(self) -> int:
        return 0

    def make(self, rng: SeededRandom, room: int, name: str) -> Number:
        rng.spend()
        first, last, decimals = _WILD if rng.wild else range_of(name)
        wanted = self._bounds
        if wanted.step is not None:
            return self._on_grid(wanted.step, rng, (first, last))
        if wanted.low is None and wanted.high is None:
            scale: int = 10**decimals
            return rng.between(first * scale, last * scale) / scale
        low, high = _within(wanted.low, wanted.high, (first, last))
        try:
            return self._decimal(low, high, max(decimals, 1), rng)
        except OverflowError:  # whole numbers beyond what a float can hold
            return self._first((ceil(low), floor(high), ceil(low) + 1))

    def _decimal(self, low: Number, high: Number, decimals: int, rng: SeededRandom) -> Number:
        """A number with as few decimals as there is room for."""
        for digits in range(decimals, _MOST_DECIMALS + 1):
            scale: int = 10**digits
            start, end = ceil(Fraction(low) * scale), floor(Fraction(high) * scale)
            if end - start > 1 or (start == end and digits == _MOST_DECIMALS):
                number = rng.between(start, end) / scale
                if self._bounds.holds(number):
                    return number
        middle = float((Fraction(low) + Fraction(high)) / 2)
        return self._first((low, middle, high, nextafter(low, inf), nextafter(high, -inf)))

    def _first(self, numbers: Sequence[Number]) -> Number:
        """The first of the numbers that is within the bounds."""
        for number in numbers:
            if self._bounds.holds(number):
                return number
        raise ImpossibleSchema(self._path, "no number can be written between its bounds")

    def _on_grid(self, step: Fraction, rng: SeededRandom, usual: tuple[int, int]) -> Number:
        """A multiple of ``step``, also in the eyes of those who divide in floating point."""
        low, high = self._bounds.low, self._bounds.high
        first = None if low is None else _whole(Fraction(low) / step, self._bounds.above)
        last = None if high is None else -_whole(-Fraction(high) / step, self._bounds.below)
        if first is None or last is None or first <= last:
            near = ceil(usual[0] / step), max(floor(usual[1] / step), 9)
            start, end = map(int, _within(first, last, near))
            for attempt in range(_TRIES):
                count = rng.between(start, end)
                if attempt > _TRIES // 2:  # whole numbers divide best
                    count -= count % step.denominator
                number = _exactly(step * count)
                if self._bounds.holds(number) and (number / self._float).is_integer():
                    return number
        raise ImpossibleSchema(self._path, f"no multiple of {self._float} is in range")


def _whole(low: Fraction, excluded: bool) -> int:
    """The first whole number from ``low`` on, or after it."""
    return floor(low) + 1 if excluded else ceil(low)


def _exactly(number: Fraction) -> Number:
    return int(number) if number.denominator == 1 else float(number)
