"""Every value made for the hand-written schemas is valid, whatever the seed."""

import json
from typing import Any

import pytest

from llmsim.engine.schema import check, normalise, text, value
from tests.engine.schema.corpus import entries
from tests.engine.schema.judge import ecma_faults, judge

SEEDS = [*range(40), 2**63, -1]
ENTRIES = entries()

by_entry = pytest.mark.parametrize(
    "entry", [entry for _, entry in ENTRIES], ids=[name for name, _ in ENTRIES]
)


def test_names_are_unique() -> None:
    assert len({name for name, _ in ENTRIES}) == len(ENTRIES) >= 150


@by_entry
def test_values_are_valid(entry: dict[str, Any]) -> None:
    find = judge(entry)
    made = [value(entry["schema"], seed) for seed in SEEDS]
    assert [(each, found) for each in made if (found := find(each))] == []


@by_entry
def test_text_is_the_value(entry: dict[str, Any]) -> None:
    check(entry["schema"])
    assert json.loads(text(entry["schema"], 7)) == value(entry["schema"], 7)


@by_entry
def test_normalised_schema_means_the_same(entry: dict[str, Any]) -> None:
    standard = normalise(entry["schema"])
    made = [value(entry["schema"], seed) for seed in range(8)]
    assert [each for each in made if ecma_faults(standard, each)] == []
    assert [value(standard, seed) for seed in range(8)] == made
