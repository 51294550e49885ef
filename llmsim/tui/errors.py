"""The errors panel, and the view of all errors behind the key ``e``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from rich.text import Text

from llmsim.tui import number_format
from llmsim.tui.history import History
from llmsim.tui.stats import ErrorKindStats, ServerStats
from llmsim.tui.traffic import apart

OWN_STATUSES: Final = {499: "Client closed request", 529: "Overloaded"}
"""Statuses in use that no RFC names."""


def errors(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """How many in all and per second, then by status and by kind, the most frequent first."""
    counted = stats.errors
    style = "bold red" if counted.total else "bold"
    head = apart(
        number_format.counted(counted.total, "error"),
        number_format.share(counted.total, stats.requests.total),
        width,
        style,
    )
    injected = sum(kind.injected for kind in counted.by_kind.values())
    rate = number_format.rate(history.rate("errors")) + "/s"
    lines = [
        head,
        apart(rate, f"{number_format.count(injected)} injected" if injected else "", width, ""),
    ]
    room = max(0, height - len(lines))
    statuses = _statuses(stats)
    kinds = _kinds(stats)
    for name, count in statuses[: room - min(len(kinds), room // 2)]:
        lines.append(apart(f"status {name}", number_format.count(count), width, ""))
    for name, kind in kinds[: max(0, height - len(lines))]:
        lines.append(apart(name, number_format.count(kind.injected + kind.real), width, ""))
    return lines


def table(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """Everything known of errors: by kind with injected and real ones, and by status."""
    left = _kind_table(stats, min(46, width - 2 if width < 78 else (width - 3) // 2))
    right = _status_table(stats, min(46, width - 2 if width < 78 else (width - 3) // 2))
    requests = stats.requests
    head = Text.assemble(
        (
            number_format.counted(stats.errors.total, "error"),
            "bold red" if stats.errors.total else "bold",
        ),
        f" of {number_format.counted(requests.total, 'request')}"
        f" ({number_format.share(stats.errors.total, requests.total)})",
        f", {number_format.rate(history.rate('errors'))}/s now",
    )
    gone = Text(
        f"{number_format.count(stats.rate_limited)} refused by rate limits, "
        f"{number_format.count(requests.aborted)} aborted by clients or lost with their worker",
        "dim",
    )
    body = [*left, Text(), *right] if width < 78 else _beside(left, right)
    return [head, gone, Text(), *body][:height]


def _kind_table(stats: ServerStats, width: int) -> list[Text]:
    rows = [
        (name, number_format.count(kind.injected), number_format.count(kind.real))
        for name, kind in _kinds(stats)
    ]
    return _table(("KIND", "INJECTED", "REAL"), rows or [("none", "", "")], width)


def _status_table(stats: ServerStats, width: int) -> list[Text]:
    rows = [
        (
            f"{name} {_phrase(name)}",
            number_format.count(count),
            number_format.share(count, stats.errors.total),
        )
        for name, count in _statuses(stats)
    ]
    return _table(("STATUS", "COUNT", "SHARE"), rows or [("none", "", "")], width)


def _table(head: tuple[str, str, str], rows: list[tuple[str, str, str]], width: int) -> list[Text]:
    label = max(8, width - 2 * 9)
    lines = [
        Text(number_format.cut(a, label).ljust(label) + b.rjust(9) + c.rjust(9))
        for a, b, c in (head, *rows)
    ]
    lines[0].stylize("dim")
    return lines


def _beside(left: list[Text], right: list[Text]) -> list[Text]:
    wide = max(line.cell_len for line in left)
    lines = []
    for index in range(max(len(left), len(right))):
        line = left[index].copy() if index < len(left) else Text()
        line.append(" " * (wide - line.cell_len + 3))
        lines.append(line.append_text(right[index]) if index < len(right) else line)
    return lines


def _statuses(stats: ServerStats) -> list[tuple[str, int]]:
    return sorted(stats.errors.by_status.items(), key=lambda item: (-item[1], item[0]))


def _kinds(stats: ServerStats) -> list[tuple[str, ErrorKindStats]]:
    found = [item for item in stats.errors.by_kind.items() if item[1].injected or item[1].real]
    return sorted(found, key=lambda item: (-item[1].injected - item[1].real, item[0]))


def _phrase(status: str) -> str:
    number = int(status) if status.isdecimal() else 0
    if number in OWN_STATUSES:
        return OWN_STATUSES[number]
    return HTTPStatus(number).phrase if number in HTTPStatus._value2member_map_ else ""
