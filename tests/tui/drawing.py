"""What a panel draws, as text."""

from __future__ import annotations

from typing import Any

from llmsim.tui.panel import Draw
from tests.tui.readings import history, read


def drawn(draw: Draw, width: int, height: int, *readings: dict[str, Any]) -> list[str]:
    """The lines of a panel after readings a second apart, at most ``height`` of them.

    No line may be wider than the panel.
    """
    seen = history(*(read(10.0 + number, **one) for number, one in enumerate(readings)))
    assert seen.latest is not None
    lines = [line.plain for line in draw(seen, seen.latest.stats, width, height)]
    assert all(len(line) <= width for line in lines), lines
    return [line.rstrip() for line in lines[:height]]
