"""The pictures of docs/latency.md, drawn from what the engine computes: SVG, always the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from llmsim.core.catalog.distribution import Distribution
from llmsim.core.catalog.profiles import PRESETS
from llmsim.engine import sampling
from llmsim.engine.timing import Draws, TokenArrivals, draws_of

WIDTH: Final = 720
HEIGHT: Final = 300
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 30, 45
COLOURS: Final = ("#1b6ca8", "#d1495b", "#2e8b57", "#8e6bbf", "#c98b1b", "#555555")

Points = Sequence[tuple[float, float]]


class Chart:
    """Lines over two linear axes that begin at 0."""

    def __init__(self, title: str, across: str, up: str, right: float, top: float) -> None:
        self._right = right
        self._top = top
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            _text(LEFT, 18, title, "start", bold=True),
            _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, across, "middle"),
        ]
        self._parts.append(
            f'<text x="14" y="{(TOP + HEIGHT - BOTTOM) / 2:.0f}" text-anchor="middle" '
            f'transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2:.0f})">{up}</text>'
        )
        self._lines = 0

    def ticks(self, across: Sequence[float], up: Sequence[float]) -> None:
        """Marks on both axes."""
        for value in across:
            x, y = self._place(value, 0)
            self._parts.append(_text(x, y + 16, f"{value:,.6g}", "middle"))
            self._parts.append(_line([(x, y), (x, y + 4)], "#000000"))
        for value in up:
            x, y = self._place(0, value)
            self._parts.append(_text(x - 6, y + 4, f"{value:,.6g}", "end"))
            self._parts.append(_line([(x, y), (WIDTH - RIGHT, y)], "#dddddd"))

    def line(self, name: str, points: Points, dashed: bool = False) -> None:
        """A line, and its name at its right."""
        colour = COLOURS[self._lines % len(COLOURS)]
        placed = [self._place(x, y) for x, y in points if x <= self._right and y <= self._top]
        self._parts.append(_line(placed, colour, 2, dashed))
        y = TOP + 14 + 18 * self._lines
        self._parts.append(
            _line([(WIDTH - RIGHT + 8, y - 4), (WIDTH - RIGHT + 26, y - 4)], colour, 2)
        )
        self._parts.append(_text(WIDTH - RIGHT + 31, y, name, "start"))
        self._lines += 1

    def svg(self) -> str:
        """The picture."""
        return "\n".join((*self._parts, "</svg>", ""))

    def _place(self, x: float, y: float) -> tuple[float, float]:
        width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + width * x / self._right, HEIGHT - BOTTOM - height * y / self._top


def _text(x: float, y: float, text: str, anchor: str, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{text}</text>'


def _line(points: Points, colour: str, width: int = 1, dashed: bool = False) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'
    )


def prompts() -> str:
    """Median time to first token by the length of the prompt."""
    chart = Chart("Time to first token by prompt", "prompt tokens", "seconds, median", 60_000, 10)
    chart.ticks(range(0, 60_001, 10_000), range(0, 11, 2))
    for name in ("claude-opus", "claude-sonnet", "claude-haiku", "gpt-5", "gpt-4o"):
        draws = draws_of(PRESETS[name])
        median = float(np.median(draws.ttft))
        lengths = range(0, 60_001, 5_000)
        chart.line(name, [(tokens, median + draws.work(tokens, 0)) for tokens in lengths])
    draws = draws_of(PRESETS["gpt-4o"])
    cached = [(tokens, float(np.median(draws.ttft))) for tokens in (0, 60_000)]
    chart.line("gpt-4o, cached", cached, dashed=True)
    return chart.svg()


def kinds() -> str:
    """Shares of draws below a time, for distributions with the same median or mean."""
    chart = Chart(
        "Share of times below: mean 480 ± 300; or p50 400, p95 900, p99 2500",
        "milliseconds",
        "share",
        2_500,
        1,
    )
    chart.ticks(range(0, 2_501, 500), [0, 0.25, 0.5, 0.75, 1])
    shown = {
        "p50, p95, p99": Distribution(kind="percentiles", p50=400, p95=900, p99=2500),
        "lognormal": Distribution(480, 300),
        "gamma": Distribution(480, 300, "gamma"),
        "normal": Distribution(480, 300, "normal"),
    }
    shares = np.array([*np.arange(0.002, 0.98, 0.02), 0.985, 0.99, 0.995])
    for name, distribution in shown.items():
        times = np.quantile(sampling.table(distribution), shares)
        points = list(zip(times.tolist(), shares.tolist(), strict=True))
        chart.line(name, points)
    return chart.svg()


def answers() -> str:
    """Tokens of a few answers over time: how reasoning, prompt and gaps add up."""
    chart = Chart("Tokens received", "seconds", "tokens", 12, 300)
    chart.ticks(range(0, 13, 2), range(0, 301, 100))
    for name, preset, prompt, hidden in (
        ("gpt-4o", "gpt-4o", 1_000, 0),
        ("gpt-4o, 60k prompt", "gpt-4o", 60_000, 0),
        ("gpt-5, minimal", "gpt-5", 1_000, 0),
        ("gpt-5, 384 hidden", "gpt-5", 1_000, 384),
        ("claude-sonnet", "claude-sonnet", 1_000, 0),
    ):
        draws = draws_of(PRESETS[preset])
        work = draws.work(prompt, hidden)
        times = TokenArrivals(draws, 300, _usual(draws), 1.0, work).at(np.arange(300)).tolist()
        points = [(0.0, 0.0), (times[0], 0.0)]
        points += [(time, token + 1) for token, time in enumerate(times) if token % 10 == 9]
        chart.line(name, points)
    return chart.svg()


def _usual(draws: Draws) -> int:
    """A seed whose time to first token is about the median."""
    median = float(np.median(draws.ttft))
    return min(range(200), key=lambda seed: abs(TokenArrivals(draws, 1, seed).first - median))


PICTURES: Final = {
    "latency-prompts.svg": prompts,
    "latency-kinds.svg": kinds,
    "latency-answers.svg": answers,
}
"""The files, and what draws them."""


def draw(folder: Path) -> list[Path]:
    """Draws all pictures; gives their files."""
    paths = []
    for name, picture in PICTURES.items():
        path = folder / name
        path.write_text(picture(), encoding="utf-8")
        paths.append(path)
    return paths
