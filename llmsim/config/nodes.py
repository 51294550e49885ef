"""What a configuration was written as: a tree that knows where each value stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from llmsim.core.errors import ConfigError, ConfigFault

DEEPEST: Final = 64
"""How deep values may be nested."""

Plain: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written. ``line`` counts from 1; None outside files."""

    where: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. ``text`` is how it was written.

    ``typed`` is False where the writer had no way to say which type is meant: flags,
    environment, unquoted YAML. The reader may then take text for a number.
    """

    place: Place
    value: Plain
    text: str
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's place, and what it was set to."""

    place: Place
    node: Node


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with text keys, in the order of the file."""

    place: Place
    entries: Mapping[str, Entry]


Node: TypeAlias = Scalar | Items | Table


class Faults(list[ConfigFault]):
    """Faults found so far: reading goes on after one, so that all are reported at once."""

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Keeps the faults of a ConfigError raised inside, and goes on after the block."""
        try:
            yield
        except ConfigError as error:
            self.extend(error.faults)

    def settle(self) -> None:
        """Raises ConfigError if there are any."""
        if self:
            raise ConfigError(self)


def wrong(place: Place, key: str, message: str) -> ConfigError:
    """The exception for one fault."""
    return ConfigError([ConfigFault(place.where, place.line, key, message)])


def dotted(key: str, name: str) -> str:
    """The key of a value in the mapping at ``key``."""
    return f"{key}.{name}" if key else name


def is_null(node: Node) -> bool:
    """Whether a key was left without a value."""
    return isinstance(node, Scalar) and node.value is None


def nested(keys: tuple[str, ...], node: Node) -> Table:
    """A tree in which nothing but one key is set."""
    for name in reversed(keys):
        node = Table(node.place, {name: Entry(node.place, node)})
    assert isinstance(node, Table)
    return node


class Untyped(str):
    """Text whose writer had no way to say which type is meant: a number, a switch or a text."""

    __slots__ = ()


def value(node: Node) -> Any:
    """The plain value of a tree: dictionaries, lists, text, numbers, booleans and None."""
    if isinstance(node, Table):
        return {name: value(entry.node) for name, entry in node.entries.items()}
    if isinstance(node, Items):
        return [value(item) for item in node.nodes]
    if isinstance(node.value, str) and not node.typed:
        return Untyped(node.value)
    return node.value


def shown(node: Node) -> str:
    """A node as a message quotes it."""
    if isinstance(node, Items):
        return "a list" if node.nodes else "an empty list"
    if isinstance(node, Table):
        return "a mapping"
    if node.value is None:
        return "nothing"
    text = node.text if len(node.text) <= 60 else node.text[:57] + "..."
    if not isinstance(node.value, str):
        return text
    return f"the text {text!r}" if node.typed else repr(text)


def tree(value: object, place: Place, key: str = "", depth: int = DEEPEST) -> Node:
    """The tree of a value made of dictionaries with text keys, lists, text, numbers, booleans and
    None. Raises ConfigError where it is nested too deeply."""
    if depth == 0:
        raise wrong(place, key, "nested too deeply")
    if isinstance(value, dict):
        return Table(
            place,
            {
                name: Entry(place, tree(item, place, dotted(key, name), depth - 1))
                for name, item in value.items()
            },
        )
    if isinstance(value, list | tuple):
        return Items(
            place,
            tuple(
                tree(item, place, f"{key}[{index}]", depth - 1) for index, item in enumerate(value)
            ),
        )
    if value is None or isinstance(value, bool):
        return Scalar(place, value, {None: "null", True: "true", False: "false"}[value], True)
    if isinstance(value, int | float):
        return Scalar(place, value, repr(value), True)
    return Scalar(place, str(value), str(value), True)
