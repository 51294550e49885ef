"""Frozen dataclasses that read themselves from a mapping of the configuration.

A section is a dataclass whose fields say in ``Annotated`` what kind of value they take::

    @dataclass(frozen=True, slots=True)
    class Server:
        port: Annotated[int, Whole(1, 65535)] = 8080

A field that is itself such a dataclass is a mapping within the mapping. What no single key can
tell (one key needs another) a section says in a method ``checked``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import (
    Annotated,
    Any,
    Generic,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from llmsim.config.document import Faults, Node, Table, dotted, is_null, wrong
from llmsim.config.kinds import Kind, suffix, unfit
from llmsim.core.errors import ConfigError
from llmsim.core.spelling import did_you_mean

R = TypeVar("R")

Check: TypeAlias = "Callable[[R, Given], R]"
_KINDS: dict[type, dict[str, Any]] = {}
_CHECKS: dict[type, Any] = {}


def describe(section: type[R], check: Check[R] | None = None, **kinds: object) -> None:
    """Says how a type is read that knows nothing of configurations: the kinds of its fields, and
    a check over several of them."""
    _KINDS[section] = kinds
    if check is not None:
        _CHECKS[section] = check


@dataclass(frozen=True, slots=True)
class Given:
    """What a mapping set, for the checks that take more than one key.

    ``failed`` are the keys whose value is faulty and so stands at its default: a check that
    looks at one of them keeps silent.
    """

    table: Table
    key: str
    faults: Faults
    failed: frozenset[str]

    def __contains__(self, name: str) -> bool:
        return name in self.table.entries

    def where(self, name: str) -> str | None:
        """The source that set a key: the file, a flag, a variable. None if none did."""
        entry = self.table.entries.get(name)
        return entry.node.place.where if entry else None

    def fault(self, name: str, message: str, *also: str) -> None:
        """Reports a fault at a key, unless it or one of the others it depends on has failed."""
        if self.failed.isdisjoint((name, *also)):
            entry = self.table.entries.get(name)
            place = entry.node.place if entry else self.table.place
            key = dotted(self.key, name) if name else self.key
            self.faults.extend(wrong(place, key, message).faults)


@runtime_checkable
class Checked(Protocol):
    """A section with checks over several keys."""

    def checked(self, given: Given) -> Self:
        """The section as it counts; reports faults to ``given``."""
        ...


@dataclass(frozen=True, slots=True)
class Record(Generic[R]):
    """A mapping with the keys of one dataclass, and no others."""

    type: type[R]

    @property
    def valid(self) -> str:
        return f"a mapping with the keys {', '.join(keys(self.type))}"

    @property
    def _fields(self) -> tuple[_Field, ...]:
        section: type = self.type
        return _fields(section)

    def read(self, node: Node, key: str) -> R:
        table = Table(node.place, {}) if is_null(node) else node
        if not isinstance(table, Table):
            raise unfit(node, key, self.valid)
        faults = Faults()
        names = keys(self.type)
        for name, entry in table.entries.items():
            if name not in names:
                message = f"unknown key{did_you_mean(name, names)}; valid are {', '.join(names)}"
                faults += wrong(entry.place, dotted(key, name), message).faults
        with faults.caught():
            value = self.take(table, key)
        faults.settle()
        return value

    def take(self, table: Table, key: str) -> R:
        """Reads this record's keys from a table that may hold others. Raises ConfigError."""
        faults, failed, values = Faults(), set[str](), dict[str, Any]()
        for field in self._fields:
            found = Faults()
            for value in _values(field, table, key, found):
                values[field.name] = value
            if found:
                failed.add(field.key)
                faults += found
            elif field.required and field.name not in values:
                message = f"is missing; must be {field.kind.valid}"
                faults += wrong(table.place, dotted(key, field.key), message).faults
        if any(field.required and field.name not in values for field in self._fields):
            raise ConfigError(faults)
        record = self.type(**values)
        if isinstance(record, Checked):
            record = record.checked(Given(table, key, faults, frozenset(failed)))
        section: type = self.type
        if section in _CHECKS:
            record = _CHECKS[section](record, Given(table, key, faults, frozenset(failed)))
        faults.settle()
        return record

    def write(self, value: R) -> dict[str, object]:
        """The mapping, without what is None or empty."""
        written: dict[str, object] = {}
        for field in self._fields:
            member = getattr(value, field.name)
            if isinstance(field.kind, Flat):
                written |= field.kind.record.write(member)
            elif member is not None and member != ():
                written[field.key] = field.kind.write(member)
        return written


@dataclass(frozen=True, slots=True)
class Flat(Generic[R]):
    """A record whose keys stand in the mapping around it, beside that mapping's own."""

    type: type[R]

    @property
    def record(self) -> Record[R]:
        return Record(self.type)

    @property
    def valid(self) -> str:
        return self.record.valid


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    key: str
    kind: Kind[Any] | Flat[Any]
    required: bool


@cache
def _fields(section: type) -> tuple[_Field, ...]:
    hints = get_type_hints(section, include_extras=True)
    described = _KINDS.get(section, {})
    fields = []
    for field in dataclasses.fields(section):
        hint = hints[field.name]
        kind = described.get(field.name)
        if kind is None:
            kind = get_args(hint)[1] if get_origin(hint) is Annotated else Record(hint)
        required = field.default is field.default_factory is dataclasses.MISSING
        # `from` is no name for a field: `from_` is, and the key has no underscore.
        name = field.name.removesuffix("_") + suffix(kind)
        fields.append(_Field(field.name, name, kind, required))
    return tuple(fields)


@cache
def _by_key(section: type) -> dict[str, _Field]:
    return {field.key: field for field in _fields(section)}


def _values(field: _Field, table: Table, key: str, faults: Faults) -> Iterator[Any]:
    """What each source set the field to; all of it must be right, though only the last counts."""
    if isinstance(field.kind, Flat):
        with faults.caught():
            yield field.kind.record.take(table, key)
    elif field.key in table.entries:
        for node in table.entries[field.key].nodes:
            with faults.caught():
                yield field.kind.read(node, dotted(key, field.key))


def kind(section: type, key: str) -> Kind[Any]:
    """The kind of one of a section's own keys. Raises KeyError."""
    found = _by_key(section)[key].kind
    assert not isinstance(found, Flat)  # those have no key
    return found


def written(value: object, key: str) -> object:
    """What one of a section's own keys is written as; None where it is empty."""
    section: type = type(value)
    member = getattr(value, _by_key(section)[key].name)
    return None if member is None or member == () else kind(section, key).write(member)


def keys(section: type) -> tuple[str, ...]:
    """The keys of a section's mapping, in the order of its fields."""
    names: list[str] = []
    for field in _fields(section):
        names += keys(field.kind.type) if isinstance(field.kind, Flat) else [field.key]
    return tuple(names)
