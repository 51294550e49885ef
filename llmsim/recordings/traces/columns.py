"""From a table's columns to the fields of a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from llmsim.recordings.traces.row import TraceError, TraceRow

Cells: TypeAlias = Mapping[str, Any]
"""One line of a table: values by column name, or by key for JSON."""

Numbered: TypeAlias = Iterable[tuple[int, Cells]]
"""Lines with their numbers."""


class Column(NamedTuple):
    """Where a field comes from: the first of ``names`` that the line has, dots for keys in keys,
    and what its value means. A row without a ``needed`` one cannot be read."""

    names: tuple[str, ...]
    convert: Callable[[Any], Any]
    needed: bool = False


Columns: TypeAlias = Mapping[str, Column]
"""The columns of a format, by the row's field."""


def column_names(texts: Iterable[str]) -> dict[str, str]:
    """Columns by field, of texts such as ``output_tokens=Generated``. Raises TraceError."""
    names = {}
    for text in texts:
        field, equals, name = text.partition("=")
        if not (field and equals and name):
            raise TraceError(f"--column: {text}: must be FIELD=NAME")
        names[field] = name
    return names


def overridden(columns: Columns, names: Mapping[str, str]) -> Columns:
    """The same columns where some have other names. Raises TraceError for a field that is none."""
    for field in names:
        if field not in columns:
            raise TraceError(f"{field} is no field of this format; it has: {', '.join(columns)}")
    return {
        field: column._replace(names=(names[field],)) if field in names else column
        for field, column in columns.items()
    }


def rows(lines: Numbered, columns: Columns, where: str) -> Iterator[TraceRow]:
    """The rows of a table; ``where`` names it in messages. Raises TraceError."""
    for number, cells in lines:
        yield TraceRow(**dict(_fields(cells, columns, f"{where}:{number}")))


def _fields(cells: Cells, columns: Columns, where: str) -> Iterator[tuple[str, Any]]:
    for field, column in columns.items():
        name, value = _found(cells, column.names)
        if value is None or value == "":
            if column.needed:
                have = ", ".join(cells)
                raise TraceError(f"{where}: no {column.names[0]} (for {field}); there is: {have}")
            continue
        try:
            yield field, column.convert(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise TraceError(f"{where}: {name}: {value!r} is no {field}: {error}") from None


def _found(cells: Cells, names: tuple[str, ...]) -> tuple[str, Any]:
    for name in names:
        value: Any = cells
        if name in cells:
            return name, cells[name]
        for key in name.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            return name, value
    return names[0], None


def seconds(value: Any) -> float:
    """Seconds, as they stand."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def milliseconds(value: Any) -> float:
    """Milliseconds in seconds."""
    return seconds(value) / 1e3


def date(value: Any) -> float:
    """A date and time (ISO 8601, UTC where it names no zone), or seconds, as a Unix time."""
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        when = datetime.fromisoformat(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return seconds(value)


def count(value: Any) -> int:
    """A number of tokens."""
    number = seconds(value)
    if number < 0 or number != int(number):
        raise ValueError("not a whole number of 0 or more")
    return int(number)


def each(convert: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    """A list, each element converted."""

    def converted(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError("not a list")
        return tuple(map(convert, value))

    return converted
