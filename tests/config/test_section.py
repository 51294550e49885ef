"""Mappings of keys: what a section may be made of, and that all that is wrong is said at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, ValidationInfo

from llmsim.config import document
from llmsim.config.nodes import Faults, nested
from llmsim.config.reader import read
from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Each, Section
from llmsim.config.schema.values import Line, Name, Named, Whole
from llmsim.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Range:
    low: int = 0
    high: int = 9


@dataclass(frozen=True, slots=True)
class Limit:
    name: str
    span: Range = Range()


@dataclass(frozen=True, slots=True)
class Inner:
    limits: tuple[Limit, ...] = ()
    named: tuple[tuple[str, Range], ...] = ()
    inner: Range = Range(1, 2)


@dataclass(frozen=True, slots=True)
class Outer:
    top: Inner


class RangeSection(Section, of=Range):
    low: Annotated[int, Whole(0, 9)] = 0
    high: Annotated[int, Whole(0, 9)] = 9

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.low > self.high:
            yield Problem("low", "is above high", ("high",))


class LimitSection(RangeSection, of=Limit):
    flat: ClassVar = {"span": RangeSection}

    name: Line


class InnerSection(Section, of=Inner):
    limits: Annotated[tuple[LimitSection, ...], Each()] = ()
    named: Annotated[dict[Annotated[str, Name("range")], RangeSection], Named("range")] = Field({})
    inner: RangeSection = Field(RangeSection(low=1, high=2))


class OuterSection(Section, of=Outer):
    top: InnerSection


def top(text: str) -> Any:
    found = Faults()
    node = document.parsed(text, "x.yaml", found)
    found.settle()
    return read(nested(("top",), node), OuterSection).top


TEXT = """\
limits:
  - {name: a, low: 3}
  - {name: b}
named: {z: {low: 1}, a: {high: 1}}
inner: {high: 5}
"""


def test_records_within_records() -> None:
    section = top(TEXT)
    assert section == Inner(
        (Limit("a", Range(3, 9)), Limit("b")),
        (("z", Range(1, 9)), ("a", Range(0, 1))),
        Range(0, 5),
    )
    assert InnerSection.write(section) == {
        "limits": [{"name": "a", "low": 3, "high": 9}, {"name": "b", "low": 0, "high": 9}],
        "named": {"z": {"low": 1, "high": 9}, "a": {"low": 0, "high": 1}},
        "inner": {"low": 0, "high": 5},
    }


def test_keys_are_in_the_order_of_the_fields() -> None:
    assert LimitSection.key_names() == ("low", "high", "name")
    assert InnerSection.key_names() == ("limits", "named", "inner")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("limits: [{low: 1}]", ["top.limits[0].name: is missing"]),
        ("limits: [{name: 1}]", ['top.limits[0].name: must be text, not 1 (quote it: "1")']),
        (
            "limits: [a]",
            ["top.limits[0]: must be a mapping with the keys low, high, name, not 'a'"],
        ),
        ("inner: {low: 5, high: 1}", ["top.inner.low: is above high"]),
        (
            "inner: {low: 5, high: x}",
            ["top.inner.high: must be a whole number from 0 to 9, not 'x'"],
        ),
        ("limits: [{name: a, low: 2, high: 1}]", ["top.limits[0].low: is above high"]),
        (
            "limits: [{nme: a}, {name: b, low: 10}]",
            [
                "top.limits[0].nme: unknown key (did you mean name?); valid are low, high, name",
                "top.limits[0].name: is missing",
                "top.limits[1].low: must be a whole number from 0 to 9, not 10",
            ],
        ),
        ("named: {a: {low: x}, b: 1}", [
            "top.named.a.low: must be a whole number from 0 to 9, not 'x'",
            "top.named.b: must be a mapping with the keys low, high, not 1",
        ]),
    ],
)  # fmt: skip
def test_faults_name_the_whole_path(text: str, expected: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        top(text)
    assert [f"{fault.key}: {fault.message}" for fault in caught.value.faults] == expected
