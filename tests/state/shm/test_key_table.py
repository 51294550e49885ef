"""The table of keys: exact up to its size, whoever is killed in it."""

import os
import random
from contextlib import suppress
from typing import Any

import pytest

from llmsim.state.shm.key_table import SLICE, KeyTable, TableShape, hashed
from llmsim.state.shm.segment import PAGE, Segment, Shape

COUNT, COST = 1, 2
LOCKS = (0, 100)


class KilledError(Exception):
    """Stands in for a SIGKILL."""


class Counting:
    """A table whose records are key, count and what it would cost to forget them."""

    def __init__(self, keys: int, regions: int = 4) -> None:
        shape = TableShape(keys, regions, 3)
        self.segment = Segment.create(Shape(1, PAGE, PAGE, 0, shape.size, 0, keys))
        memory = self.segment.named_counters()
        self.table = KeyTable(self.segment, memory, shape, LOCKS, self.cost)
        self.cells = self.table.cells

    def cost(self, at: int) -> tuple[int, int]:
        return int(self.cells[at + COUNT] > 0), self.cells[at + COST]

    def count(self, key: int, cost: int = 0) -> int:
        """How often the key was counted before."""
        with self.segment.locked(self.table.lock_of(key)):
            at = self.table.find(key)
            if not at:
                at = self.table.new(key)
                self.cells[at + COUNT] = 0
                self.cells[at] = key
            self.cells[at + COUNT] += 1
            self.cells[at + COST] = cost
            return self.cells[at + COUNT] - 1

    def reached(self, key: int) -> int:
        at = self.table.find(key)
        return self.cells[at + COUNT] if at else 0


def keys(count: int, region: int | None = None, regions: int = 4) -> list[int]:
    """So many keys, of one region."""
    found: list[int] = []
    number = 0
    while len(found) < count:
        key = hashed(f"key {number}")
        number += 1
        if region is None or (key >> 32) % regions == region:
            found.append(key)
    return found


def test_every_key_up_to_the_last_is_counted_by_itself() -> None:
    table = Counting(5000)
    every = keys(5000)
    for before in range(2):
        assert {table.count(key) for key in every} == {before}
    assert (table.table.used, table.table.forgotten) == (5000, 0)


def test_beyond_that_what_costs_least_is_forgotten_and_only_losses_are_counted() -> None:
    table = Counting(1000)
    every = keys(1010)
    for cost, key in enumerate(every[:1000]):
        table.count(key, cost)
    free = [key for key in every[:1000] if table.table.find(key)][:1]
    table.cells[table.table.find(free[0]) + COUNT] = 0
    for key in every[1000:]:
        assert table.count(key, 2000) == 0
    assert all(table.reached(key) == 1 for key in every[1000:])
    lost = [key for key in every[:1000] if not table.table.find(key)]
    assert len(lost) == 10
    assert table.table.forgotten == 10 - (free[0] in lost)


def test_a_region_that_is_full_before_the_table_forgets_and_leaves_the_others_alone() -> None:
    """As keys that somebody has chosen could have it."""
    table = Counting(2000, regions=16)
    others = [key for region in (0, 2, 3) for key in keys(50, region, regions=16)]
    crowd = keys(800, region=1, regions=16)
    for cost, key in enumerate(others + crowd):
        table.count(key, cost)
    assert {table.count(key) for key in others} == {1}
    assert table.table.forgotten == 800 - table.table.shape.places * 7 // 8
    assert table.reached(crowd[-1]) == 1


def test_a_region_without_keys_has_room_when_the_table_is_full() -> None:
    table = Counting(1000)
    for key in (key for region in (0, 2, 3) for key in keys(350, region)):
        table.count(key)
    assert table.table.used == 1000
    assert [table.count(key) for key in keys(2, region=1)] == [0, 0]
    assert table.reached(keys(2, region=1)[1]) == 1
    assert table.table.used == 1001


def test_it_is_as_a_dictionary_would_be_while_keys_come_and_are_forgotten() -> None:
    table = Counting(60)
    every = keys(200)
    counts: dict[int, int] = {}
    generator = random.Random(7)
    for step in range(5000):
        key = generator.choice(every)
        present = {one for one in counts if table.table.find(one)}
        assert table.count(key, step) == (counts.get(key, 0) if key in present else 0)
        counts = {one: count for one, count in counts.items() if table.table.find(one)}
        assert len(present - counts.keys()) <= (key not in present)
        counts[key] = counts.get(key, 0) + 1
        assert {one: table.reached(one) for one in every if table.reached(one)} == counts


class Dying:
    """Memory whose writer is killed before its write number ``left``."""

    def __init__(self, memory: Any, left: int) -> None:
        self.memory, self.left = memory, left

    def __getitem__(self, at: int) -> int:
        value: int = self.memory[at]
        return value

    def __setitem__(self, at: int, value: int) -> None:
        if not self.left:
            raise KilledError
        self.left -= 1
        self.memory[at] = value


@pytest.mark.parametrize("name", ["_index", "cells", "header"])
@pytest.mark.parametrize("left", range(4))
@pytest.mark.parametrize("seed", range(10))
def test_a_worker_killed_at_any_write_costs_nobody_else_a_count(
    name: str, left: int, seed: int
) -> None:
    """Nor does it cost anybody after it, though many come."""
    table = Counting(60)
    every = keys(400)
    generator = random.Random(seed)
    for cost, key in enumerate(generator.sample(every, 120)):
        table.count(key, cost)
    for round_ in range(5):
        counts = {key: table.reached(key) for key in every if table.reached(key)}
        new = generator.choice([key for key in every if key not in counts])
        whole = getattr(table.table, name)
        setattr(table.table, name, Dying(whole, left))
        if name == "cells":
            table.cells = table.table.cells
        with suppress(KilledError):
            table.count(new, 1000 + round_)
        setattr(table.table, name, whole)
        table.cells = table.table.cells
        lost = [key for key in counts if table.reached(key) != counts[key]]
        assert len(lost) <= 1
        assert table.reached(new) in (0, 1)
    for cost, key in enumerate(generator.sample(every, 200)):
        before = table.reached(key)
        assert table.count(key, 2000 + cost) == before
        assert table.count(key, 2000 + cost) == before + 1


def test_clearing_goes_over_every_record_in_slices() -> None:
    table = Counting(10_000)
    every = keys(10_000)
    for key in every:
        table.count(key, 5)
    assert len(list(table.table.cleared(slice(COUNT, COST)))) == -(-10_000 // SLICE)
    assert {table.reached(key) for key in every} == {0}
    assert {table.cells[table.table.find(key) + COST] for key in every} == {5}


def test_what_nobody_uses_takes_no_memory() -> None:
    table = Counting(1_000_000, regions=64)
    for most in (1 << 18, 1 << 20):
        assert os.stat(table.segment.path).st_blocks * 512 < most
        for key in keys(100):
            table.count(key)
