"""What one request may say about itself, and how: in headers, or after its model's name.

``x-llmsim-error: 429; first=1; key=abc`` and ``gpt-5@llmsim:error=429,first=1,key=abc`` say the
same. Values are read by the kinds of the configuration, so their faults have the same messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import unquote

from llmsim.config.containers import Maybe
from llmsim.config.document import Entry, Node, Place, Scalar, Table, wrong
from llmsim.config.faults import KINDS, Fault, Faults
from llmsim.config.injection import COUNTED
from llmsim.config.kinds import Millis, Number, OneOf, Text, Whole, meant
from llmsim.config.latency import Rule
from llmsim.config.record import Flat, Given, Record
from llmsim.config.response import Generator, Spelled
from llmsim.core.catalog.models import MARK

PREFIX: Final = "x-llmsim-"
HOUR: Final = Millis(3_600_000)
_SEPARATOR: Final = re.compile("[;,]")

Value: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Counted:
    """Which requests with the same ``key`` are meant: the ``first`` so many of them, ``every``
    so-and-so manieth, or all."""

    first: Annotated[int | None, COUNTED] = None
    every: Annotated[int | None, COUNTED] = None
    key: Annotated[str | None, Maybe(Text())] = None

    def checked(self, given: Given) -> Counted:
        if self.first is not None and self.every is not None:
            given.fault("every", "excludes first", "first")
        if self.key is not None and self.first is None and self.every is None:
            given.fault("key", "needs first or every: it says what they count")
        return self


@dataclass(frozen=True, slots=True)
class Failing:
    """An error in place of the answer, told ``after`` seconds after the request. One of ``kind``
    and ``status`` is set. ``after`` and ``retry_after`` (seconds) None are what the configuration
    says."""

    kind: Annotated[str | None, Maybe(OneOf(KINDS))] = None
    status: Annotated[int | None, Maybe(Whole(400, 599))] = None
    after: Annotated[float | None, Maybe(HOUR)] = None
    retry_after: Annotated[float | None, Maybe(HOUR)] = None
    counted: Annotated[Counted, Flat(Counted)] = Counted()


@dataclass(frozen=True, slots=True)
class Faulty:
    """A fault in the middle of the answer."""

    fault: Fault
    counted: Counted


@dataclass(frozen=True, slots=True)
class Directions:
    """All that one request says about itself; None where it says nothing."""

    latency: Rule | None = None
    error: Failing | None = None
    fault: Faulty | None = None
    seed: int | None = None
    target_tokens: int | None = None
    generator: Generator | None = None
    itl_factor: float | None = None


def header(name: str) -> str:
    """The header that gives this direction."""
    return PREFIX + name.replace("_", "-")


def read(given: Iterable[tuple[str, str]]) -> Directions:
    """The directions of one request: pairs of a header's name and its value, the last of a name
    counting. Raises ConfigError with the header at fault in ``Fault.where``.
    """
    values: dict[str, Value] = {}
    for where, text in given:
        name = where.removeprefix(PREFIX).replace("-", "_")
        place = Place(where)
        reader = _READERS.get(name)
        if reader is None:
            valid = [header(known) for known in _READERS]
            message = f"unknown direction{meant(where, valid)}; valid are {', '.join(valid)}"
            raise wrong(place, "", message)
        values[name] = reader(place, text.strip())
    return Directions(**values)


def split(model: str) -> tuple[str, str]:
    """A model's name and the directions after it, empty where there are none."""
    name, _, suffix = model.partition(MARK)
    return name, suffix


def suffixed(suffix: str) -> Iterable[tuple[str, str]]:
    """The directions after a model's name as headers: ``latency=instant;error=429,first=1``.
    What stands for itself in a value may be percent-encoded."""
    for part in filter(None, suffix.split(";")):
        name, _, value = part.partition("=")
        yield header(name.strip().lower()), unquote(value)


def _scalar(place: Place, text: str) -> Scalar:
    return Scalar(place, text, text)


def _table(place: Place, values: Mapping[str, Node]) -> Table:
    return Table(place, {name: Entry(place, (node,)) for name, node in values.items()})


def _parts(place: Place, text: str, bare: Callable[[str], str]) -> dict[str, Node]:
    """The parts of a value: ``name=value`` by name, and its first under the name that ``bare``
    gives it if it is not of that form."""
    found: dict[str, Node] = {}
    for index, part in enumerate(map(str.strip, _SEPARATOR.split(text))):
        name, equals, value = map(str.strip, part.partition("="))
        if not equals:
            if index:
                raise wrong(place, "", f"must be name=value after the first part, not {part!r}")
            name, value = bare(part), part
        if name in found:
            raise wrong(place, name, "set twice")
        found[name] = _scalar(place, value)
    return found


def _latency(place: Place, text: str) -> Rule:
    return Record(Rule).read(_table(place, _parts(place, text, lambda part: "profile")), "")


def _error(place: Place, text: str) -> Failing:
    parts = _parts(place, text, lambda part: "status" if part.isdigit() else "kind")
    if ("kind" in parts) == ("status" in parts):
        raise wrong(place, "", f"must begin with a status or one of {', '.join(KINDS)}")
    return Record(Failing).read(_table(place, parts), "")


def _fault(place: Place, text: str) -> Faulty:
    parts = _parts(place, text, lambda part: "fault")
    named = parts.pop("fault", None)
    if not isinstance(named, Scalar):
        raise wrong(place, "", "must begin with the name of a fault")
    counted: dict[str, Node] = {}
    for name in ("first", "every", "key"):
        if name in parts:
            counted[name] = parts.pop(name)
    if "after" in parts:
        parts["after_tokens"] = parts.pop("after")
    faults = Record(Faults).read(_table(place, {named.text: _table(place, parts)}), "")
    return Faulty(faults.each()[0], Record(Counted).read(_table(place, counted), ""))


def _of(kind: Any) -> Callable[[Place, str], Value]:
    return lambda place, text: kind.read(_scalar(place, text), "")


_READERS: Final[Mapping[str, Callable[[Place, str], Value]]] = {
    "latency": _latency,
    "error": _error,
    "fault": _fault,
    "seed": _of(Whole(0, 2**63 - 1)),
    "target_tokens": _of(Whole(1, 1_000_000)),
    "generator": _of(Spelled()),
    "itl_factor": _of(Number(0, 1000)),
}
