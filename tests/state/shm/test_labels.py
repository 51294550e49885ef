"""Labels that all workers share: the same number for the same label, and one bound for all."""

from collections import Counter

import pytest

from llmsim.config import Config, Server
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.labels import LAST, OTHER, Label, LabelTable, table_size

MOST, MODELS = 12, 5


def tables(number: int, most: int = MOST) -> list[LabelTable]:
    """What so many workers have of one table."""
    memory = memoryview(bytearray(table_size(most)))
    return [LabelTable(memory, most, MODELS) for _ in range(number)]


def test_a_label_has_one_number_in_every_worker() -> None:
    one, two = tables(2)
    numbers = [
        each.number("/v1/x", name, 200) for name in ("a", "b", "a") for each in (one, two, one)
    ]
    assert numbers == [0, 0, 0, 1, 1, 1, 0, 0, 0]
    assert one.all() == two.all() == [Label("/v1/x", "a", 200), Label("/v1/x", "b", 200)]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("", ""),
        ("a\0b", "a b"),
        ("x" * 500, "x" * 80),
        ("é" * 79, "é" * 40),
        ("x" + "é" * 79, "x" + "é" * 39),
        ("\U0001f600" * 99, "\U0001f600" * 20),
    ],
)
def test_any_name_fits_a_label_and_cuts_no_character(model: str, name: str) -> None:
    one, two = tables(2)
    assert one.number("/v1/x", model, 200) == one.number("/v1/x", model, 200) == 0
    assert two.all() == one.all() == [Label("/v1/x", name, 200)]


def test_models_beyond_the_first_share_a_label_whichever_worker_they_came_to() -> None:
    made = tables(2)
    found = Counter[str]()
    for number in range(3 * MODELS):
        one = made[number % 2]
        label = one.all()[one.number("/v1/x", f"m{number}", 200)]
        found[label.model] += 1
    assert found == {**{f"m{number}": 1 for number in range(MODELS)}, OTHER: 2 * MODELS}
    assert [each.number("/v1/x", "m3", 200) for each in made] == [3, 3]


def test_the_last_label_is_that_of_everything_else() -> None:
    made = tables(3)
    labels = [
        (one := made[status % 3]).all()[one.number("/v1/x", "m", status)] for status in range(40)
    ]
    assert labels == [Label("/v1/x", "m", status) for status in range(MOST - 1)] + [LAST] * (
        40 - MOST + 1
    )
    assert [len(one.all()) for one in made] == [MOST] * 3
    assert made[1].number("/v1/y", "n", 404) == MOST - 1


def test_workers_of_one_server_share_their_labels() -> None:
    segment = new_segment(Config(Server(workers=2, journal_mb=1)))
    one, two = SharedState(segment), SharedState(segment)
    rows = [each.counters.row("/v1/x", name, 200) for name in "ab" for each in (one, two)]
    assert rows[0] == rows[1] != rows[2] == rows[3]
    series = [each.counters.series("/v1/x", "m", True) for each in (two, one)]
    assert series[0] == series[1] != one.counters.series("/v1/x", "m", False)
