"""A report as a page with charts, in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

import numpy as np

from llmsim.overhead.figures import Values
from llmsim.overhead.report import OverheadReport, Ramp
from llmsim.overhead.splits import column
from llmsim.overhead.summary import SideResult
from llmsim.overhead.text import summary_text

WIDTH: Final = 480
HEIGHT: Final = 300
LEFT: Final = 56
RIGHT: Final = 12
TOP: Final = 30
BOTTOM: Final = 44
POINTS: Final = 600
"""Points of a series at most."""
THROUGH: Final = "through the gateway"
DIRECT: Final = "past it"

Scale = Callable[[float], float]

STYLE: Final = """
:root { color-scheme: light dark; --through: #2a78d6; --direct: #8a8f98; --third: #d1495b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
figure { display: inline-block; margin: 0 .5rem 1rem 0; } svg { max-width: 100%; }
text { font-size: 11px; fill: currentColor; } .axis { stroke: currentColor; fill: none; }
.grid { stroke: currentColor; opacity: .15; } .s0 { --c: var(--through); }
.s1 { --c: var(--direct); } .s2 { --c: var(--third); }
polyline { fill: none; stroke: var(--c); stroke-width: 2; }
circle { fill: var(--c); fill-opacity: .45; } rect { fill: var(--c); }
pre { overflow-x: auto; font: 12.5px/1.45 ui-monospace, monospace; }
.note { border-left: 3px solid var(--third); padding: .2rem .8rem; margin: .6rem 0; }
.big { font-size: 1.15rem; } .big b { font-size: 1.6rem; }
"""


class ChartSeries(NamedTuple):
    """What a chart shows under one name: points, or a line through them."""

    name: str
    x: Values
    y: Values
    line: bool = True


def page(report: OverheadReport, through: SideResult, direct: SideResult) -> str:
    """The whole page."""
    title = f"What {report.gateway} costs"
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in report.notes)
    charts = "\n".join(_charts(report, through, direct))
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}{viewport}</head><body><main>'
        f"<h1>{escape(title)}</h1>{_headline(report)}{notes}\n{charts}\n"
        f"<h2>All figures</h2><pre>{escape(summary_text(report))}</pre></main></body></html>\n"
    )


def _headline(report: OverheadReport) -> str:
    found = report.added.ttft_ms or report.added.total_ms
    if found is None:
        return "<p>Nothing was measured.</p>"
    what = "time to first token" if report.added.ttft_ms is not None else "total time"
    return (
        f'<p class="big"><b>{found.p50:.2f} ms</b> added to the {what} at p50, '
        f"<b>{found.p99:.2f} ms</b> at p99.</p>"
    )


def _charts(report: OverheadReport, through: SideResult, direct: SideResult) -> Iterator[str]:
    if report.ramp is not None:
        yield from _ramp(report.ramp)
    for name, title in (
        ("ttft", "Time to first token, less llmsim's"),
        ("total", "Total, less llmsim's"),
        ("per_token", "A token on its way"),
        ("way_in", "Requests' way in"),
        ("way_out", "Answers' way out"),
    ):
        series = [
            ChartSeries(label, *_distribution(column(side.splits, name)))
            for label, side in ((THROUGH, through), (DIRECT, direct))
        ]
        if all(one.x.size for one in series):
            yield chart(f"{title}: distribution", "ms", "part of the requests", series)
    yield from _run(through, direct)
    yield from _late(through)


def _distribution(values: Values) -> tuple[Values, Values]:
    """Values in order up to p99.5, and which part of all is not above each."""
    if not values.size:
        return values, values
    part = np.linspace(0, 0.995, min(POINTS, max(values.size, 2)))
    return np.quantile(values, part), part


def _run(through: SideResult, direct: SideResult) -> Iterator[str]:
    name = "ttft" if column(through.splits, "ttft").size else "total"
    begun = min((one.at for side in (through, direct) for one in side.splits), default=0.0)
    series = []
    for label, side in ((THROUGH, through), (DIRECT, direct)):
        rows = [one for one in side.splits if getattr(one, name) == getattr(one, name)]
        step = max(len(rows) // POINTS, 1)
        at = np.array([one.at - begun for one in rows[::step]])
        series.append(ChartSeries(label, at, column(rows[::step], name), line=False))
    if any(one.x.size for one in series):
        title = "Time to first token" if name == "ttft" else "Total"
        yield chart(f"{title}, less llmsim's, over the run", "s", "ms", series)


def _late(through: SideResult) -> Iterator[str]:
    parts = (
        ("the way", "ttft" if column(through.splits, "ttft").size else "total"),
        ("llmsim late", "simulator_late"),
        ("client late", "client_late"),
    )
    series = [
        ChartSeries(label, *_distribution(column(through.splits, name))) for label, name in parts
    ]
    if all(one.x.size for one in series):
        yield chart("Whose time it was: distribution", "ms", "part of the requests", series)


def _ramp(ramp: Ramp) -> Iterator[str]:
    offered = np.array([one.offered for one in ramp.steps])
    rates = [
        ChartSeries(THROUGH, offered, np.array([one.gateway_rate for one in ramp.steps])),
        ChartSeries(DIRECT, offered, np.array([one.direct_rate for one in ramp.steps])),
    ]
    yield chart("Good answers a second", "requests/s offered", "answers/s", rates)
    added = [(one.offered, one.added_ttft_ms or one.added_total_ms) for one in ramp.steps]
    known = [(rate, one) for rate, one in added if one is not None]
    if known:
        x = np.array([rate for rate, _ in known])
        lines = [
            ChartSeries(name, x, np.array([one.at(name) for _, one in known]))
            for name in ("p50", "p99")
        ]
        yield chart("Added latency", "requests/s offered", "ms", lines)


def chart(title: str, x_name: str, y_name: str, series: Sequence[ChartSeries]) -> str:
    """One chart as SVG: axes from 0, or from the least value below it."""
    some = [one for one in series if one.x.size]
    x_low, x_high = _bounds([one.x for one in some])
    y_low, y_high = _bounds([one.y for one in some])

    def across(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (min(value, x_high) - x_low) / (x_high - x_low)

    def up(value: float) -> float:
        part = (min(value, y_high) - y_low) / (y_high - y_low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part

    marks = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(y):.1f}" y2="{up(y):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{up(y) + 4:.1f}" text-anchor="end">{y:.4g}</text>'
        for y in np.linspace(y_low, y_high, 5)
    ) + "".join(
        f'<text x="{across(x):.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{x:.4g}</text>'
        for x in np.linspace(x_low, x_high, 5)
    )
    drawn = "".join(_drawn(number, one, across, up) for number, one in enumerate(some))
    legend = "".join(
        f'<g class="s{number}"><rect x="{LEFT + 150 * number}" y="{HEIGHT - 10}" width="9" '
        f'height="9"/><text x="{LEFT + 13 + 150 * number}" y="{HEIGHT - 2}">{escape(one.name)}'
        f"</text></g>"
        for number, one in enumerate(some)
    )
    frame = f"M{LEFT},{TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
        f'aria-label="{escape(title)}"><text x="{LEFT - 40}" y="14">{escape(title)} '
        f'({escape(y_name)})</text>{marks}<path class="axis" d="{frame}"/>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 14}" text-anchor="end">{escape(x_name)}</text>'
        f"{drawn}{legend}</svg></figure>"
    )


def _drawn(number: int, one: ChartSeries, across: Scale, up: Scale) -> str:
    points = [(across(float(x)), up(float(y))) for x, y in zip(one.x, one.y, strict=True)]
    if one.line:
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        return f'<polyline class="s{number}" points="{joined}"/>'
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>' for x, y in points)
    return f'<g class="s{number}">{dots}</g>'


def _bounds(values: Sequence[Values]) -> tuple[float, float]:
    """Of an axis: outliers above p99.5 are left at its end."""
    joined = np.concatenate(values)
    low, high = min(float(joined.min()), 0.0), float(np.quantile(joined, 0.995))
    return low, high if high > low else low + 1.0
