"""Dataclasses that read themselves: what a section may be made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from llmsim.config import document
from llmsim.config.containers import Each, Named
from llmsim.config.document import Faults
from llmsim.config.kinds import Text, Whole
from llmsim.config.record import Flat, Given, Record, keys
from llmsim.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Range:
    low: Annotated[int, Whole(0, 9)] = 0
    high: Annotated[int, Whole(0, 9)] = 9

    def checked(self, given: Given) -> Range:
        if self.low > self.high:
            given.fault("low", "is above high", "high")
        return self


@dataclass(frozen=True, slots=True)
class Limit:
    name: Annotated[str, Text()]
    span: Annotated[Range, Flat(Range)] = Range()


@dataclass(frozen=True, slots=True)
class Section:
    limits: Annotated[tuple[Limit, ...], Each(Record(Limit))] = ()
    named: Annotated[tuple[tuple[str, Range], ...], Named(Record(Range), "range")] = ()
    inner: Range = Range(1, 2)


def read(text: str, tmp_path: Path) -> Section:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return Record(Section).read(document.read(str(path), Faults()), "top")


TEXT = """\
limits:
  - {name: a, low: 3}
  - {name: b}
named: {z: {low: 1}, a: {high: 1}}
inner: {high: 5}
"""


def test_records_within_records(tmp_path: Path) -> None:
    section = read(TEXT, tmp_path)
    assert section == Section(
        (Limit("a", Range(3, 9)), Limit("b")),
        (("z", Range(1, 9)), ("a", Range(0, 1))),
        Range(0, 5),
    )
    assert Record(Section).write(section) == {
        "limits": [{"name": "a", "low": 3, "high": 9}, {"name": "b", "low": 0, "high": 9}],
        "named": {"z": {"low": 1, "high": 9}, "a": {"low": 0, "high": 1}},
        "inner": {"low": 0, "high": 5},
    }


def test_keys_are_in_the_order_of_the_fields() -> None:
    assert keys(Limit) == ("name", "low", "high")
    assert keys(Section) == ("limits", "named", "inner")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("limits: [{low: 1}]", ["top.limits[0].name: is missing; must be text"]),
        ("limits: [{name: 1}]", ['top.limits[0].name: must be text, not 1 (quote it: "1")']),
        (
            "limits: [a]",
            ["top.limits[0]: must be a mapping with the keys name, low, high, not 'a'"],
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
                "top.limits[0].nme: unknown key (did you mean name?); valid are name, low, high",
                "top.limits[0].name: is missing; must be text",
                "top.limits[1].low: must be a whole number from 0 to 9, not 10",
            ],
        ),
        ("named: {a: {low: x}, b: 1}", [
            "top.named.a.low: must be a whole number from 0 to 9, not 'x'",
            "top.named.b: must be a mapping with the keys low, high, not 1",
        ]),
    ],
)  # fmt: skip
def test_faults_name_the_whole_path(text: str, expected: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, tmp_path)
    assert [f"{fault.key}: {fault.message}" for fault in caught.value.faults] == expected
