"""The table of cached prefixes: what it holds, how long, and that workers share it."""

import multiprocessing
import sys

import pytest

from llmsim.state.shm import prompt_prefixes
from llmsim.state.shm.prompt_prefixes import ENTRIES, SIZE, WAYS, PrefixTable
from llmsim.state.shm.segment import Segment, Shape

NOW = 1000
BUCKETS = ENTRIES // WAYS


@pytest.fixture
def table() -> PrefixTable:
    return PrefixTable(memoryview(bytearray(SIZE)))


def key(tag: int, bucket: int = 5) -> int:
    """A key with that upper half, in that bucket."""
    return next(tag << 32 | low for low in range(BUCKETS) if (tag << 32 | low) % BUCKETS == bucket)


def test_a_prefix_is_held_until_it_is_forgotten(table: PrefixTable) -> None:
    assert not table.holds(key(7), NOW)
    table.keep(key(7), NOW + 300)
    assert table.holds(key(7), NOW)
    assert table.holds(key(7), NOW + 299)
    assert not table.holds(key(7), NOW + 300)


def test_another_prefix_is_not_held(table: PrefixTable) -> None:
    table.keep(key(7), NOW + 300)
    assert not table.holds(key(8), NOW)
    assert not table.holds(key(7, bucket=6), NOW)


@pytest.mark.parametrize(("again", "until"), [(600, 600), (100, 300)])
def test_keeping_again_never_shortens(table: PrefixTable, again: int, until: int) -> None:
    table.keep(key(7), NOW + 300)
    table.keep(key(7), NOW + again)
    assert table.holds(key(7), NOW + until - 1)
    assert not table.holds(key(7), NOW + until)


def test_the_next_to_be_forgotten_makes_room(table: PrefixTable) -> None:
    for tag in range(1, WAYS + 1):
        table.keep(key(tag), NOW + 100 + tag)
    table.keep(key(99), NOW + 50)
    assert [tag for tag in range(1, WAYS + 1) if table.holds(key(tag), NOW)] == list(
        range(2, WAYS + 1)
    )
    assert table.holds(key(99), NOW)


@pytest.mark.parametrize("number", [0, 1, 2**32, 2**64 - 1])
def test_any_key_and_time_will_do(table: PrefixTable, number: int) -> None:
    table.keep(number, 2**32 - 1)
    assert table.holds(number, 2**32 - 2)


def test_nothing_else_of_the_segment_is_touched() -> None:
    shape = Shape(2, 4096, 4096, SIZE)
    segment = Segment.create(shape)
    assert segment.shape == shape
    table = PrefixTable(segment.prefixes())
    for number in range(0, 2**64, 2**64 // 5000):
        table.keep(number ^ number >> 40, NOW)
    assert not any(bytes(segment.counters(slot)).strip(b"\0") for slot in range(2))
    assert not any(bytes(segment.journal(slot)).strip(b"\0") for slot in range(2))


def _look(path: str, number: int) -> None:
    sys.exit(not PrefixTable(Segment.attach(path).prefixes()).holds(number, NOW))


@pytest.mark.parametrize(("number", "held"), [(key(7), True), (key(8), False)])
def test_every_process_sees_what_one_keeps(number: int, held: bool) -> None:
    segment = Segment.create(Shape(1, 4096, 4096, prompt_prefixes.SIZE))
    PrefixTable(segment.prefixes()).keep(key(7), NOW + 300)
    other = multiprocessing.get_context("fork").Process(target=_look, args=(segment.path, number))
    other.start()
    other.join()
    assert other.exitcode == (0 if held else 1)
