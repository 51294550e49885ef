"""A report as a page with charts, in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

import numpy as np

from llmsim.overhead.charts import ChartSeries, LinearAxis, LogAxis, PercentileAxis, chart
from llmsim.overhead.figures import Values
from llmsim.overhead.report import OverheadReport, Ramp
from llmsim.overhead.splits import column
from llmsim.overhead.summary import SideResult
from llmsim.overhead.text import TIMES_HEAD, facts, ramp_table, time_rows

POINTS: Final = 600
"""Points of a series at most."""
THROUGH: Final = "through the gateway"
DIRECT: Final = "past it"

STYLE: Final = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2024; --through: #2466b8;
  --direct: #6b7280; --third: #c2334a; --rule: #d5d9de; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e6e8ea;
  --through: #6aa9f0; --direct: #a3abb5; --third: #f0768a; --rule: #3a4047; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto;
  padding: 0 1rem; background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 1rem; margin: 1.5rem 0; }
figure { margin: 0; } svg { display: block; width: 100%; height: auto; }
text { font-size: 11px; fill: currentColor; } .title { font-size: 13px; font-weight: 600; }
.axis { stroke: currentColor; fill: none; } .grid { stroke: var(--rule); }
.s0 { --c: var(--through); } .s1 { --c: var(--direct); } .s2 { --c: var(--third); }
polyline { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
circle { fill: var(--c); fill-opacity: .6; } rect { fill: var(--c); }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--rule); text-align: left;
  vertical-align: top; }
.times th, .times td { white-space: nowrap; } .times td, .times thead th { text-align: right; }
.times thead th:first-child { text-align: left; } tbody th { font-weight: normal; }
.facts th { white-space: nowrap; }
.note { border-left: 3px solid var(--third); padding: .2rem .8rem; margin: .6rem 0; }
.big { font-size: 1.15rem; } .big b { font-size: 1.6rem; }
@media (max-width: 40rem) { .facts th, .facts td { display: block; border: 0; padding: 0; }
  .facts td { padding: 0 0 .6rem; } .facts th { font-weight: 600; } }
"""


def page(report: OverheadReport, through: SideResult, direct: SideResult) -> str:
    """The whole page."""
    title = f"What {report.gateway} costs"
    about = (
        f"{report.model}, {report.dialect}, {report.answers}; {report.load}; {report.requests} "
        f"requests through the gateway, {report.direct.requests} past it to {report.upstream}"
    )
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in report.notes)
    ramp = "" if report.ramp is None else _table("times", *ramp_table(report.ramp))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1><p>{escape(about)}.</p>{_headline(report)}{notes}\n"
        f'<div class="charts">{"".join(_charts(report, through, direct))}</div>\n'
        f"<h2>All figures</h2>{_table('times', TIMES_HEAD, list(time_rows(report)))}{ramp}"
        f"{_table('facts', (), list(facts(report)))}</main></body></html>\n"
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


def _table(kind: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose rows have a name each. It scrolls by itself where the page is narrow, by
    keyboard, too."""
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in head)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(one)}</td>" for one in cells)
        + "</tr>"
        for name, *cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0"><table class="{kind}">'
        + (f"<thead><tr>{heads}</tr></thead>" if head else "")
        + f"<tbody>{body}</tbody></table></div>"
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
        sides = ((THROUGH, column(through.splits, name)), (DIRECT, column(direct.splits, name)))
        yield from _distributions(title, sides)
    yield from _run(through, direct)
    first = "ttft" if column(through.splits, "ttft").size else "total"
    whose = (("the way", first), ("llmsim late", "simulator_late"), ("client late", "client_late"))
    yield from _distributions(
        "Whose time it was", [(label, column(through.splits, name)) for label, name in whose]
    )


def _distributions(title: str, sides: Sequence[tuple[str, Values]]) -> Iterator[str]:
    """Milliseconds by percentile, as far as the fewer values say something."""
    fewest = min(values.size for _, values in sides)
    if fewest < 2:
        return
    axis = PercentileAxis(min(1 - 1 / fewest, 0.999))
    part = 1 - np.geomspace(1, 1 - axis.high, min(POINTS, fewest))
    series = [ChartSeries(name, part, np.quantile(values, part)) for name, values in sides]
    log = LogAxis.of(*(one.y for one in series))
    yield chart(title, (axis, "percentile"), (log, "ms"), series)


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
        x, y = LinearAxis.of(*(one.x for one in series)), LogAxis.of(*(one.y for one in series))
        yield chart(f"{title}, less llmsim's, over the run", (x, "s"), (y, "ms"), series)


def _ramp(ramp: Ramp) -> Iterator[str]:
    offered = np.array([one.offered for one in ramp.steps])
    rates = [
        ChartSeries(THROUGH, offered, np.array([one.gateway_rate for one in ramp.steps])),
        ChartSeries(DIRECT, offered, np.array([one.direct_rate for one in ramp.steps])),
    ]
    unit = "requests/s offered"
    x, y = LinearAxis.of(offered), LinearAxis.of(*(one.y for one in rates))
    yield chart("Good answers a second", (x, unit), (y, "answers/s"), rates)
    added = [(one.offered, one.added_ttft_ms or one.added_total_ms) for one in ramp.steps]
    known = [(rate, one) for rate, one in added if one is not None]
    if known:
        at = np.array([rate for rate, _ in known])
        lines = [
            ChartSeries(name, at, np.array([one.at(name) for _, one in known]))
            for name in ("p50", "p99")
        ]
        log = LogAxis.of(*(one.y for one in lines))
        yield chart("Added latency", (x, unit), (log, "ms"), lines)
