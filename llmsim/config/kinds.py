"""The kinds of values a configuration has: each reads one node, and writes it back.

A kind says in ``valid`` what it takes; every message about a wrong value is made from that.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_address
from typing import Generic, Protocol, TypeVar

from llmsim.config.document import Items, Node, Scalar, Table, wrong
from llmsim.core.errors import ConfigError
from llmsim.core.spelling import did_you_mean

T = TypeVar("T")
L = TypeVar("L", bound=str)


class Kind(Protocol[T]):
    """What one key may be set to."""

    @property
    def valid(self) -> str:
        """What it takes, as in "must be …"."""
        ...

    def read(self, node: Node, key: str) -> T:
        """The value. Raises ConfigError."""
        ...

    def write(self, value: T) -> object:
        """The value as plain YAML that reads back to an equal one."""
        ...


def suffix(kind: object) -> str:
    """What the key of a kind ends in, beyond the field's name: the unit of what is written."""
    ending: str = getattr(kind, "suffix", "")
    return ending


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


def unfit(node: Node, key: str, valid: str, hint: str = "") -> ConfigError:
    """The exception for a node that is not what is valid here."""
    return wrong(node.place, key, f"must be {valid}, not {shown(node)}{hint}")


@dataclass(frozen=True, slots=True)
class Text:
    """Text of at least one character."""

    valid: str = "text"

    def read(self, node: Node, key: str) -> str:
        if not isinstance(node, Scalar) or node.value is None:
            raise unfit(node, key, self.valid)
        if not isinstance(node.value, str):
            raise unfit(node, key, self.valid, f' (quote it: "{node.text}")')
        if not node.value:
            raise wrong(node.place, key, "must not be empty")
        return node.value

    def write(self, value: str) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address to listen on; ``localhost`` stands for 127.0.0.1."""

    valid: str = "an IP address such as 0.0.0.0, 127.0.0.1 or ::"

    def read(self, node: Node, key: str) -> str:
        text = node.text if isinstance(node, Scalar) else ""
        try:
            return str(ip_address("127.0.0.1" if text == "localhost" else text))
        except ValueError:
            raise unfit(node, key, self.valid) from None

    def write(self, value: str) -> object:
        return value


def _number(node: Node) -> int | float | None:
    """A scalar's number, or None. Text counts if its writer had no way to say it was a number."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, str) and isinstance(node, Scalar) and not node.typed:
        for parse in (lambda text: int(text, 0), float):
            with suppress(ValueError):
                return parse(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int

    @property
    def valid(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def read(self, node: Node, key: str) -> int:
        value = _number(node)
        if not isinstance(value, int) or not self.low <= value <= self.high:
            raise unfit(node, key, self.valid)
        return value

    def write(self, value: int) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number from ``low`` to ``high``, both finite; so NaN and infinities are out of range."""

    low: float
    high: float

    @property
    def valid(self) -> str:
        return f"a number from {self.low:.12g} to {self.high:.12g}"

    def read(self, node: Node, key: str) -> float:
        value = _number(node)
        if value is None or not self.low <= value <= self.high:
            raise unfit(node, key, self.valid)
        return float(value)

    def write(self, value: float) -> object:
        return int(value) if value.is_integer() else value


@dataclass(frozen=True, slots=True)
class Millis:
    """A time written in milliseconds, held in seconds; ``high`` is in milliseconds.

    Scaled in decimal, so that what is written back is what was read.
    """

    high: float

    @property
    def suffix(self) -> str:
        return "_ms"

    @property
    def valid(self) -> str:
        return f"a number of milliseconds from 0 to {self.high:.12g}"

    def read(self, node: Node, key: str) -> float:
        value = _number(node)
        if value is None or not 0 <= value <= self.high:
            raise unfit(node, key, self.valid)
        return float(Decimal(repr(value)).scaleb(-3))

    def write(self, value: float) -> object:
        millis = float(Decimal(repr(value)).scaleb(3))
        return int(millis) if millis.is_integer() else millis


@dataclass(frozen=True, slots=True)
class OneOf(Generic[L]):
    """One of a few words, in any case."""

    words: tuple[L, ...]

    @property
    def valid(self) -> str:
        return " or ".join(filter(None, (", ".join(self.words[:-1]), self.words[-1])))

    def read(self, node: Node, key: str) -> L:
        text = node.text.lower() if isinstance(node, Scalar) and node.value is not None else ""
        for word in self.words:
            if word == text:
                return word
        raise unfit(node, key, self.valid, did_you_mean(text, self.words))

    def write(self, value: L) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that is on or off."""

    valid: str = "true or false"

    def read(self, node: Node, key: str) -> bool:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and isinstance(node, Scalar) and not node.typed:
            value = {"true": True, "false": False}.get(value.lower())
        if not isinstance(value, bool):
            raise unfit(node, key, self.valid)
        return value

    def write(self, value: bool) -> object:
        return value
