"""What a benchmark found: as a Markdown table, as JSON, and as a section of the documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from bench.machine import Machine

Cell: TypeAlias = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: the row's key, the heading, and digits after the point."""

    key: str
    heading: str
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One benchmark's findings. ``name`` is its section in the documentation; ``rows`` may hold
    more than the columns show; ``notes`` are sentences on how to read them."""

    name: str
    command: str
    machine: Machine
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]
    notes: Sequence[str] = field(default=())

    def markdown(self) -> str:
        parts = [
            f"`{self.command}`",
            f"Measured on {self.machine}.",
            table(self.columns, self.rows),
            *self.notes,
        ]
        return "\n\n".join(parts) + "\n"

    def json(self) -> str:
        whole = {
            "benchmark": self.name,
            "command": self.command,
            "machine": self.machine.record(),
            "rows": [dict(row) for row in self.rows],
            "notes": list(self.notes),
        }
        return json.dumps(whole, indent=2)

    def record(self, document: Path) -> None:
        """Put this in place of the benchmark's section of ``document``."""
        document.write_text(replace_section(document.read_text(), self.name, self.markdown()))


def table(columns: Sequence[Column], rows: Sequence[Mapping[str, Cell]]) -> str:
    """A Markdown table; numbers are aligned right, a missing value is a dash."""
    heads = [column.heading for column in columns]
    cells = [[_cell(row[column.key], column.digits) for column in columns] for row in rows]
    textual = [any(isinstance(row[column.key], str) for row in rows) for column in columns]
    widths = [max(map(len, texts)) for texts in zip(heads, *cells, strict=True)]
    rule = [
        "-" * width if text else "-" * (width - 1) + ":"
        for width, text in zip(widths, textual, strict=True)
    ]
    lines = []
    for line in (heads, rule, *cells):
        padded = [
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(line, widths, textual, strict=True)
        ]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)


def _cell(value: Cell, digits: int) -> str:
    if value is None:
        return "–"  # noqa: RUF001
    return value if isinstance(value, str) else f"{value:,.{digits}f}"


def replace_section(document: str, name: str, text: str) -> str:
    """``document`` with ``text`` between the markers of section ``name``.

    The section is added at the end where there is none. Raises ValueError if only one of the
    two markers is there.
    """
    start, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    section = f"{start}\n{text.strip()}\n{end}"
    if start not in document and end not in document:
        return f"{document.rstrip()}\n\n## {name}\n\n{section}\n"
    before, opened, rest = document.partition(start)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise ValueError(f"the section {name} needs both {start} and {end}, in this order")
    return before + section + after
