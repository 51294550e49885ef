"""What one request may say about itself, and how: in headers, or after its model's name.

``x-llmsim-error: 429; first=1; key=abc`` and ``gpt-5@llmsim:error=429,first=1,key=abc`` say the
same. Values are read by the kinds of the configuration, so their faults have the same messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from llmsim.config.containers import Maybe
from llmsim.config.document import Entry, Node, Place, Scalar, Table, wrong
from llmsim.config.faults import HOUR, KINDS
from llmsim.config.injection import COUNTED
from llmsim.config.kinds import Number, OneOf, Text, Whole
from llmsim.config.record import Flat, Given, Record, describe
from llmsim.config.response import Spelled
from llmsim.core.faults import FaultSet
from llmsim.core.latency import LatencyRule
from llmsim.core.overrides import (
    PREFIX,
    CountedRequests,
    ErrorOverride,
    FaultOverride,
    RequestOverrides,
    header,
)
from llmsim.core.spelling import did_you_mean

_SEPARATOR: Final = re.compile("[;,]")

Value: TypeAlias = Any


def _check_counted(counted: CountedRequests, given: Given) -> CountedRequests:
    if counted.first is not None and counted.every is not None:
        given.fault("every", "excludes first", "first")
    if counted.key is not None and counted.first is None and counted.every is None:
        given.fault("key", "needs first or every: it says what they count")
    return counted


describe(CountedRequests, _check_counted, first=COUNTED, every=COUNTED, key=Maybe(Text()))
describe(
    ErrorOverride,
    kind=Maybe(OneOf(KINDS)),
    status=Maybe(Whole(400, 599)),
    after=Maybe(HOUR),
    retry_after=Maybe(HOUR),
    counted=Flat(CountedRequests),
)


def parse(pairs: Iterable[tuple[str, str]]) -> RequestOverrides:
    """The overrides of one request: pairs of a header's name and its value, the last of a name
    counting. Raises ConfigError with the header at fault in ``ConfigFault.where``.
    """
    values: dict[str, Value] = {}
    for where, text in pairs:
        name = where.removeprefix(PREFIX).replace("-", "_")
        place = Place(where)
        reader = _READERS.get(name)
        if reader is None:
            valid = [header(known) for known in _READERS]
            message = f"unknown override{did_you_mean(where, valid)}; valid are {', '.join(valid)}"
            raise wrong(place, "", message)
        values[name] = reader(place, text.strip())
    return RequestOverrides(**values)


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


def _latency(place: Place, text: str) -> LatencyRule:
    return Record(LatencyRule).read(_table(place, _parts(place, text, lambda part: "profile")), "")


def _error(place: Place, text: str) -> ErrorOverride:
    parts = _parts(place, text, lambda part: "status" if part.isdigit() else "kind")
    if ("kind" in parts) == ("status" in parts):
        raise wrong(place, "", f"must begin with a status or one of {', '.join(KINDS)}")
    return Record(ErrorOverride).read(_table(place, parts), "")


def _fault(place: Place, text: str) -> FaultOverride:
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
    faults = Record(FaultSet).read(_table(place, {named.text: _table(place, parts)}), "")
    return FaultOverride(faults.each()[0], Record(CountedRequests).read(_table(place, counted), ""))


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
