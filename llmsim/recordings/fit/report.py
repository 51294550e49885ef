"""A page that shows data against fit: quantiles, times against prompts, times against load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import numpy as np

from llmsim.recordings.fit.distributions import PERCENTILES, Fitted
from llmsim.recordings.fit.load import LoadFit
from llmsim.recordings.fit.observed import Values
from llmsim.recordings.fit.profile import ModelFit

WIDTH: Final = 420
HEIGHT: Final = 280
MARGIN: Final = 52
POINTS: Final = 400
"""Points of a chart at most."""

STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
svg { max-width: 100%; } figure { display: inline-block; margin: 0 1rem 1rem 0; }
text { font-size: 11px; fill: currentColor; } .axis { stroke: currentColor; stroke-width: 1; }
.data { fill: #2a78d6; fill-opacity: .5; } .fit { stroke: #d1495b; stroke-width: 2; fill: none; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; }
"""


def page(fits: Iterable[ModelFit], title: str) -> str:
    """The whole page, in one file."""
    parts = "\n".join(_model(one) for one in fits)
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body><main>'
        f"<h1>{escape(title)}</h1><p>Every second request was fitted, the others judge the fit. "
        f"Dots are data, lines are fits.</p>\n{parts}</main></body></html>\n"
    )


def _model(one: ModelFit) -> str:
    charts = [
        _quantiles("Output tokens", "tokens", one.lengths, one.judged.output_tokens, 1.0),
        _prompts(one),
        _quantiles(
            "Time to first token, less the prompt's part", "ms", one.ttft, one.judged.rest, 1e3
        ),
        _quantiles("Time between tokens", "ms", one.itl, one.judged.itl, 1e3),
        _load(one),
    ]
    problems = "".join(f"<li>{escape(problem)}</li>" for problem in one.problems)
    missing = f"<p>Not identified:</p><ul>{problems}</ul>" if problems else ""
    return (
        f"<section><h2>{escape(one.model)}</h2><p>{one.requests} requests, {one.failed} failed.</p>"
        f"{_table(one)}{missing}{''.join(charts)}</section>"
    )


def _table(one: ModelFit) -> str:
    rows = []
    named = (("output tokens", one.lengths), ("time to first token", one.ttft))
    for name, found in (*named, ("time between tokens", one.itl)):
        if found is not None:
            errors = "".join(f"<td>{found.errors[at]:.1%}</td>" for at in PERCENTILES)
            rows.append(f"<tr><th>{name}</th><td>{found.kind}</td><td>{found.ks:.3f}</td>{errors}")
    lines = [("each uncached token", one.prefill.error)] if one.prefill else []
    if isinstance(one.load, LoadFit):
        lines.append(("each sequence beside it", one.load.error))
    for name, error in lines:
        rows.append(f"<tr><th>{name}</th><td>line</td><td></td><td>{error:.1%}</td></tr>")
    heads = "".join(f"<th>error at p{at}</th>" for at in PERCENTILES)
    return f"<table><tr><th></th><th>kind</th><th>KS</th>{heads}</tr>{''.join(rows)}</table>"


def _quantiles(title: str, unit: str, found: Fitted | None, samples: Values, scale: float) -> str:
    """Quantiles of the fit against those of the data: on the diagonal where they agree."""
    if found is None or not samples.size:
        return ""
    at = (np.arange(100) + 0.5) / 100
    said, seen = found.percentile(at) * scale, np.quantile(samples, at) * scale
    top = float(max(said.max(), seen.max()))
    return _chart(title, f"data, {unit}", f"fit, {unit}", seen, said, [(0.0, 0.0), (top, top)])


def _prompts(one: ModelFit) -> str:
    if one.prefill is None:
        return ""
    x, y = one.judged.uncached, one.judged.ttft * 1e3
    line = [
        (at, (one.prefill.overhead + one.prefill.per_token * at) * 1e3)
        for at in (0.0, float(x.max()))
    ]
    return _chart("Time to first token", "uncached prompt tokens", "ms", x, y, line)


def _load(one: ModelFit) -> str:
    if not isinstance(one.load, LoadFit):
        return ""
    levels = np.array(one.load.levels, dtype=np.float64)
    said = one.load.step(levels[:, 0])
    line = [(float(n), float(time) * 1e3) for n, time in zip(levels[:, 0], said, strict=True)]
    return _chart(
        "Time between tokens", "sequences at once", "ms", levels[:, 0], levels[:, 1] * 1e3, line
    )


def _chart(
    title: str,
    x_name: str,
    y_name: str,
    x: Values,
    y: Values,
    line: Sequence[tuple[float, float]],
) -> str:
    step = max(x.size // POINTS, 1)
    right = max(float(x.max()), *(at for at, _ in line)) or 1.0
    top = max(float(np.quantile(y, 0.995)), *(at for _, at in line)) or 1.0

    def across(value: float) -> float:
        return MARGIN + (WIDTH - MARGIN - 10) * min(value / right, 1.0)

    def up(value: float) -> float:
        return HEIGHT - 36 - (HEIGHT - 60) * min(value / top, 1.0)

    dots = "".join(
        f'<circle class="data" cx="{across(float(a)):.1f}" cy="{up(float(b)):.1f}" r="2"/>'
        for a, b in zip(x[::step], y[::step], strict=True)
    )
    points = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in line)
    ticks = "".join(
        f'<text x="{across(right * part):.1f}" y="{HEIGHT - 20}" text-anchor="middle">'
        f"{right * part:.4g}</text>"
        f'<text x="{MARGIN - 6}" y="{up(top * part) + 4:.1f}" text-anchor="end">'
        f"{top * part:.4g}</text>"
        for part in (0.0, 0.5, 1.0)
    )
    frame = f"M{MARGIN},{up(top):.1f}V{up(0):.1f}H{across(right):.1f}"
    middle = (MARGIN + WIDTH) / 2
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
        f'aria-label="{escape(title)}"><text x="{MARGIN}" y="14">{escape(title)} ({escape(y_name)})'
        f'</text><path class="axis" fill="none" d="{frame}"/>{ticks}'
        f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">{escape(x_name)}</text>'
        f'{dots}<polyline class="fit" points="{points}"/></svg></figure>'
    )
