"""Kinds made of another kind: a value that may be left out, a list, a mapping of free names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from llmsim.config.document import Faults, Items, Node, Table, dotted, is_null, wrong
from llmsim.config.kinds import Kind, shown, suffix, unfit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Maybe(Generic[T]):
    """Another kind's value, or None where the key is left out or set to null."""

    kind: Kind[T]

    @property
    def valid(self) -> str:
        return self.kind.valid

    @property
    def suffix(self) -> str:
        return suffix(self.kind)

    def read(self, node: Node, key: str) -> T | None:
        if is_null(node):
            return None
        return self.kind.read(node, key)

    def write(self, value: T | None) -> object:
        return None if value is None else self.kind.write(value)


@dataclass(frozen=True, slots=True)
class Each(Generic[T]):
    """A list of at least one value of another kind, none of them twice if ``distinct``."""

    kind: Kind[T]
    distinct: bool = False

    @property
    def valid(self) -> str:
        return "a list of at least one value"

    def read(self, node: Node, key: str) -> tuple[T, ...]:
        if not isinstance(node, Items) or not node.nodes:
            raise unfit(node, key, self.valid)
        faults, values = Faults(), list[T]()
        for index, item in enumerate(node.nodes):
            with faults.caught():
                value = self.kind.read(item, f"{key}[{index}]")
                if self.distinct and value in values:
                    raise wrong(item.place, f"{key}[{index}]", f"{shown(item)} is listed twice")
                values.append(value)
        faults.settle()
        return tuple(values)

    def write(self, value: tuple[T, ...]) -> object:
        return [self.kind.write(item) for item in value]


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """A mapping of free names to values of one kind, as pairs in the order of the file."""

    kind: Kind[T]
    name: str

    @property
    def valid(self) -> str:
        return f"a mapping with {self.name}s as keys"

    def read(self, node: Node, key: str) -> tuple[tuple[str, T], ...]:
        if is_null(node):
            return ()
        if not isinstance(node, Table):
            raise unfit(node, key, self.valid)
        faults, values = Faults(), list[tuple[str, T]]()
        for name, entry in node.entries.items():
            with faults.caught():
                if not name:
                    raise wrong(entry.place, key, f"a {self.name} must not be empty")
                values.append((name, self.kind.read(entry.node, dotted(key, name))))
        faults.settle()
        return tuple(values)

    def write(self, value: tuple[tuple[str, T], ...]) -> object:
        return {name: self.kind.write(item) for name, item in value}
