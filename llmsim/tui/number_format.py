"""Numbers as a terminal shows them: short, of even width, with their unit."""

from __future__ import annotations

from typing import Final

NONE: Final = "-"
"""Shown where nothing is known."""

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def count(value: float | None) -> str:
    """``950``, ``12,345``, ``1.23M``: at most seven characters below a quadrillion."""
    if value is None:
        return NONE
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if value >= size:
            return _three(value / size) + unit
    return f"{value:,.0f}"


def counted(value: float, noun: str) -> str:
    """``1 error``, ``12,345 errors``."""
    return f"{count(value)} {noun}" if value == 1 else f"{count(value)} {noun}s"


def rate(value: float | None) -> str:
    """A rate in three significant digits: ``0``, ``0.4``, ``12.3``, ``412``, ``41.2k``."""
    if value is None:
        return NONE
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e4)):
        if value >= size:
            return _three(value / (1e3 if unit == "k" else size)) + unit
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value else "0"


def millis(value: float | None) -> str:
    """Milliseconds in at most five characters: ``0.04``, ``12.3``, ``412``; seconds from a
    thousand on: ``1.24s``."""
    if value is None:
        return NONE
    if value >= 999.5:
        return f"{_three(value / 1e3)}s"
    return f"{value:.2f}" if value < 9.995 else _three(value)


def span(seconds: float) -> str:
    """A length of time in two units: ``42s``, ``3m 07s``, ``2h 05m``, ``4d 03h``."""
    whole = int(seconds)
    for unit, size, lower, part in (
        ("d", 86400, "h", 3600),
        ("h", 3600, "m", 60),
        ("m", 60, "s", 1),
    ):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // part:02d}{lower}"
    return f"{whole}s"


def size(octets: float | None) -> str:
    """Bytes: ``840K``, ``96M``, ``1.2G``."""
    if octets is None:
        return NONE
    if octets >= 2**30:
        return f"{octets / 2**30:.1f}G"
    return f"{octets / 2**20:.0f}M" if octets >= 2**20 else f"{octets / 2**10:.0f}K"


def share(part: float, whole: float) -> str:
    """A percentage: ``0%``, ``0.4%``, ``12%``; more than nothing never shows as nothing."""
    if not whole:
        return NONE
    percent = 100 * part / whole
    if not part:
        return "0%"
    return f"{max(percent, 0.1):.1f}%" if percent < 9.95 else f"{percent:.0f}%"


def bar(part: float, whole: float, width: int) -> str:
    """A bar of ``width`` columns filled in eighths; more than nothing never shows as nothing."""
    if width < 1 or part <= 0 or whole <= 0:
        return " " * max(0, width)
    eighths = max(1, min(8 * width, round(8 * width * part / whole)))
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def sparkline(values: list[float | None], height: int) -> list[str]:
    """A column for each value over ``height`` lines, top line first, the greatest value full.

    None, a time without a reading, is blank; zero is a line at the bottom.
    """
    top = max((value for value in values if value is not None), default=0.0)
    eighths = [0 if value is None else _eighths(value, top, height) for value in values]
    return [
        "".join(_BLOCKS[min(8, max(0, filled - 8 * row))] for filled in eighths)
        for row in range(height - 1, -1, -1)
    ]


def _eighths(value: float, top: float, height: int) -> int:
    return max(1, round(8 * height * value / top)) if top else 1


def cut(text: str, width: int) -> str:
    """Text of at most ``width`` columns, an ellipsis where the rest was."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= width else clean[: max(0, width - 1)] + "…"[:width]


def _three(value: float) -> str:
    """Three significant digits."""
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
