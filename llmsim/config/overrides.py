"""What one request may set for itself, and how: in headers, or after its model's name.

``x-llmsim-error: 429; first=1; key=abc`` and ``gpt-5@llmsim:error=429;first=1;key=abc`` say the
same. Values are read as those of the configuration are, so their faults have the same messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, ClassVar, Final

from pydantic import ValidationInfo

from llmsim.config.nodes import Entry, Node, Place, Scalar, Table, nested, wrong
from llmsim.config.reader import read
from llmsim.config.schema.distribution import LengthSection
from llmsim.config.schema.faults import FaultSetSection
from llmsim.config.schema.latency import LatencyRuleSection
from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Section
from llmsim.config.schema.server import Generator, generator_choice
from llmsim.config.schema.values import (
    KINDS,
    Count,
    Hour,
    Kind,
    Line,
    Number,
    ScenarioWord,
    Seed,
    ShellPattern,
    Status,
)
from llmsim.core.errors import ConfigError
from llmsim.core.latency import LatencyRule
from llmsim.core.overrides import (
    PREFIX,
    CountedRequests,
    ErrorOverride,
    FaultOverride,
    RequestOverrides,
    Scenario,
    header,
)
from llmsim.core.spelling import did_you_mean

_SEPARATOR: Final = re.compile("[;,]")


class CountedRequestsSection(Section, of=CountedRequests):
    """Which requests are meant."""

    first: Count | None = None
    every: Count | None = None
    key: Line | None = None
    model: ShellPattern = "*"
    dialect: ShellPattern = "*"
    caller: ShellPattern = "*"

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.first is not None and self.every is not None:
            yield Problem("every", "excludes first", ("first",))
        if self.key is not None and self.first is None and self.every is None:
            yield Problem("key", "needs first or every: it says what they count")


class ErrorOverrideSection(CountedRequestsSection, of=ErrorOverride):
    """An error in place of the answer."""

    flat: ClassVar = {"counted": CountedRequestsSection}

    kind: Kind | None = None
    status: Status | None = None
    after_ms: Hour | None = None
    retry_after_ms: Hour | None = None


class ScenarioSection(Section, of=Scenario):
    """A starter scenario."""

    name: ScenarioWord
    seed: Seed | None = None
    speed: Annotated[float, Number(0.01, 100)] = 1.0


class SingleValuesSection(Section):
    """What is set to one value."""

    domain: ClassVar[Any] = dict

    seed: Seed | None = None
    target_tokens: LengthSection | None = None
    generator: Generator | None = None
    itl_factor: Annotated[float, Number(0, 1000)] | None = None


def parse(pairs: Iterable[tuple[str, str]]) -> RequestOverrides:
    """The overrides of one request: pairs of a header's name and its value, the last of a name
    counting. Raises ConfigError with the header at fault in ``ConfigFault.where``.
    """
    values: dict[str, Any] = {}
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
    return Table(place, {name: Entry(place, node) for name, node in values.items()})


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
    parts = _grouped(place, _parts(place, text, lambda part: "profile"))
    rule: LatencyRule = read(_table(place, parts), LatencyRuleSection)
    return rule


def _grouped(place: Place, parts: Mapping[str, Node]) -> dict[str, Node]:
    """The parts, those named ``itl_ms.p50`` and the like in a mapping of their own."""
    found: dict[str, Node] = {}
    inner: dict[str, dict[str, Node]] = {}
    for name, node in parts.items():
        outer, dot, last = name.partition(".")
        if dot:
            inner.setdefault(outer, {})[last] = node
        else:
            found[name] = node
    for name, nodes in inner.items():
        if name in found:
            raise wrong(place, name, "set twice")
        found[name] = _table(place, nodes)
    return found


def _error(place: Place, text: str) -> ErrorOverride:
    parts = _parts(place, text, lambda part: "status" if part.isdigit() else "kind")
    if ("kind" in parts) == ("status" in parts):
        raise wrong(place, "", f"must begin with a status or one of {', '.join(KINDS)}")
    error: ErrorOverride = read(_table(place, parts), ErrorOverrideSection)
    return error


def _fault(place: Place, text: str) -> FaultOverride:
    parts = _parts(place, text, lambda part: "fault")
    named = parts.pop("fault", None)
    if not isinstance(named, Scalar):
        raise wrong(place, "", "must begin with the name of a fault")
    counted: dict[str, Node] = {}
    for name in CountedRequestsSection.key_names():
        if name in parts:
            counted[name] = parts.pop(name)
    if "after" in parts:
        parts["after_tokens"] = parts.pop("after")
    faults = read(_table(place, {named.text: _table(place, parts)}), FaultSetSection)
    return FaultOverride(faults.each()[0], read(_table(place, counted), CountedRequestsSection))


def _scenario(place: Place, text: str) -> Scenario:
    scenario: Scenario = read(
        _table(place, _parts(place, text, lambda part: "name")), ScenarioSection
    )
    return scenario


def _single(name: str, place: Place, text: str) -> Any:
    try:
        value = read(nested((name,), _scalar(place, text)), SingleValuesSection)[name]
    except ConfigError as error:  # the header's name says it already
        raise ConfigError([replace(fault, key="") for fault in error.faults]) from None
    return generator_choice(value) if name == "generator" else value


def _target_tokens(place: Place, text: str) -> Any:
    """A number of tokens, or a distribution: ``p50=100, p95=600``."""
    if "=" not in text:
        return _single("target_tokens", place, text)
    return read(_table(place, _parts(place, text, lambda part: "mean")), LengthSection)


_READERS: Final[Mapping[str, Callable[[Place, str], Any]]] = {
    "latency": _latency,
    "error": _error,
    "fault": _fault,
    "scenario": _scenario,
    **{name: partial(_single, name) for name in SingleValuesSection.key_names()},
    "target_tokens": _target_tokens,
}
