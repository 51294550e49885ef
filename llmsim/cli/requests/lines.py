"""A request of the journal as one line."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import click

HEAD: Final = (
    f"{'TIME':12}  {'STATUS':>6}  {'TTFT MS':>9}  {'TOTAL MS':>9}  {'LATE MS':>8}  {'TOKENS':>13}  "
    f"{'ENDPOINT':24}  {'MODEL':24}  WHY"
)
OPEN: Final = "open"
LEFT: Final = 499


def line(one: dict[str, Any]) -> str:
    """The request: when it came, how it went, and why."""
    status = one["status"]
    tokens = one["tokens"]
    cells = (
        f"{datetime.fromtimestamp(one['arrived']):%H:%M:%S.%f}"[:12],
        f"{status or OPEN:>6}",
        f"{_ms(one['actual']['first_ms'], 1):>9}",
        f"{_ms(one['actual']['total_ms'], 1):>9}",
        f"{_ms(one['lateness_max_ms'], 2):>8}",
        f"{tokens['prompt']}+{tokens['completion']}".rjust(13),
        f"{one['endpoint']:24}",
        f"{one['model']:24}",
        _why(one),
    )
    text = "  ".join(cells).rstrip()
    if status is None or status == LEFT:
        return click.style(text, dim=True)
    return click.style(text, fg="red") if one["error"] else text


def _ms(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _why(one: dict[str, Any]) -> str:
    why = []
    if one["error"]:
        why.append(f"{one['error']}{' (injected)' if one['injected'] else ''}")
    elif one["status"] == LEFT:
        why.append("the client left")
    if one["mock"]:
        why.append(f"mock {one['mock']}")
    return ", ".join(why)
