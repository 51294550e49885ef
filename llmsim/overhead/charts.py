"""Charts as SVG: lines and points over axes that are linear, logarithmic or of percentiles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, NamedTuple, Protocol

import numpy as np

from llmsim.overhead.figures import Values

WIDTH: Final = 480
HEIGHT: Final = 300
LEFT: Final = 52
RIGHT: Final = 20
TOP: Final = 30
BOTTOM: Final = 46
TICKS: Final = 5
"""Steps of a linear axis, about."""
LEAST_MS: Final = 0.01
"""Where a logarithmic axis begins at the earliest: less is noise, and it has no 0."""
PERCENTILES: Final = (0.0, 0.5, 0.9, 0.99, 0.999)


class ChartSeries(NamedTuple):
    """What a chart shows under one name: points, or a line through them."""

    name: str
    x: Values
    y: Values
    line: bool = True


class Axis(Protocol):
    """Where values are, from 0 to 1, and which of them are written beside it."""

    @property
    def ticks(self) -> Sequence[tuple[float, str]]: ...

    def place(self, values: Values) -> Values: ...


@dataclass(frozen=True, slots=True)
class LinearAxis:
    """From 0, or the least value below it, to the greatest."""

    low: float
    high: float

    @classmethod
    def of(cls, *values: Values) -> LinearAxis:
        some = np.concatenate(values)
        low, high = min(float(some.min()), 0.0), float(some.max())
        return cls(low, high if high > low else low + 1.0)

    def place(self, values: Values) -> Values:
        return (values - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> Sequence[tuple[float, str]]:
        """Multiples of 1, 2 or 5 times a power of ten."""
        rough = (self.high - self.low) / TICKS
        power = 10 ** math.floor(math.log10(rough))
        step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough * 0.99)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [(number * step, f"{number * step:.6g}") for number in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class LogAxis:
    """Whole powers of ten around the values; what is below the least of them is put there."""

    low: int
    high: int

    @classmethod
    def of(cls, *values: Values) -> LogAxis:
        some = np.maximum(np.concatenate(values), LEAST_MS)
        low = math.floor(math.log10(float(some.min())))
        return cls(low, max(math.ceil(math.log10(float(some.max()))), low + 1))

    def place(self, values: Values) -> Values:
        decades: Values = np.log10(np.maximum(values, 10.0**self.low)) - self.low
        return decades / (self.high - self.low)

    @property
    def ticks(self) -> Sequence[tuple[float, str]]:
        return [(10.0**power, f"{10.0**power:g}") for power in range(self.low, self.high + 1)]


@dataclass(frozen=True, slots=True)
class PercentileAxis:
    """Parts of all values, up to ``high``: as far from 90 to 99 % as from 99 to 99.9 %."""

    high: float

    def place(self, values: Values) -> Values:
        return np.log10(1 - values) / math.log10(1 - self.high)

    @property
    def ticks(self) -> Sequence[tuple[float, str]]:
        return [(one, f"p{one * 100:g}") for one in PERCENTILES if one <= self.high]


def chart(
    title: str, x: tuple[Axis, str], y: tuple[Axis, str], series: Sequence[ChartSeries]
) -> str:
    """One chart: each axis with its unit."""
    (across, x_unit), (up, y_unit) = x, y
    named = f"{title} ({y_unit})"
    frame = f"M{LEFT},{TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(named)}">'
        f'<text class="title" x="4" y="16">{escape(named)}</text>'
        f"{''.join(_marks(across, up))}"
        f'<path class="axis" d="{frame}"/><text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" '
        f'text-anchor="end">{escape(x_unit)}</text>'
        f"{''.join(_drawn(number, one, across, up) for number, one in enumerate(series))}"
        f"{''.join(_legend(number, one.name) for number, one in enumerate(series))}</svg></figure>"
    )


def _across(axis: Axis, values: Values) -> Values:
    return LEFT + (WIDTH - LEFT - RIGHT) * axis.place(values)


def _up(axis: Axis, values: Values) -> Values:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * axis.place(values)


def _marks(across: Axis, up: Axis) -> Iterator[str]:
    """Ticks of both axes, and lines across at those of the upright one."""
    for value, text in up.ticks:
        y = float(_up(up, np.array([value]))[0])
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    for value, text in across.ticks:
        x = float(_across(across, np.array([value]))[0])
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{text}</text>'


def _drawn(number: int, one: ChartSeries, across: Axis, up: Axis) -> str:
    points = list(zip(_across(across, one.x), _up(up, one.y), strict=True))
    if one.line:
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        return f'<polyline class="s{number}" points="{joined}"/>'
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>' for x, y in points)
    return f'<g class="s{number}">{dots}</g>'


def _legend(number: int, name: str) -> str:
    x = LEFT + 135 * number
    return (
        f'<g class="s{number}"><rect x="{x}" y="{HEIGHT - 15}" width="9" height="9"/>'
        f'<text x="{x + 13}" y="{HEIGHT - 6}">{escape(name)}</text></g>'
    )
